"""Whose turn is next, among tasks of several models and users: a pure function of values, with its reasons.

The daemon's plan calls `choose` before every round. It measures nothing and keeps nothing.
"""

from ansord.scheduler.choose import Choice, Verdict, choose
from ansord.scheduler.objective import OBJECTIVES
from ansord.scheduler.rules import PAPER, Rules
from ansord.scheduler.similar import similar
from ansord.scheduler.state import Curve, State, roof
from ansord.scheduler.table import Background, Table

__all__ = [
    "OBJECTIVES",
    "PAPER",
    "Background",
    "Choice",
    "Curve",
    "Rules",
    "State",
    "Table",
    "Verdict",
    "choose",
    "roof",
    "similar",
]
