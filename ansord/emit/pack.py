"""Packed operands: laid out in the order in which the tiles read them.

Constants are packed once by `ansord_pack`; activations by all threads, inside the kernel, before the
group that reads them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ansord.dag import Tensor
from ansord.emit.address import c_index
from ansord.emit.ctype import CTYPES
from ansord.emit.turn import SQUARE
from ansord.emit.unit import Lines, Unit
from ansord.nest import Group, Plan, ceil
from ansord_client.expr import Load
from ansord_client.index import Index


@dataclass(frozen=True)
class Packed:
    """[blocks of each spatial axis][R0 tiles][R1][points of the block], under the C name `name`.

    `dims` runs from the slowest to the fastest: (axis, level, count), level one of block, chunk, step,
    point. What a partial block has too much holds zeros. `sizes`: per axis the points of a block, and of
    the R1 tile.
    """

    name: str
    load: Load
    tensor: Tensor
    dims: tuple[tuple[str, str, int], ...]
    sizes: Mapping[str, tuple[int, int]]
    extents: Mapping[str, int]

    @cached_property
    def strides(self) -> dict[tuple[str, str], int]:
        """Elements from one value of (axis, level) to the next."""
        result, stride = {}, 1
        for axis, level, count in reversed(self.dims):
            result[axis, level] = stride
            stride *= count
        return result

    def levels(self, axis: str) -> tuple[int, str, str]:
        """How an axis is cut: (positions of a piece, the level that counts pieces, that of positions)."""
        block, tile = self.sizes[axis]
        return (block, "block", "point") if (axis, "point") in self.strides else (tile, "chunk", "step")

    @property
    def elements(self) -> int:
        """Size of the layout, padding included."""
        axis, level, count = self.dims[0]
        return self.strides[axis, level] * count


@dataclass(frozen=True)
class Laid:
    """A tensor that is computed where its packed form lies, for those who write it: `of` holds each element
    once. Its dimensions are the axes of the packed load, in their order."""

    of: Packed

    @property
    def name(self) -> str:
        return self.of.tensor.name

    @property
    def dtype(self) -> str:
        return self.of.tensor.dtype

    def offset(self, index: Sequence[Index]) -> Index:
        """Where an element lies in the layout."""
        named = zip(self.of.load.index, index, strict=True)
        at = {axis: part for own, part in named for axis in own.axes}
        total = Index()
        for axis in self.of.sizes:
            unit, coarse, fine = self.of.levels(axis)
            total = total + at[axis] // unit * self.of.strides[axis, coarse]
            total = total + at[axis] % unit * self.of.strides[axis, fine]
        return total


def laid(packed: Packed) -> Laid | None:
    """The tensor in its packed form; None where an element is read at several places of it, or by sums."""
    extents = {Index.of(axis): packed.extents[axis] for axis in packed.sizes}
    whole = tuple(extents.get(part) for part in packed.load.index) == packed.tensor.shape
    return Laid(packed) if whole and len(extents) == len(packed.load.index) else None


def pack_layouts(group: Group, plan: Plan, tensors: Mapping[str, Tensor]) -> tuple[Packed, ...]:
    """The layouts of all loads of a group's packed operands."""
    loads = [load for load in group.stage.loads if load.tensor in group.packed]
    return tuple(
        _layout(f"{load.tensor}_{group.name}_{number}", load, tensors[load.tensor], group, plan)
        for number, load in enumerate(loads)
    )


def _layout(name: str, load: Load, tensor: Tensor, group: Group, plan: Plan) -> Packed:
    axes = frozenset().union(*(part.axes for part in load.index))
    spatial = [axis for axis in plan.spatial if axis in axes]
    reduce = [axis for axis in plan.reduce if axis in axes]
    order = list(plan.reduce)
    outer = sorted(reduce, key=lambda axis: order.index(axis) != plan.outermost)
    tiles = {axis: min(plan.reduce[axis].tile, plan.reduce[axis].extent) for axis in reduce}
    # The vector axis is the fastest, so that one vector is one load.
    vector = [*plan.spatial, *plan.reduce][plan.vector]
    points = sorted(spatial, key=lambda axis: axis == vector)
    dims = [(axis, "block", ceil(plan.spatial[axis].extent, plan.spatial[axis].block)) for axis in spatial]
    dims += [(axis, "chunk", plan.reduce[axis].chunks) for axis in outer]
    dims += [(axis, "step", tiles[axis]) for axis in reduce]
    dims += [(axis, "point", plan.spatial[axis].block) for axis in points]
    sizes = {axis: (plan.spatial[axis].block, 0) for axis in spatial}
    sizes |= {axis: (1, tiles[axis]) for axis in reduce}
    extents = {axis.name: axis.extent for axis in (*group.stage.axes, *group.stage.reduce)}
    return Packed(name, load, tensor, tuple(dims), sizes, extents)


def write_packing(packed: Packed, source: str, target: str, unit: Unit, out: Lines, *, shared: bool) -> None:
    """Fills the layout at the C pointer `target` from the tensor at `source`, first to last element.

    `shared`: inside a parallel region, where blocks and chunks are divided among the threads.
    """
    kind = CTYPES[packed.tensor.dtype].name
    turned = _turned(packed)
    *loops, (last, _, count) = (dim for dim in packed.dims if dim[:2] != (turned, "step"))
    out.open("{")
    out(f"const {kind} *restrict from = (const {kind} *){source};")
    out(f"{kind} *restrict into = ({kind} *){target};")
    if shared:
        leading = sum(level in ("block", "chunk") for _, level, _ in packed.dims)
        out(f"#pragma omp for collapse({leading}) schedule(static)")
    for axis, level, extent in loops:
        name = f"{axis}_{level}"
        out.open(f"for (long {name} = 0; {name} < {extent}; {name}++)")
    out.open("{")
    inside = _positions(packed, (last, turned), out)
    place = "".join(f" + {axis}_{level}*{packed.strides[axis, level]}L" for axis, level, _ in loops)
    out(f"{kind} *restrict to = into{place};")
    rest = packed.extents[last]
    out(f"const long filled = {inside} ? ({last} + {count} <= {rest} ? {count} : {rest} - {last}) : 0;")
    if turned is None:
        _copy(packed, last, count, out)
    else:
        _turn(packed, last, turned, count, unit, out)
    out.close()
    out.depth -= len(loops)
    out.close()


def _turned(packed: Packed) -> str | None:
    """The reduce axis along which the tensor lies in one piece, where the layout's fastest axis does not."""
    offset = packed.tensor.offset(packed.load.index)
    last, level, count = packed.dims[-1]
    if offset.divided or level != "point" or count % SQUARE or CTYPES[packed.tensor.dtype].bytes != 4:
        return None
    steps = (axis for axis, level, tile in packed.dims if level == "step" and tile >= SQUARE)
    return next((axis for axis in steps if offset.coefficient(axis) == 1 != offset.coefficient(last)), None)


def _turn(packed: Packed, last: str, turned: str, count: int, unit: Unit, out: Lines) -> None:
    """Runs of two dimensions, exchanged: squares in registers, then what is left over, and zeros."""
    bounds = {axis: (0, extent - 1) for axis, extent in packed.extents.items()}
    offset: Index = packed.tensor.offset(packed.load.index)
    apart, row = offset.coefficient(last), packed.strides[turned, "step"]
    tile, extent = packed.sizes[turned][1], packed.extents[turned]
    kind = CTYPES[packed.tensor.dtype].name
    out(f"const {kind} *at = from + {c_index(offset, bounds)};")
    out(f"const long deep = {turned} + {tile} <= {extent} ? {tile} : {extent} - {turned};")
    out(f"const long wide = filled & ~{SQUARE - 1}L, high = deep & ~{SQUARE - 1}L;")
    out(f"for (long i = 0; i < wide; i += {SQUARE}) for (long k = 0; k < high; k += {SQUARE})")
    out(f"  {unit.turn(packed.tensor.dtype)}(at + i*{apart}L + k, {apart}L, to + k*{row}L + i, {row}L);")
    out(f"for (long k = 0; k < {tile}; k++) for (long i = k < high ? wide : 0; i < {count}; i++)")
    out(f"  to[k*{row}L + i] = i < filled && k < deep ? at[i*{apart}L + k] : 0;")


def _positions(packed: Packed, runs: tuple[str | None, ...], out: Lines) -> str:
    """Declares the axes' positions (of `runs`: of their first point); gives the test that they are inside."""
    inside = []
    for axis in packed.sizes:
        unit, coarse, fine = packed.levels(axis)
        low = f"{axis}_{coarse}*{unit}L"
        out(f"const long {axis} = {low if axis in runs else f'{low} + {axis}_{fine}'};")
        if axis not in runs and packed.extents[axis] % unit:
            inside.append(f"{axis} < {packed.extents[axis]}")
    return " && ".join(inside) or "1"


def _copy(packed: Packed, last: str, count: int, out: Lines) -> None:
    """One run of the fastest dimension: `filled` elements, then zeros."""
    bounds = {axis: (0, extent - 1) for axis, extent in packed.extents.items()}
    offset: Index = packed.tensor.offset(packed.load.index)
    ctype = CTYPES[packed.tensor.dtype]
    if last in offset.divided:
        moved = offset.substitute({last: Index.of(last) + "i"})
        element = f"from[{c_index(moved, bounds | {'i': (0, count)})}]"
    else:
        step = offset.coefficient(last)
        out(f"const {ctype.name} *at = from + {c_index(offset, bounds)};")
        element = f"at[i*{step}L]"
        if step == 1:
            out(f"if (filled == {count}) __builtin_memcpy(to, at, {count * ctype.bytes});")
            out("else")
    out.open("{")
    out(f"for (long i = 0; i < filled; i++) to[i] = {element};")
    out(f"for (long i = filled; i < {count}; i++) to[i] = 0;")
    out.close()
