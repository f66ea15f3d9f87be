"""The named, versioned table of features: for every statement of every row, by array operations.

Sizes enter as logarithms to base 2 and relative to what the statement needs at least or to what the machine
has, so that rows of different tasks can be compared. Computed per statement for the rows of all sketches
that share it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from ansord.nest import Group, Number, Plan, Rows, Space, regions
from ansord.score.cost import (
    L2_BYTES,
    L3_BYTES,
    LEVELS,
    MEMORY_BYTES,
    Column,
    Sharing,
    Tiles,
    sharing,
    tiles_of,
    traffic,
    work,
)
from ansord.score.statement import Statement, Table, alone, depth, statement

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
    blocks = list(_blocks(space, rows))
    ends = np.cumsum([len(block.where) for block in blocks], dtype=np.int64).tolist()
    count = ends[-1] if blocks else 0
    # Column by column, as they are made and as the trees look at them.
    table, cost = np.empty((len(NAMES), count), np.float32), np.empty(count, np.float32)
    owner, total = np.empty(count, np.int64), np.zeros(len(rows), np.float32)
    groups = np.array([len(sketch.everywhere) for sketch in space.sketches], np.float32)
    for block, start, end in zip(blocks, [0, *ends], ends, strict=False):
        cost[start:end] = _columns(space, block, table[:, start:end])
        owner[start:end] = block.where
        total[block.where] += cost[start:end]
    table[F["groups"]] = groups[rows[owner, 0]]
    table[F["share"]] = np.log2(cost / total[owner])
    return Judged(table.T, owner, cost, total)


def paper_cycles(space: Space, rows: Rows) -> Column:
    """The estimate of whole programs alone, in cycles."""
    return judge(space, rows).total


@dataclass(frozen=True)
class _Block:
    """The rows, at `where`, that have a statement at the root, or all that have it placed in another: at a
    `depth`, run so many `times`, by the threads that share that one."""

    of: Statement
    where: Rows
    plan: Plan
    tiles: Tiles
    shares: Sharing
    depth: Number = 0
    times: Number = np.float32(1)


@dataclass(frozen=True)
class _Placed:
    """The rows of one host in which a statement is placed, and what they say of it."""

    where: Rows
    extents: Mapping[str, Number]
    depth: int
    times: Column
    shares: Sharing


def _blocks(space: Space, rows: Rows) -> Iterator[_Block]:
    """Each statement at most twice, for the rows of all sketches that have it: at the root, and placed.

    Sketches differ mostly in where they place things; each block costs some hundred array operations.
    """
    roots: dict[Group, list[tuple[Group, Rows]]] = {}
    inside: dict[Group, list[_Placed]] = {}
    for nest, where in space.nests(rows):
        roots.setdefault(alone(nest), []).append((nest, where))
    for group, nests in roots.items():
        where = np.concatenate([mine for _, mine in nests])
        plan = space.plan(group, rows[where])
        tiles = tiles_of(plan, len(where))
        shares = sharing(plan, tiles, space.target)
        yield _Block(statement(group), where, plan, tiles, shares)
        start = 0
        for nest, mine in nests:
            part = slice(start, start + len(mine))
            start += len(mine)
            spans = regions(nest, _part(plan, part)) if nest.placed else {}
            for placed in nest.placed:
                level = depth(placed.level)
                inside.setdefault(placed.group, []).append(_Placed(
                    mine, {axis: span.extent for axis, span in spans[placed.group.name].items()},
                    level, tiles.runs[LEVELS - 1 - level, part], shares.inside(part),
                ))  # fmt: skip
    for group, parts in inside.items():
        yield _placed(space, group, parts, rows)


def _placed(space: Space, group: Group, parts: Sequence[_Placed], rows: Rows) -> _Block:
    """One block of all rows in which a group is placed, whatever their hosts."""
    where = np.concatenate([part.where for part in parts])
    counts = [len(part.where) for part in parts]

    def joined(values: Iterable[Number]) -> Column:
        return np.concatenate([np.broadcast_to(v, n) for v, n in zip(values, counts, strict=True)])

    extents = {axis: joined(part.extents[axis] for part in parts) for axis in parts[0].extents}
    plan = space.plan(group, rows[where], extents)
    shares = Sharing(*(joined(getattr(part.shares, f.name) for part in parts) for f in fields(Sharing)))
    return _Block(
        statement(group), where, plan, tiles_of(plan, len(where)), shares,
        joined(part.depth for part in parts), joined(part.times for part in parts),
    )  # fmt: skip


def _part(plan: Plan, part: slice) -> Plan:
    """The plan of some of its rows."""

    def some(value: Number) -> Number:
        return value[part] if isinstance(value, np.ndarray) and value.ndim else value

    def side(axis: object) -> object:
        return type(axis)(*(some(getattr(axis, f.name)) for f in fields(axis)))  # type: ignore[arg-type]

    spatial = {name: side(axis) for name, axis in plan.spatial.items()}
    reduce = {name: side(axis) for name, axis in plan.reduce.items()}
    rest = (some(getattr(plan, f.name)) for f in fields(plan)[2:])
    return Plan(spatial, reduce, *rest)  # type: ignore[arg-type]


def _columns(space: Space, block: _Block, out: Table) -> Column:
    """The cycles of one statement; its features go into `out` [NAMES, rows]."""
    target, of, plan, tiles = space.target, block.of, block.plan, block.tiles
    shares, times = block.shares, block.times
    done, went = work(of, tiles, target), traffic(of, tiles, target)
    compute = done.cycles * times
    l2 = went.moved[0] * times / L2_BYTES
    l3 = went.moved[1] * times / L3_BYTES
    far = went.moved[2] * times / MEMORY_BYTES
    fly = done.fly
    busy = np.maximum(compute + fly, np.maximum(l2, l3)) + 0.3 * (compute + fly + l2 + l3)
    region = shares.region
    cycles: Column = (busy / shares.threads + far + region).astype(np.float32)

    lanes = target.lanes(of.itemsize)
    ideal = of.ideal / lanes
    spatial = len(plan.spatial)
    wide = tiles.lanes > 1

    def put(**columns: Number) -> None:
        for name, value in columns.items():
            out[F[name]] = value

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
        packed=of.packed.sum(), fly=log(1 + fly / ideal), placed=block.depth, reach=log(times),
        tiled=of.group.tiled,
    )
    return cycles
