"""reduce_sum, reduce_mean, reduce_max, reduce_min, reduce_prod over any axes."""

from __future__ import annotations

from math import prod

from ansord.dag.dag import Tensor
from ansord.dag.expand.scope import Scope, read
from ansord.dag.words import call, letters, number, points
from ansord_client.graph import Node
from ansord_client.index import Index

COMBINERS = {
    "reduce_sum": "add",
    "reduce_mean": "add",
    "reduce_max": "maximum",
    "reduce_min": "minimum",
    "reduce_prod": "mul",
}


def reduction(node: Node, args: tuple[Tensor], scope: Scope) -> Tensor:
    """One combiner over the reduced axes; a mean is divided afterwards."""
    (source,) = args
    total = collapse(scope, source, node.attrs["axes"], node.attrs["keepdims"], COMBINERS[node.op])
    if node.op != "reduce_mean":
        return total
    count = prod(source.shape[axis] for axis in node.attrs["axes"])
    axes = letters(node.shape)
    mean = call("div", read(total, points(axes)), number(count, node.dtype))
    return scope.stage(node.shape, axes, mean)


def collapse(scope: Scope, source: Tensor, over: tuple[int, ...], keep: bool, combiner: str) -> Tensor:
    """The plain reduction of a tensor over the axes `over`; `keep` leaves them with extent 1."""
    axes = letters(source.shape)
    kept = [axis for place, axis in enumerate(axes) if place not in over]
    index = [Index.of(axis.name) if axis in kept else Index() for axis in axes] if keep else points(kept)
    places = [place for place in range(len(axes)) if keep or place not in over]
    shape = [1 if place in over else source.shape[place] for place in places]
    return scope.stage(
        shape,
        kept,
        read(source, points(axes)),
        reduce=[axes[place] for place in over],
        combiner=combiner,
        index=index,
    )
