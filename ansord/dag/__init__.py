"""What is to be computed: a subgraph as tensor expressions, and pure analyses of them."""

from __future__ import annotations

from ansord.dag import analysis
from ansord.dag.choice import options, settled
from ansord.dag.collapse import collapse
from ansord.dag.dag import Axis, Dag, Stage, Tensor
from ansord.dag.expand import EXPANSIONS, expand
from ansord.dag.rewrite import (
    REWRITES,
    Definition,
    Rewrite,
    definitions,
    outside_rewrites,
    rewrite_named,
)
from ansord.dag.rfactor import neutral, rfactor
from ansord.dag.simplify import simplify

__all__ = [
    "EXPANSIONS",
    "REWRITES",
    "Axis",
    "Dag",
    "Definition",
    "Rewrite",
    "Stage",
    "Tensor",
    "analysis",
    "collapse",
    "definitions",
    "expand",
    "neutral",
    "options",
    "outside_rewrites",
    "rewrite_named",
    "rfactor",
    "settled",
    "simplify",
]
