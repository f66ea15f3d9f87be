"""What each ONNX op means in ours: one table of functions that give a node's results or raise NotCovered."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ansord_client.models.lowering import contraction, elementwise, movement, norms, parts, pooling, reduction
from ansord_client.models.lowering.at import At

LOWER: Mapping[str, Callable[[At], None]] = {
    **contraction.LOWER,
    **pooling.LOWER,
    **reduction.LOWER,
    **norms.LOWER,
    **elementwise.LOWER,
    **movement.LOWER,
    **parts.LOWER,
}

__all__ = ["LOWER", "At"]
