"""max_pool and avg_pool: a reduction over windows; what pads them is a stage of its own."""

from __future__ import annotations

from math import prod

from ansord.dag.dag import Axis, Tensor
from ansord.dag.expand.scope import Scope, lowest, read, read_outside, spatial
from ansord.dag.words import call, cast, letters, number, points
from ansord_client.expr import AxisValue, Const, Expr
from ansord_client.graph import Node
from ansord_client.index import Index


def max_pool(node: Node, args: tuple[Tensor], scope: Scope) -> Tensor:
    """The largest element of each window; outside the input nothing counts."""
    return _windows(node, args[0], scope, lowest(node.dtype), "maximum")


def avg_pool(node: Node, args: tuple[Tensor], scope: Scope) -> Tensor:
    """The sum of each window over the number of elements that count there."""
    total = _windows(node, args[0], scope, number(0, node.dtype), "add")
    axes = letters(node.shape)
    count = _count(node, args[0].shape[1:-1], axes[1:-1])
    return scope.stage(node.shape, axes, call("div", read(total, points(axes)), cast(count, node.dtype)))


def _windows(node: Node, source: Tensor, scope: Scope, fill: Const, combiner: str) -> Tensor:
    space, kernel = spatial(node.shape[1:-1]), spatial(node.attrs["kernel"], "k")
    axes = [Axis("n", node.shape[0]), *space, Axis("c", node.shape[-1])]
    window = [
        place * stride + tap - before
        for place, tap, stride, (before, _) in zip(
            points(space), points(kernel), node.attrs["stride"], node.attrs["padding"], strict=True
        )
    ]
    at = [Index.of("n"), *window, Index.of("c")]
    body = read_outside(scope, source, at, [*axes, *kernel], fill)
    return scope.stage(node.shape, axes, body, reduce=kernel, combiner=combiner)


def _count(node: Node, extents: tuple[int, ...], space: tuple[Axis, ...]) -> Expr:
    """How many elements count in a window: a number where all windows agree, else by place."""
    fixed: list[int] = []
    varying: list[Expr] = []
    for axis, extent, kernel, stride, (before, after) in zip(
        space, extents, node.attrs["kernel"], node.attrs["stride"], node.attrs["padding"], strict=True
    ):
        low, high = (-before, extent + after) if node.attrs["count_include_pad"] else (0, extent)
        first = Index.of(axis.name) * stride - before
        last = (axis.extent - 1) * stride - before
        start: Expr = AxisValue(first)
        end: Expr = AxisValue(first + kernel)
        if low > -before:
            start = call("maximum", start, Const(low, "int64"))
        if high < last + kernel:
            end = call("minimum", end, Const(high, "int64"))
        if low <= -before and high >= last + kernel:
            fixed.append(kernel)
        else:
            varying.append(call("sub", end, start))
    count: Expr = Const(prod(fixed), "int64")
    if not varying:
        return number(prod(fixed), node.dtype)
    for factor in varying:
        count = factor if count == Const(1, "int64") else call("mul", count, factor)
    return count
