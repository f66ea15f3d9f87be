"""Convolutions in 1 to 3 dimensions: strided, padded, dilated, grouped, depthwise.

Padding is a stage of its own, so that the inner loops have no branch and the search may place it.
"""

from __future__ import annotations

from ansord_client.index import Index
from ansord_client.subgraph import Node

from ansord.dag.dag import Axis, Tensor
from ansord.dag.expand.scope import SPATIAL, Scope, call, cast, number, ranges, read, read_outside


def convolution(node: Node, args: tuple[Tensor, Tensor], scope: Scope) -> Tensor:
    """y[n,*s,g·O+o] = sum over kernel and c of x[n, *s·stride + k·dilation - before, g·C+c] · w[k,c,g·O+o]."""
    source, weight = args
    rank = len(node.shape) - 2
    groups: int = node.attrs["groups"]
    per_group = node.shape[-1] // groups
    space = [Axis(name, extent) for name, extent in zip(SPATIAL[rank], node.shape[1:], strict=False)]
    kernel = [Axis(f"k{name}", extent) for name, extent in zip(SPATIAL[rank], weight.shape, strict=False)]
    axes = [Axis("n", node.shape[0]), *space, Axis("g", groups), Axis("o", per_group)]
    reduce = [*kernel, Axis("c", weight.shape[rank])]
    window = [
        Index.of(place.name) * stride + Index.of(tap.name) * dilation - before
        for place, tap, stride, dilation, (before, _) in zip(
            space, kernel, node.attrs["stride"], node.attrs["dilation"], node.attrs["padding"], strict=True
        )
    ]
    channel = Index.of("g") * per_group + "o"
    x = read_outside(
        scope,
        source,
        [Index.of("n"), *window, Index.of("g") * weight.shape[rank] + "c"],
        ranges(*axes, *reduce),
        number(0, source.dtype),
    )
    w = read(weight, [*(Index.of(tap.name) for tap in kernel), Index.of("c"), channel])
    return scope.stage(
        node.shape,
        axes,
        call("mul", cast(x, node.dtype), cast(w, node.dtype)),
        reduce=reduce,
        combiner="add",
        index=[Index.of("n"), *(Index.of(place.name) for place in space), channel],
    )
