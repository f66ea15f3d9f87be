"""Whose turn is next, among tasks of several models and users: a pure function of values, with its reasons.

The daemon's plan calls `choose` before every round. It measures nothing and keeps nothing.
"""

from ansord.tune.scheduler.choose import Choice, Verdict, choose
from ansord.tune.scheduler.objective import OBJECTIVES
from ansord.tune.scheduler.rules import Rules
from ansord.tune.scheduler.similar import similar
from ansord.tune.scheduler.state import Curve, State
from ansord.tune.scheduler.table import Background, Table

__all__ = [
    "OBJECTIVES",
    "Background",
    "Choice",
    "Curve",
    "Rules",
    "State",
    "Table",
    "Verdict",
    "choose",
    "similar",
]
