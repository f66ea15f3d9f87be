"""Where a point of a register block stands: block coordinates as forms over loop variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from ansord.dag import Tensor
from ansord.emit.address import Region
from ansord.emit.pack import Laid, Packed
from ansord.nest import Block, Side
from ansord_client.expr import Load
from ansord_client.index import Index

Point = Mapping[str, int]
"""A position inside the block for every axis; along the vector axis the number of the vector."""
Bounds = Mapping[str, tuple[int, int]]
LANE = "lane"
"""A variable that no loop has."""
Grains = tuple[tuple[str, int], ...]
"""Axes, and the steps in which they matter."""


@dataclass(frozen=True)
class Scope:
    """What the loops around a group have fixed: the same for all its blocks.

    `bounds`: inclusive, of every loop variable that may be met. `starts`: per reduce axis the variable of
    its outer loop, for packed addresses. `origins`: per axis of a placed group the variable at which its
    region begins. `units`: per axis the number of which every block's corner is a multiple.
    """

    tensors: Mapping[str, Tensor | Region | Laid]
    packed: Mapping[Load, Packed]
    bounds: Bounds
    starts: Mapping[str, str | None]
    origins: Mapping[str, str]
    units: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Frame:
    """One register block in its scope."""

    block: Block
    scope: Scope

    @cached_property
    def sides(self) -> dict[str, Side]:
        """The block's sides by axis."""
        return {side.axis: side for side in (*self.block.spatial, *self.block.reduce)}

    @property
    def reduces_lanes(self) -> bool:
        """Whether the vector axis is a reduce axis: lanes are partial results."""
        return any(side.axis == self.block.vector for side in self.block.reduce)

    def position(self, axis: str, point: Point, lane: int | None) -> int:
        """The distance of the point (of one lane of it) from the block's corner."""
        if axis != self.block.vector:
            return point[axis]
        return point[axis] * self.sides[axis].lanes + (lane or 0)

    def filled(self, point: Point) -> int:
        """Lanes of the point's vector that are inside the axis."""
        if self.block.vector is None:
            return 1
        side = self.sides[self.block.vector]
        return min(side.lanes, side.points - point[side.axis] * side.lanes)

    def cell(self, grains: Grains, point: Point) -> tuple[int | None, ...]:
        """Equal for points that what depends on its axes so coarsely cannot tell apart."""
        units, vector = self.scope.units, self.block.vector
        return tuple(
            point[axis] // grain if axis != vector and units.get(axis, 1) % grain == 0 else point[axis]
            for axis, grain in grains
            if axis in point
        )

    def flat(self, index: Index, point: Point, lane: int | None = None) -> Index:
        """A form over axes at the point, as a form over loop variables."""
        places = {axis: self.position(axis, point, lane) for axis in index.axes & self.sides.keys()}
        turning = index.divided & places.keys()
        key = (index, *(places[axis] for axis in sorted(turning)))
        form = self._known.get(key)
        if form is None:
            form = self._known[key] = self._flat(index, places | dict.fromkeys(places.keys() - turning, 0))
        # Along the other axes a form is a straight line.
        return form + sum(
            f * places[a] for a, f in index.terms if isinstance(a, str) and a in places and a not in turning
        )

    def step(self, index: Index, point: Point) -> int | None:
        """How far apart a form's values lie from lane to lane of the point's vector; None where unevenly."""
        if self.block.vector not in index.divided:
            return index.coefficient(self.block.vector) if self.block.vector else 0
        turning = sorted(index.divided & self.sides.keys())
        key = (index, self.filled(point), *(point[axis] for axis in turning))
        if key not in self._steps:
            self._steps[key] = self._even_step(index, point)
        return self._steps[key]

    def _even_step(self, index: Index, point: Point) -> int | None:
        """By one form over the lane; where that does not tell, by the forms of all lanes."""
        vector, filled = self.block.vector, self.filled(point)
        assert vector is not None
        places = {axis: Index.of(self.position(axis, point, None)) for axis in index.axes & self.sides.keys()}
        form = self._flat(index, {**places, vector: places[vector] + LANE}, {LANE: (0, filled - 1)})
        if LANE not in form.divided:
            return form.coefficient(LANE)
        first, *rest = (self.flat(index, point, lane) for lane in range(filled))
        step = rest[0].const - first.const if rest else 0
        return step if all(form == first + lane * step for lane, form in enumerate(rest, 1)) else None

    def even(self, form: Index, by: int) -> bool:
        """Whether a form and the lanes of a vector are multiples of a number, whatever the loops do."""
        assert self.block.vector is not None
        side = self.sides[self.block.vector]
        steps = (factor * (side.lanes if atom == side.var else 1) for atom, factor in form.terms)
        return all(number % by == 0 for number in (*steps, form.const, side.lanes))

    @cached_property
    def _known(self) -> dict[tuple[object, ...], Index]:
        return {}

    @cached_property
    def _steps(self) -> dict[tuple[object, ...], int | None]:
        return {}

    def _flat(self, index: Index, places: Mapping[str, int | Index], more: Bounds | None = None) -> Index:
        if not index.divided:
            return self._plain(index, places)
        values = {axis: self._corner(axis) + place for axis, place in places.items()}
        moved = index.substitute(values)
        units = {
            f"{var}/{unit}": (var, unit)
            for axis, unit in self.scope.units.items()
            if axis in values and (var := self.sides[axis].var)
        }
        # unit * (var / unit) is the variable itself, a multiple of the unit.
        terms = []
        for atom, factor in moved.terms:
            var, unit = units.get(atom, ("", 0)) if isinstance(atom, str) else ("", 0)
            terms.append((var, factor // unit) if unit and factor % unit == 0 else (atom, factor))
        wholes = {name: Index.of(var) // unit for name, (var, unit) in units.items()}
        bounds = {**self.scope.bounds, **(more or {})}
        return Index.linear(moved.const, terms).substitute(wholes).simplify(bounds)

    def _plain(self, index: Index, places: Mapping[str, int | Index]) -> Index:
        """A form without divisions."""
        whole = Index(index.const)
        terms = []
        for atom, factor in index.terms:
            assert isinstance(atom, str)
            if atom in places:
                whole = whole + places[atom] * factor
                names = (self.sides[atom].var, self.scope.origins.get(atom))
                terms += [(name, factor) for name in names if name]
            else:
                terms.append((atom, factor))
        return whole + Index.linear(0, terms)

    def _corner(self, axis: str) -> Index:
        var = self.sides[axis].var
        if var and axis in self.scope.units:
            # A multiple, so that divisions of the points around it come out even; undone in `flat`.
            return Index.of(f"{var}/{self.scope.units[axis]}") * self.scope.units[axis]
        corner = Index.of(var or 0)
        return corner + self.scope.origins[axis] if axis in self.scope.origins else corner

    def packed_at(self, packed: Packed, point: Point, lane: int | None) -> tuple[Index, int, int]:
        """Where a packed operand's element lies: a form, a constant, and elements from lane to lane."""
        base, const, step = Index(), 0, 0
        for axis, (block, tile) in packed.sizes.items():
            var = self.sides[axis].var
            if (axis, "point") in packed.strides:
                base = base + scaled(var, block, packed.strides[axis, "block"])
                stride = packed.strides[axis, "point"]
            else:
                start = self.scope.starts.get(axis)
                base = base + scaled(start, tile, packed.strides.get((axis, "chunk"), 0))
                stride = packed.strides[axis, "step"]
                base = base + (Index.of(var or 0) - (start or 0)) * stride
            const += self.position(axis, point, lane) * stride
            if axis == self.block.vector:
                step = stride
        return base, const, step


def scaled(var: str | None, unit: int, stride: int) -> Index:
    """(var / unit) * stride, for a variable that is a multiple of the unit."""
    if var is None:
        return Index()
    return Index.of(var) * (stride // unit) if stride % unit == 0 else (Index.of(var) // unit) * stride
