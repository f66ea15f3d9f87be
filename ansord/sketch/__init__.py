"""Propose structures and fill them with numbers: derivation rules, random annotation, legality. Pure.

`State`, `Derived` and `Rule` are what a rule of your own is written with; the README has one.
"""

from ansord.sketch.annotate import annotate, draw, refilled
from ansord.sketch.derive import Derivation, derive, outside_rules
from ansord.sketch.legal import legal, usable
from ansord.sketch.manual import definitions_manual, manual
from ansord.sketch.rules import RULES
from ansord.sketch.state import Derived, Rule, State

__all__ = [
    "RULES", "Derivation", "Derived", "Rule", "State",
    "annotate", "definitions_manual", "derive", "draw", "legal", "manual", "outside_rules",
    "refilled", "usable",
]  # fmt: skip
