"""The stages of a Winograd convolution, one transform each: forward, of the weights, and backward.

A pass transforms up to two windows at once; its points are one axis, the first of what it makes, and have an
expression each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

from ansord.dag.choice import choice
from ansord.dag.dag import Axis, Stage, Tensor
from ansord.dag.rewrite.correlation import Window
from ansord.dag.rewrite.interpolation import (
    Interpolation,
    Matrix,
    by_columns,
    by_rows,
    combination,
)
from ansord.dag.words import cast
from ansord_client.expr import Expr, Load
from ansord_client.index import Index


@dataclass(frozen=True)
class Tiles:
    """One window cut into tiles, each of which has m results and takes a products."""

    window: Window
    matrices: Interpolation

    @property
    def results(self) -> int:
        """m"""
        return self.matrices.results

    @property
    def products(self) -> int:
        """a"""
        return self.matrices.products

    @property
    def axis(self) -> Axis:
        """Counts the tiles; the last may be partial."""
        return Axis(f"t{self.window.space.name}", -(-self.window.space.extent // self.results))


Pass = tuple[Tiles, ...]
"""The windows that are transformed together."""
Transform = Callable[[Matrix, Sequence[Expr]], list[Expr]]
Dimension = Axis | None
"""What runs over a dimension of a tensor; None where it has one place."""


def forward(name: str, number: int, together: Pass, source: Tensor, dimensions: Sequence[Dimension]) -> Stage:
    """Tiles of the source for its windows, after the axis of their points."""
    tiled = {one.window.space.name: one for one in together}

    def read(offsets: tuple[int, ...]) -> Expr:
        place = dict(zip(tiled, offsets, strict=True))

        def at(axis: Dimension) -> Index:
            one = tiled.get(axis.name) if axis else None
            if axis is None or one is None:
                return Index.of(axis.name) if axis else Index()
            return Index.of(one.axis.name) * one.results + place[axis.name] + one.window.first

        return Load(source.name, tuple(map(at, dimensions)), source.dtype)

    counts = [one.products for one in together]
    values = along(read, counts, [one.matrices.forward for one in together], by_rows)
    rest = [tiled[axis.name].axis if axis.name in tiled else axis for axis in dimensions if axis]
    return _points(name, number, values, rest, source.dtype)


def weighted(
    name: str, number: int, together: Pass, weight: Tensor, dimensions: Sequence[Dimension], dtype: str
) -> Stage:
    """The weights' taps replaced by points, computed in float64, stored as `dtype`."""
    taps = [one.window.tap.name for one in together]

    def read(offsets: tuple[int, ...]) -> Expr:
        place = dict(zip(taps, offsets, strict=True))
        index = tuple(Index.of(place.get(a.name, a.name)) if a else Index() for a in dimensions)
        return cast(Load(weight.name, index, weight.dtype), "float64")

    counts = [one.window.tap.extent for one in together]
    values = along(read, counts, [one.matrices.weights for one in together], _plainly)
    rest = [axis for axis in dimensions if axis and axis.name not in taps]
    return _points(name, number, [cast(value, dtype) for value in values], rest, dtype)


def backward(name: str, together: Pass, products: Stage) -> Stage:
    """The results of the tiles, from products whose first axis are the points."""
    tiled = {one.axis.name: one for one in together}
    _, *axes = products.axes

    def read(point: tuple[int, ...]) -> Expr:
        flat = 0
        for one, place in zip(together, point, strict=True):
            flat = flat * one.products + place
        index = [Index.of(flat)]
        for axis in axes:
            cut = tiled.get(axis.name)
            index.append(Index.of(cut.window.space.name) // cut.results if cut else Index.of(axis.name))
        return Load(products.name, tuple(index), products.tensor.dtype)

    counts = [one.products for one in together]
    values = along(read, counts, [one.matrices.inverse for one in together], by_columns)
    chosen = Index()
    for one in together:
        chosen = chosen * one.results + Index.of(one.window.space.name) % one.results
    spaces = tuple(tiled[axis.name].window.space if axis.name in tiled else axis for axis in axes)
    tensor = Tensor(name, tuple(axis.extent for axis in spaces), products.tensor.dtype)
    units = tuple((one.window.space.name, one.results) for one in together)
    return Stage(tensor, spaces, choice(chosen, values), units=units)


def along(
    read: Callable[[tuple[int, ...]], Expr],
    extents: Sequence[int],
    matrices: Sequence[Matrix],
    transform: Transform,
) -> list[Expr]:
    """A transform along every dimension of what `read` gives, first dimension slowest."""
    values = {place: read(place) for place in product(*map(range, extents))}
    for dimension, matrix in enumerate(matrices):
        lines: dict[tuple[int, ...], list[Expr]] = {}
        for place, value in values.items():
            lines.setdefault(place[:dimension] + place[dimension + 1 :], []).append(value)
        values = {
            (*rest[:dimension], row, *rest[dimension:]): value
            for rest, line in lines.items()
            for row, value in enumerate(transform(matrix, line))
        }
    return [values[place] for place in sorted(values)]


def _points(name: str, number: int, values: Sequence[Expr], rest: Sequence[Axis], dtype: str) -> Stage:
    points = Axis(f"e{number}", len(values))
    axes = (points, *rest)
    tensor = Tensor(name, tuple(axis.extent for axis in axes), dtype)
    return Stage(tensor, axes, choice(Index.of(points.name), values), units=((points.name, points.extent),))


def _plainly(matrix: Matrix, values: Sequence[Expr]) -> list[Expr]:
    return [combination(row, values) for row in matrix]
