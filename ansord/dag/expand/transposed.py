"""Transposed convolutions without multiplications by inserted zeros: one dense convolution per phase.

y[o] sums x[i] · w[k] over i·stride + k·dilation = o + before. With g = gcd(stride, dilation), S = stride / g
and D = dilation / g, only the places where g divides o + before get anything, and there, with
u = (o + before) / g, the taps are k = (u / D mod S) + S·t and the elements i = (u - D·k) / S.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd

from ansord.dag.dag import Axis, Tensor
from ansord.dag.expand.scope import (
    Scope,
    call,
    cast,
    choose,
    compare,
    number,
    read,
    read_outside,
    spatial,
)
from ansord_client.expr import Expr
from ansord_client.graph import Node
from ansord_client.index import Index


@dataclass(frozen=True)
class Dimension:
    """One spatial dimension: the axes of the stage, and what it reads there."""

    phase: Axis
    step: Axis
    taps: Axis
    place: Index
    source: Index
    tap: Index
    remainder: Index
    """Zero where there is anything to add."""


def transposed(node: Node, args: tuple[Tensor, Tensor], scope: Scope) -> Tensor:
    """A place o is step · stride + phase where the stride divides the extent, else o itself.

    The phases stand before the steps: between them only weights change. Taps that a phase lacks are zeros
    appended to the kernel (to the weights, which are laid out once), never to the data.
    """
    source, weight = args
    *kernel, inner, outer = weight.shape
    space = [
        _dimension(axis, tap, stride, dilation, before)
        for axis, tap, stride, dilation, (before, _) in zip(
            spatial(node.shape[1:-1]),
            spatial(kernel, "k"),
            node.attrs["stride"],
            node.attrs["dilation"],
            node.attrs["padding"],
            strict=True,
        )
    ]
    axes = [
        Axis("n", node.shape[0]),
        *(dimension.phase for dimension in space),
        *(dimension.step for dimension in space),
        Axis("o", outer),
    ]
    reduce = [*(dimension.taps for dimension in space), Axis("c", inner)]
    n, o, c = Index.of("n"), Index.of("o"), Index.of("c")
    every = [*axes, *reduce]
    place = [n, *(dimension.place for dimension in space), o]
    at = [n, *(dimension.source for dimension in space), c]
    x = read_outside(scope, source, at, every, number(0, source.dtype))
    taps = [*(dimension.tap for dimension in space), c, o]
    w = read_outside(scope, weight, taps, every, number(0, weight.dtype))
    product = call("mul", cast(x, node.dtype), cast(w, node.dtype))
    result = scope.stage(node.shape, axes, product, reduce=reduce, combiner="add", index=place)
    gaps: list[Expr] = [
        compare("equal", dimension.remainder, 0) for dimension in space if dimension.remainder != Index()
    ]
    if not gaps:
        return result
    return scope.stage(
        node.shape, axes, choose(gaps, read(result, place), number(0, node.dtype)), index=place
    )


def _dimension(axis: Axis, taps: Axis, stride: int, dilation: int, before: int) -> Dimension:
    common = gcd(stride, dilation)
    every, apart = stride // common, dilation // common
    if axis.extent % stride == 0:
        phase, step = Axis(f"p{axis.name}", stride), Axis(axis.name, axis.extent // stride)
    else:
        phase, step = Axis(f"p{axis.name}", 1), axis
    place = Index.of(step.name) * phase.extent + (phase.name if phase.extent > 1 else 0)
    reached = (place + before) // common
    first = (reached * pow(apart, -1, every)) % every if every > 1 else Index()
    # Without dilation the first tap is what the division leaves over; said so, it stays one division.
    start = reached // every if apart == 1 else (reached - first * apart) // every
    return Dimension(
        phase=phase,
        step=step,
        taps=Axis(taps.name, -(-taps.extent // every)),
        place=place,
        source=start - Index.of(taps.name) * apart,
        tap=first + Index.of(taps.name) * every,
        remainder=(place + before) % common,
    )
