"""Where the stages of one subgraph are collected, and how expansions read.

Called by the expansions alone. Names every tensor; drops loops that do not loop; never looks at what an op
means.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import numpy as np

from ansord.dag.dag import Axis, Stage, Tensor
from ansord.dag.words import call, choose, compare, letters, number, points, ranges
from ansord_client.expr import Call, Const, Expr, Load, at, reindex
from ansord_client.index import Index

Operand = Tensor | Const
"""What an op reads: a tensor, or a number that already has the dtype of the tensors beside it."""


class Scope:
    """The stages made so far, in topological order."""

    def __init__(self) -> None:
        self.stages: list[Stage] = []

    def stage(
        self,
        shape: Sequence[int],
        axes: Sequence[Axis],
        body: Expr,
        *,
        reduce: Sequence[Axis] = (),
        combiner: str | None = None,
        index: Sequence[Index] | None = None,
        units: Sequence[tuple[str, int]] = (),
    ) -> Tensor:
        """Appends one stage and gives its tensor; a reduction over nothing but single points is a map.

        `index` is the element written; without it `axes` are those of `shape`, in order. Axes of extent 1
        are dropped, but where a map has them as the index of a dimension: there each dimension keeps one.
        """
        where = points(axes) if index is None else tuple(index)
        reduced = tuple(axis for axis in reduce if axis.extent > 1)
        if combiner == "add" and not reduced and isinstance(body, Call) and body.op == "mul":
            body = _from_zero(body)
        single = {axis.name: Index() for axis in (*axes, *reduce) if axis.extent == 1}
        kept = set() if reduced else {axis.name for axis in axes if Index.of(axis.name) in where}
        looped = tuple(axis for axis in axes if axis.extent > 1 or axis.name in kept)
        bounds = ranges(*looped, *reduced)
        tensor = Tensor(f"s{len(self.stages)}", tuple(shape), body.dtype)
        stage = Stage(
            tensor,
            looped,
            reindex(at(body, single), lambda part: part.simplify(bounds)),
            reduced,
            combiner if reduced else None,
            tuple(part if part.axes <= kept else part.substitute(single) for part in where),
            tuple(units),
        )
        self.stages.append(stage)
        return tensor


def _from_zero(product: Call) -> Expr:
    """A sum of one product starts at zero as any other does: it is never -0."""
    return call("add", product, number(0, product.dtype)) if product.dtype.startswith("float") else product


def spatial(shape: Sequence[int], prefix: str = "") -> tuple[Axis, ...]:
    """The axes of one to six spatial dimensions: w, or h and w, or d, h and w …"""
    names = "xyzdhw"[-len(shape) :]
    return tuple(Axis(prefix + name, extent) for name, extent in zip(names, shape, strict=True))


def read(operand: Operand, index: Sequence[Index]) -> Expr:
    """The element of an operand at an index of equal or higher rank, by NumPy's broadcasting."""
    if isinstance(operand, Const):
        return operand
    aligned = index[len(index) - len(operand.shape) :]
    parts = (part if extent > 1 else Index() for part, extent in zip(aligned, operand.shape, strict=True))
    return Load(operand.name, tuple(parts), operand.dtype)


def lowest(dtype: str) -> Const:
    """What `maximum` leaves everything else untouched by."""
    return number(-inf if dtype.startswith("float") else int(np.iinfo(dtype).min), dtype)


def read_outside(
    scope: Scope, source: Tensor, index: Sequence[Index], axes: Sequence[Axis], fill: Const
) -> Expr:
    """Reads `source` at an index over `axes` that may lie outside it, where the value is `fill`."""
    bounds = ranges(*axes)
    around, lows = surrounded(scope, source, [part.interval(bounds) for part in index], fill)
    return read(around, [part - low for part, low in zip(index, lows, strict=True)])


def surrounded(
    scope: Scope, source: Tensor, spans: Sequence[tuple[int, int]], fill: Const
) -> tuple[Tensor, tuple[int, ...]]:
    """A tensor that has everything from first to last of `spans`, and where in `source` it begins.

    Appends a stage with a copy of that window, no larger, `fill` around it, unless all of it is inside.
    """
    if all(low >= 0 and high < extent for (low, high), extent in zip(spans, source.shape, strict=True)):
        return source, (0,) * len(spans)
    window = letters([high - low + 1 for low, high in spans])
    inside: list[Index] = []
    conditions: list[Expr] = []
    for axis, (low, high), extent in zip(window, spans, source.shape, strict=True):
        inside.append(Index.of(axis.name) + low)
        if low < 0:
            conditions.append(compare("greater_equal", Index.of(axis.name), -low))
        if high >= extent:
            conditions.append(compare("less", Index.of(axis.name), extent - low))
    copy = scope.stage(
        [axis.extent for axis in window],
        window,
        choose(conditions, Load(source.name, tuple(inside), source.dtype), fill),
    )
    return copy, tuple(low for low, _ in spans)
