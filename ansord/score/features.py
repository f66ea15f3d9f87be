"""The named, versioned table of features: for every statement of every row, by array operations.

Sizes enter as logarithms to base 2 and relative to what the statement needs at least or to what the machine
has, so that rows of different tasks can be compared. Computed per statement for the rows of all sketches
that share it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from ansord.nest import Number, Plan, Rows, Space, regions
from ansord.score.cost import (
    L2_BYTES,
    L3_BYTES,
    MEMORY_BYTES,
    Column,
    Sharing,
    Tiles,
    sharing,
    tiles_of,
    traffic,
    work,
)
from ansord.score.statement import Statement, Table, depth, statements

VERSION = 3
OLDER = {2: 2}
"""Earlier versions that may still be read, and how many of the last columns they lack: knobs that were 0."""
NAMES = (
    # the estimate and its parts
    "share", "efficiency", "compute", "l2", "l3", "memory", "region",
    # the register block
    "slots", "row", "rows", "fill", "loads", "broadcasts", "spilled", "through_memory", "written",
    # vectors
    "lanes", "vector_reduce", "gathers", "waste", "ragged",
    # loops and threads
    "steps", "rounds", "blocks", "tiles", "chunks", "balance", "parallel", "first", "outermost", "unroll",
    "pin",
    # caches: the tile of each level against them
    "strip_l1", "middle_l1", "middle_l2", "column_l2", "outer_l2", "outer_l3", "intensity_l1", "intensity_l2",
    "crowd_strip", "crowd_middle", "pages_strip", "pages_middle",
    # what kind of statement this is
    "ideal", "work", "finish", "library", "reads", "packed", "fly", "placed", "reach", "tiled", "groups",
    # stores past the caches, loads ahead of their use
    "stream", "prefetch",
)  # fmt: skip
"""Per statement. Meanings where they are computed, in `_columns`."""
F = {name: place for place, name in enumerate(NAMES)}


@dataclass(frozen=True)
class Judged:
    """Rows seen statement by statement. `features` [statements of all rows, NAMES]; `row` says whose each is,
    `cycles` what it costs on paper; `total` [rows] the cycles of whole programs."""

    features: Table
    row: NDArray[np.int64]
    cycles: Column
    total: Column


def judge(space: Space, rows: Rows) -> Judged:
    """Features and estimates of all statements of these rows; statements of one row are not adjacent."""
    parts, owners, costs = [], [], []
    total = np.zeros(len(rows), np.float32)
    groups = np.array([len(sketch.everywhere) for sketch in space.sketches], np.float32)
    for found, where, plan, host in _plans(space, rows):
        columns, cycles = _columns(space, found, plan, host, len(where))
        columns[:, F["groups"]] = groups[rows[where, 0]]
        total[where] += cycles
        parts.append(columns)
        owners.append(where)
        costs.append(cycles)
    if not parts:
        empty = np.empty(0, np.float32)
        return Judged(np.empty((0, len(NAMES)), np.float32), np.empty(0, np.int64), empty, empty)
    table, owner, cost = np.concatenate(parts), np.concatenate(owners), np.concatenate(costs)
    table[:, F["share"]] = np.log2(cost / total[owner])
    return Judged(table, owner, cost, total)


def paper_cycles(space: Space, rows: Rows) -> Column:
    """The estimate of whole programs alone, in cycles."""
    return judge(space, rows).total


@dataclass(frozen=True)
class _Host:
    """The plan and the matrices of the group in which a statement is placed."""

    plan: Plan
    tiles: Tiles
    sharing: Sharing


def _plans(space: Space, rows: Rows) -> Iterator[tuple[Statement, Rows, Plan, _Host | None]]:
    """Each statement with the positions of its rows and their tiles; placed ones with their host's."""
    blocks = dict(space.blocks(rows))
    shared: dict[int, tuple[Statement, list[int]]] = {}
    for sketch in blocks:
        for one in _known(space)[sketch]:
            shared.setdefault(id(one), (one, []))[1].append(sketch)
    made: dict[tuple[str, int], tuple[Plan, Rows]] = {}
    for one, sketches in shared.values():
        where = np.concatenate([blocks[sketch] for sketch in sketches])
        if one.host is None:
            plan = space.plan(one.group, rows[where])
            start = 0
            for sketch in sketches:
                made[one.group.name, sketch] = plan, np.arange(start, start + len(blocks[sketch]))
                start += len(blocks[sketch])
            yield one, where, plan, None
        else:
            # All these sketches have the one host, so its plan is one for all of them.
            theirs = [made[one.host.name, sketch] for sketch in sketches]
            host = _taken(theirs[0][0], np.concatenate([place for _, place in theirs]))
            spans = regions(one.host, host)[one.group.name]
            extents = {axis: span.extent for axis, span in spans.items()}
            plan = space.plan(one.group, rows[where], extents)
            tiles = tiles_of(host, len(where))
            yield one, where, plan, _Host(host, tiles, sharing(host, tiles, space.target))


def _known(space: Space) -> list[tuple[Statement, ...]]:
    if "statements" not in space.notes:
        space.notes["statements"] = [statements(sketch) for sketch in space.sketches]
    found: list[tuple[Statement, ...]] = space.notes["statements"]
    return found


def _taken(plan: Plan, where: Rows) -> Plan:
    """The plan of some of its rows."""

    def some(value: Number) -> Number:
        return value[where] if isinstance(value, np.ndarray) and value.ndim else value

    def side(axis: object) -> object:
        return type(axis)(*(some(getattr(axis, f.name)) for f in fields(axis)))  # type: ignore[arg-type]

    spatial = {name: side(axis) for name, axis in plan.spatial.items()}
    reduce = {name: side(axis) for name, axis in plan.reduce.items()}
    rest = (some(getattr(plan, f.name)) for f in fields(plan)[2:])
    return Plan(spatial, reduce, *rest)  # type: ignore[arg-type]


def _columns(
    space: Space, of: Statement, plan: Plan, host: _Host | None, count: int
) -> tuple[Table, Column]:
    """[count, NAMES] and the cycles of one statement."""
    target = space.target
    tiles = tiles_of(plan, count)
    done, went = work(of, tiles, target), traffic(of, tiles, target)
    shares = sharing(plan, tiles, target)
    times: Number = np.float32(1)
    if host is not None:
        times = host.tiles.runs[{1: 4, 2: 3, 3: 2}[depth(of.level)]]
        shares = host.sharing
    compute = done.cycles * times
    l2 = went.moved[0] * times / L2_BYTES
    l3 = went.moved[1] * times / L3_BYTES
    far = went.moved[2] * times / MEMORY_BYTES
    fly = done.fly
    busy = np.maximum(compute + fly, np.maximum(l2, l3)) + 0.3 * (compute + fly + l2 + l3)
    region = shares.region if host is None else 0
    cycles = (busy / shares.threads + far + region).astype(np.float32)

    lanes = target.lanes(of.itemsize)
    ideal = of.ideal / lanes
    spatial = len(plan.spatial)
    wide = tiles.lanes > 1
    out = np.empty((count, len(NAMES)), np.float32)

    def put(**columns: Number) -> None:
        for name, value in columns.items():
            out[:, F[name]] = value

    log = np.log2
    put(
        efficiency=log(ideal / cycles), compute=log(ideal / compute), l2=log(1 + l2 / ideal),
        l3=log(1 + l3 / ideal), memory=log(1 + far / ideal), region=region / cycles,
    )
    put(
        slots=tiles.slots, row=done.row, rows=tiles.slots / done.row, fill=tiles.slots / target.registers,
        loads=done.loads / done.fma, broadcasts=done.broadcasts / done.fma, spilled=done.spilled,
        through_memory=tiles.memory, written=log(done.fma),
    )
    put(
        lanes=log(tiles.lanes / lanes), vector_reduce=wide & (tiles.vector >= spatial),
        gathers=done.gathered / done.fma, waste=tiles.covered,
        ragged=(tiles.extent[:spatial] % tiles.points[:spatial] != 0).sum(0),
    )
    put(
        steps=log(tiles.steps), rounds=log(tiles.runs[2] / tiles.runs[3]),
        blocks=log(tiles.runs[1] / tiles.runs[2]), tiles=log(tiles.runs[3] / tiles.runs[4]),
        chunks=log(shares.chunks), balance=shares.balance, parallel=plan.parallel, first=plan.first,
        outermost=plan.outermost, unroll=plan.unroll, pin=plan.pin,
        stream=plan.stream, prefetch=plan.prefetch,
    )
    held = log(went.held)
    l1_size, l2_size, l3_size = log(target.l1), log(target.l2), log(target.l3)
    put(
        strip_l1=held[1] - l1_size, middle_l1=held[2] - l1_size, middle_l2=held[2] - l2_size,
        column_l2=held[3] - l2_size, outer_l2=held[4] - l2_size, outer_l3=held[5] - l3_size,
        crowd_strip=log(0.1 + went.crowd[0]), crowd_middle=log(0.1 + went.crowd[1]),
        pages_strip=log(1 + went.pages[0]), pages_middle=log(1 + went.pages[1]),
        intensity_l1=log(of.ideal / went.moved[0]), intensity_l2=log(of.ideal / went.moved[1]),
    )
    put(
        ideal=np.log2(of.ideal), work=of.work, finish=of.finish, library=of.library, reads=len(of.reads),
        packed=of.packed.sum(), fly=log(1 + fly / ideal), placed=depth(of.level), reach=log(times),
        tiled=of.group.tiled,
    )
    return out, cycles
