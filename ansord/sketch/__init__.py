"""Propose structures and fill them with numbers: derivation rules, random annotation, legality. Pure."""

from ansord.sketch.annotate import annotate, draw
from ansord.sketch.derive import Derivation, derive, outside_rules
from ansord.sketch.legal import legal, usable
from ansord.sketch.manual import manual
from ansord.sketch.rules import RULES

__all__ = [
    "RULES", "Derivation", "annotate", "derive", "draw", "legal", "manual", "outside_rules", "usable",
]  # fmt: skip
