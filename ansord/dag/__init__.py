"""What is to be computed: a subgraph as tensor expressions, and pure analyses of them."""

from __future__ import annotations

from ansord.dag import analysis
from ansord.dag.dag import Axis, Dag, Stage, Tensor
from ansord.dag.expand import EXPANSIONS, expand
from ansord.dag.rfactor import neutral, rfactor
from ansord.dag.simplify import simplify

__all__ = [
    "EXPANSIONS",
    "Axis",
    "Dag",
    "Stage",
    "Tensor",
    "analysis",
    "expand",
    "neutral",
    "rfactor",
    "simplify",
]
