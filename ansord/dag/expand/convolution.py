"""Convolutions in 1 to 3 dimensions: strided, padded, dilated, grouped, depthwise.

Padding is a stage of its own, so that the inner loops have no branch and the search may place it.
"""

from __future__ import annotations

from ansord.dag.dag import Axis, Tensor
from ansord.dag.expand.scope import Scope, read, read_outside, spatial
from ansord.dag.words import call, cast, number, points
from ansord_client.graph import Node
from ansord_client.index import Index


def convolution(node: Node, args: tuple[Tensor, Tensor], scope: Scope) -> Tensor:
    """y[n,*s,g·O+o] sums x[n,*s·stride+k·dilation-before,g·C+c] · w[k,c,g·O+o] over the taps k and c."""
    source, weight = args
    *taps, channels, _ = weight.shape
    groups: int = node.attrs["groups"]
    per_group = node.shape[-1] // groups
    space, kernel = spatial(node.shape[1:-1]), spatial(taps, "k")
    axes = [Axis("n", node.shape[0]), *space, Axis("g", groups), Axis("o", per_group)]
    reduce = [*kernel, Axis("c", channels)]
    window = [
        place * stride + tap * dilation - before
        for place, tap, stride, dilation, (before, _) in zip(
            points(space),
            points(kernel),
            node.attrs["stride"],
            node.attrs["dilation"],
            node.attrs["padding"],
            strict=True,
        )
    ]
    n, g, c = Index.of("n"), Index.of("g"), Index.of("c")
    zero = number(0, source.dtype)
    x = read_outside(scope, source, [n, *window, g * channels + c], [*axes, *reduce], zero)
    w = read(weight, [*points(kernel), c, g * per_group + "o"])
    return scope.stage(
        node.shape,
        axes,
        call("mul", cast(x, node.dtype), cast(w, node.dtype)),
        reduce=reduce,
        combiner="add",
        index=[n, *points(space), g * per_group + "o"],
    )
