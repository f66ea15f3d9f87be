"""Where elements live: index forms over loop variables as C text, and layouts of packed constants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod

from ansord.dag import Tensor
from ansord.nest import Plan, ceil
from ansord_client.expr import Load
from ansord_client.index import Index, Quotient, Remainder


def c_index(index: Index, ranges: Mapping[str, tuple[int, int]]) -> str:
    """The form as a C expression of type long; `ranges` bounds its variables."""
    parts: list[str] = []
    for atom, factor in index.terms:
        text = atom if isinstance(atom, str) else _division(atom, ranges)
        text = text if abs(factor) == 1 else f"{text}*{abs(factor)}L"
        parts.append(("-" if factor < 0 else "+" if parts else "") + text)
    if index.const or not parts:
        parts.append(f"+{index.const}" if index.const >= 0 and parts else str(index.const))
    return "".join(parts)


def _division(atom: Quotient | Remainder, ranges: Mapping[str, tuple[int, int]]) -> str:
    """C rounds to zero; where the numerator may be negative it is lifted by a multiple of the divisor."""
    low, _ = atom.numerator.interval(ranges)
    lift = max(0, ceil(-low, atom.divisor))
    numerator = c_index(atom.numerator + lift * atom.divisor, ranges)
    if isinstance(atom, Remainder):
        return f"(({numerator})%{atom.divisor})"
    return f"(({numerator})/{atom.divisor}-{lift})" if lift else f"(({numerator})/{atom.divisor})"


@dataclass(frozen=True)
class Region:
    """The part of a placed stage's tensor that a thread holds: `extents` points from `origins` (variables,
    None for 0), dimension by dimension. Indices stay those of the whole tensor."""

    name: str
    dtype: str
    extents: tuple[int, ...]
    origins: tuple[str | None, ...]

    @property
    def size(self) -> int:
        """Elements."""
        return prod(self.extents)

    def offset(self, index: Iterable[Index]) -> Index:
        """The flat position, in elements, inside the region."""
        total = Index()
        for place, (part, origin) in enumerate(zip(index, self.origins, strict=True)):
            stride = prod(self.extents[place + 1 :])
            total = total + (part - Index.of(origin or 0)) * stride
        return total


@dataclass(frozen=True)
class Packed:
    """A constant laid out in tile order: [blocks of each spatial axis][R0 tiles][R1][points of the block].

    `dims` runs from the slowest to the fastest: (axis, level, count), level one of block, chunk, step,
    point; the padding of partial blocks holds zeros.
    """

    load: Load
    tensor: Tensor
    dims: tuple[tuple[str, str, int], ...]
    sizes: Mapping[str, tuple[int, int]]
    """Per axis: points of a block (or of the written-out reduce block) and of the R1 tile."""

    @property
    def elements(self) -> int:
        """Size of the layout, padding included."""
        total = 1
        for _, _, count in self.dims:
            total *= count
        return total

    def strides(self) -> dict[tuple[str, str], int]:
        """Elements from one value of (axis, level) to the next."""
        result, stride = {}, 1
        for axis, level, count in reversed(self.dims):
            result[axis, level] = stride
            stride *= count
        return result


def pack_layout(load: Load, tensor: Tensor, plan: Plan) -> Packed:
    """The layout of `load` for these tiles: sequential in the order in which the loops read it."""
    axes = frozenset().union(*(part.axes for part in load.index))
    spatial = [name for name in plan.spatial if name in axes]
    reduce = [name for name in plan.reduce if name in axes]
    outer = sorted(reduce, key=lambda name: list(plan.reduce).index(name) != plan.outermost)
    dims = [(name, "block", ceil(plan.spatial[name].extent, plan.spatial[name].block)) for name in spatial]
    dims += [(name, "chunk", plan.reduce[name].chunks) for name in outer]
    dims += [(name, "step", min(plan.reduce[name].tile, plan.reduce[name].extent)) for name in reduce]
    # The vector axis is the fastest, so that one vector is one load.
    vector = [*plan.spatial, *plan.reduce][plan.vector]
    points = sorted(spatial, key=lambda name: name == vector)
    dims += [(name, "point", plan.spatial[name].block) for name in points]
    sizes = {name: (plan.spatial[name].block, 0) for name in spatial}
    sizes |= {name: (1, min(plan.reduce[name].tile, plan.reduce[name].extent)) for name in reduce}
    return Packed(load, tensor, tuple(dims), sizes)
