"""What is to be computed: a subgraph as tensor expressions, and pure analyses of them."""

from __future__ import annotations

from ansord.dag.dag import Axis, Dag, Stage, Tensor
from ansord.dag.expand import expand

__all__ = ["Axis", "Dag", "Stage", "Tensor", "expand"]
