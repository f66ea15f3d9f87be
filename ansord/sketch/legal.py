"""What may be built: one boolean array expression per rule, over the rows of one sketch."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from ansord.nest import (
    SIZES,
    Group,
    Number,
    Plan,
    Rows,
    Space,
    Spatial,
    Target,
    accesses,
    ceil,
    distinct,
    lane_work,
    operations,
    product,
    regions,
    vector_axes,
)
from ansord_client.expr import Call, walk

STATEMENTS = 1200
"""C statements of one group, all its texts together: about 0.2 s of gcc. One scalar may always be done."""
CORNERED = 1600
"""The same where two axes have partial blocks: four texts of a block that fills the registers."""
RAGGED = 2
"""Axes that may have a partial block: each doubles the texts of the block."""
TILE_BYTES = 1 << 20
"""Accumulators in memory, per thread: more would not stay in L2."""
PADDED = 4
"""A packed constant may not be larger than this many times the constant."""


@dataclass(frozen=True)
class Size:
    """The register block of a group: vectors (or scalars) that are accumulators, and C statements.

    `least`: the statements of one scalar, as few as there can be; where it chooses by place, of
    one vector of each of them.
    """

    accumulators: Number
    statements: Number
    ragged: Number
    least: Number

    @property
    def most(self) -> Number:
        """The cap on its statements."""
        return np.maximum(np.where(np.asarray(self.ragged) > 1, CORNERED, STATEMENTS), self.least)


def size(space: Space, group: Group, tiles: Plan) -> Size:
    """Register block and text size of every row."""
    accumulators = product(ceil(np.minimum(a.block, a.extent), a.lanes) for a in tiles.spatial.values())
    written = product(
        np.where(_wide(a.lanes), 1, np.minimum(a.block, a.extent)) for a in tiles.reduce.values()
    )
    each = np.maximum(_vector_reduce(tiles), 1)
    partial = {n: _partial(a) for n, a in tiles.spatial.items() if group.stage.unit(n) is None}
    ragged = sum(np.asarray(vectors > 0).astype(int) for vectors in partial.values())
    # Of all texts together: whole and partial blocks of each axis with those of the others.
    written_out = product(
        ceil(np.minimum(a.block, a.extent), a.lanes) + partial.get(name, 0)
        for name, a in tiles.spatial.items()
    )
    axes = (*group.stage.axes, *group.stage.reduce)
    units = {name: group.stage.unit(name) or 1 for name, _ in group.stage.units}
    per_point: Number = operations(group) + 1
    for access in accesses(group):
        # Where no constant step is known along the vector axis, lanes are expressions of their own.
        grains = [0 if access.step(axis.name) is not None else access.grain(axis.name) for axis in axes]
        grain = np.asarray(grains or [0])[np.minimum(tiles.vector, max(len(grains) - 1, 0))]
        apart = prod(unit for name, unit in units.items() if name not in access.axes)
        different = np.where(grain, ceil(tiles.lanes, np.maximum(grain, 1)), 1)
        per_point = per_point + different * access.count / apart
    choices = np.asarray(lane_work(group) or (0,))[np.minimum(tiles.vector, max(len(axes) - 1, 0))]
    per_point = per_point + np.where(_wide(tiles.lanes), choices * tiles.lanes, 0)
    epilogue = 2 + sum(isinstance(n, Call) for stage in group.epilogue for n in walk(stage.body))
    statements = written_out * (each * (written * per_point + 2) + epilogue)
    least = operations(group) + 1 + len(accesses(group)) + 2 + epilogue
    if units:
        least = 2**ragged * prod(units.values()) * (per_point + 2 + epilogue)
    return Size(accumulators * each, statements, ragged, least)


def _partial(axis: Spatial) -> Number:
    """Vectors (or scalars) of the partial block at an axis's end; 0 without one."""
    return np.where(axis.extent > axis.block, ceil(axis.extent % axis.block, axis.lanes), 0)


def _wide(lanes: Number) -> Number:
    return np.asarray(lanes) > 1


def _vector_reduce(tiles: Plan) -> Number:
    """Vectors of the vectorised reduce axis; 0 without one."""
    result: Number = 0
    for axis in tiles.reduce.values():
        vectors = ceil(np.minimum(axis.block, axis.extent), axis.lanes)
        result = result + np.where(_wide(axis.lanes), vectors, 0)
    return result


def registers(target: Target, group: Group) -> int:
    """Vectors that one block may hold. What is a choice among the points of its block stores each of them at
    once: one of each is always allowed."""
    stage = group.stage
    return max(target.registers - 2, prod(stage.unit(name) or 1 for name, _ in stage.units))


def legal(space: Space, rows: Rows) -> NDArray[np.bool_]:
    """Which rows, of any numbers, are programs that may be built."""
    return _good(space, rows)[1]


def usable(space: Space, rows: Rows, known: set[bytes] | None = None) -> Rows:
    """The programs among rows of any numbers: in canonical form, legal, without doubles and those `known`."""
    clean, good = _good(space, rows)
    return distinct(clean[good], known)


def _good(space: Space, rows: Rows) -> tuple[Rows, NDArray[np.bool_]]:
    """The rows in canonical form, and which of them are legal."""
    clean, nests = space.cleaned(rows)
    good = np.ones(len(rows), dtype=bool)
    for nest, where, plans in nests:
        for group in nest.within:
            good[where] &= _legal_group(space, group, plans[group.name], len(where))
            good[where] &= _regions_fit(group, plans[group.name], len(where))
    return clean, good


def _regions_fit(group: Group, tiles: Plan, count: int) -> NDArray[np.bool_]:
    """Whether the regions of the stages placed in a group stay small enough for one thread."""
    if not group.placed:
        return np.ones(count, dtype=bool)
    spans = regions(group, tiles)
    held: Number = 0
    for placed in group.placed:
        stage = placed.group.stage
        points = product(span.extent for span in spans[stage.name].values())
        held = held + points * SIZES[stage.tensor.dtype]
    return np.broadcast_to(np.asarray(held) <= TILE_BYTES, count)


def _legal_group(space: Space, group: Group, tiles: Plan, count: int) -> NDArray[np.bool_]:
    block = size(space, group, tiles)
    wide = np.broadcast_to(tiles.lanes > 1, count)
    most = registers(space.target, group)
    ok = block.accumulators <= np.where(wide, most, most if group.stage.units else 8)
    ok &= block.statements <= block.most
    ok &= block.ragged <= RAGGED
    for axis in tiles.reduce.values():
        ok &= _wide(axis.lanes) | (np.asarray(axis.extent % axis.block) == 0)
    candidates = vector_axes(group)
    ok &= np.isin(np.broadcast_to(tiles.vector, count), candidates) if candidates else ~wide
    memory = np.broadcast_to(tiles.through_memory, count)
    ok &= ~(memory & (_vector_reduce(tiles) > 0))
    element = SIZES[group.stage.tensor.dtype]
    ok &= ~memory | (product(a.middle for a in tiles.spatial.values()) * element <= TILE_BYTES)
    ok &= np.broadcast_to(_packed_sizes(group, tiles), count)
    return np.broadcast_to(ok, count)


def _packed_sizes(group: Group, tiles: Plan) -> Number:
    """Whether no packed constant grows too much by padding and repetition."""
    ok: Number = True
    for load in group.stage.loads:
        if load.tensor not in group.packed:
            continue
        axes = frozenset().union(*(part.axes for part in load.index))
        elements = product(a.covered for name, a in tiles.spatial.items() if name in axes)
        elements = elements * product(a.extent for name, a in tiles.reduce.items() if name in axes)
        once = product(a.extent for name, a in tiles.spatial.items() if name in axes)
        once = once * product(a.extent for name, a in tiles.reduce.items() if name in axes)
        ok = ok & (elements <= PADDED * once)
    return ok
