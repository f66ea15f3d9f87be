"""What a statement costs on paper, for all rows at once: array formulas, the ground under features.

Units are core cycles in which one vector multiply-add can start; only ratios between rows matter. Columns
are float32, one value per row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ansord.nest import Number, Plan, Reduce, Spatial, Target
from ansord.score.statement import PAGE, Layout, Statement, Table

Column = NDArray[np.float32]

LATENCY = 8
"""Accumulators needed to hide the latency of a multiply-add: 4 cycles, 2 a cycle (Zen 4, Ice Lake)."""
L2_BYTES = 32.0
"""Bytes a cycle from L2, and below from L3 and from memory, per core: measured orders of magnitude."""
L3_BYTES = 12.0
MEMORY_BYTES = 4.0
REGION = 4000.0
"""Cycles to start and join the threads once."""
LOOP = 3.0
"""Cycles around one innermost loop entry: clearing, branches, pointer set-up."""
LINE = 64.0
FIT = 0.75
"""Share of a cache that data can hope to keep."""
LEVELS = 6
"""Tiles within tiles: one step of the block, the block over R1, S2, R0, S1, everything."""


@dataclass(frozen=True)
class Tiles:
    """A plan as matrices: [X, N] with spatial axes first, or [N]."""

    extent: Table
    points: Table
    """Points of the block along each axis."""
    vectors: Table
    """The same in vectors; lanes of the vector axis count once."""
    covered: Column
    """Points computed over points wanted, partial blocks rounded up."""
    lanes: Column
    vector: NDArray[np.int64]
    """Position of the vector axis."""
    sizes: Table
    """[X, LEVELS, N]: points of an axis in the tile of each level."""
    runs: Table
    """[LEVELS, N]: how many such tiles there are."""
    steps: Column
    """Steps of R1 in one block."""
    chunks: Table
    """[S, N]: iterations of the outermost loops."""
    slots: Column
    """Accumulators."""
    memory: NDArray[np.bool_]
    """Accumulators go through memory."""


def tiles_of(plan: Plan, count: int) -> Tiles:
    """The matrices of `count` rows."""
    spatial, reduce = list(plan.spatial.values()), list(plan.reduce.values())
    s, x = len(spatial), len(spatial) + len(reduce)

    def matrix(values: list[Number]) -> Table:
        out = np.empty((len(values), count), np.float32)
        for place, value in enumerate(values):
            out[place] = value
        return out

    both: list[Spatial | Reduce] = [*spatial, *reduce]
    extent = matrix([a.extent for a in both])
    block = matrix([a.block for a in both])
    wide = matrix([a.lanes for a in both])
    middle, outer = matrix([a.middle for a in spatial]), matrix([a.outer for a in spatial])
    chunks = matrix([a.chunks for a in spatial])
    tile, split = matrix([a.tile for a in reduce]), matrix([a.chunks for a in reduce])
    points = np.minimum(block, extent)
    sizes = np.empty((x, LEVELS, count), np.float32)
    sizes[:s, 0] = sizes[:s, 1] = points[:s]
    sizes[:s, 2] = sizes[:s, 3] = np.minimum(middle, extent[:s])
    sizes[:s, 4] = np.minimum(outer, extent[:s])
    sizes[s:, 0] = points[s:]
    sizes[s:, 1] = sizes[s:, 2] = np.minimum(tile, extent[s:])
    sizes[s:, 3] = sizes[s:, 4] = extent[s:]
    sizes[:, 5] = extent
    along = np.ceil(extent[:s] / block[:s])
    blocks = along.prod(0)
    steps = np.ceil(sizes[s:, 1] / points[s:]).prod(0)
    rounds = split.prod(0)
    tops = chunks.prod(0)
    middles = np.ceil(extent[:s] / middle).prod(0)
    runs = np.empty((LEVELS, count), np.float32)
    runs[1] = blocks * rounds
    runs[0] = runs[1] * steps
    runs[2], runs[3], runs[4], runs[5] = middles * rounds, middles, tops, 1
    vectors = np.ceil(points / wide)
    accumulators = vectors[:s].prod(0) * np.where(wide[s:] > 1, vectors[s:], 1).prod(0)
    looped = np.ceil(middle / block[:s]).prod(0) > 1
    return Tiles(
        extent, points, vectors, (along * block[:s] / extent[:s]).prod(0),
        np.broadcast_to(np.asarray(plan.lanes, np.float32), count),
        np.minimum(np.broadcast_to(plan.vector, count), max(x - 1, 0)),
        sizes, runs, steps, chunks, accumulators, looped & (rounds > 1),
    )  # fmt: skip


@dataclass(frozen=True)
class Traffic:
    """Bytes: `held` [LEVELS, N] in a tile of each level; `moved` [3, N] from L2, L3 and memory in all.

    `crowd` [2, N]: lines that want the same places of the first cache, over those that it has there, in the
    tiles of the block over R1 and of S2; `pages` [2, N] that these touch."""

    held: Table
    moved: Table
    crowd: Table
    pages: Table


def traffic(of: Statement, tiles: Tiles, target: Target) -> Traffic:
    """What the tiles touch in whole cache lines, and what each cache therefore misses.

    A cache keeps the largest tile that fits; what does not change from that tile to the next one stays, too.
    """
    count = tiles.slots.size
    steps = tiles.sizes.reshape(of.axes, LEVELS * count)
    span = of.far @ steps
    span += of.least
    np.minimum(span, of.limits, out=span)
    elements = np.empty((len(of.ranges), LEVELS * count), np.float32)
    for access, (start, end) in enumerate(of.ranges):
        np.multiply.reduce(span[start:end], axis=0, out=elements[access])
    starts, ends = np.array(of.ranges).T - np.array([[0], [1]])
    run = span[ends]
    # Where the last dimension is whole the run goes on in the one before.
    before = np.where((ends > starts)[:, None], span[np.maximum(ends - 1, 0)], 1)
    run = np.where(run >= of.limits[ends], run * before, run) * of.sizes
    spread = np.minimum(1 + (LINE - of.sizes) / run, np.maximum(LINE / of.sizes, 1))
    touched = elements * of.sizes * np.where(of.packed, 1, spread)
    touched = touched.reshape(len(of.ranges), LEVELS, count)
    held = touched.sum(0)
    times = np.repeat(tiles.runs[None], len(of.ranges), 0)
    same = touched[:, 1:] <= touched[:, :-1] * 1.001
    times[:, :-1] = np.where(same, tiles.runs[1:], tiles.runs[:-1])
    passed = (touched * times).sum(0)
    caches = np.array([target.l1, target.l2, target.l3], np.float32) * FIT
    moved = np.empty((3, count), np.float32)
    for place, cache in enumerate(caches):
        level = np.maximum((held <= cache).sum(0) - 1, 0)
        moved[place] = np.take_along_axis(passed, level[None], 0)[0]
    moved[2][held[-1] <= caches[2]] = 0
    return Traffic(held, moved, *_crowds(of, span, run, count))


WAYS = 8.0
"""Lines that a first-level cache holds of one set, at least."""


def _crowds(of: Statement, span: Table, run: Table, count: int) -> tuple[Table, Table]:
    """How far apart runs lie decides how many of them a cache can hold: powers of two are bad."""
    crowd, pages = np.zeros((2, 2 * count), np.float32)
    for access, (start, end) in enumerate(of.ranges):
        if of.packed[access] or not of.far[start:end].any():
            continue
        lines = np.maximum(run[access, count : 3 * count] / LINE, 1)
        wanted, places, touched = lines, lines, np.maximum(lines / (PAGE / LINE), 1)
        for d in range(start, end - 1):
            if of.far[d].any():
                many = span[d, count : 3 * count]
                wanted = wanted * many
                places = places * np.minimum(many, PAGE / of.strides[d])
                touched = touched * np.maximum(np.minimum(many * of.strides[d] / PAGE, many), 1)
        crowd = np.maximum(crowd, wanted / (WAYS * np.minimum(places, PAGE / LINE)))
        pages = pages + touched
    return crowd.reshape(2, count), pages.reshape(2, count)


@dataclass(frozen=True)
class Sharing:
    """How the threads share the outermost loops: iterations, the part of the threads' time that they fill,
    and the cycles of starting the threads."""

    chunks: Column
    threads: Column
    balance: Column
    region: Column | np.float32

    def inside(self, part: slice) -> Sharing:
        """What is placed in some of the rows: the threads have been started."""
        return Sharing(self.chunks[part], self.threads[part], self.balance[part], np.float32(0))


def sharing(plan: Plan, tiles: Tiles, target: Target) -> Sharing:
    """The first `parallel` loops that loop at all, the loop `first` before the others."""
    looping = tiles.chunks > 1
    count = tiles.slots.size
    if len(looping):
        first = np.minimum(np.broadcast_to(plan.first, count), len(looping) - 1)
        chosen = np.arange(len(looping))[:, None] == first
        leads = (looping & chosen).any(0)
        rank = np.where(chosen, 1, np.cumsum(looping & ~chosen, 0) + leads)
        shared = np.where(looping & (rank <= plan.parallel), tiles.chunks, 1).prod(0)
    else:
        shared = np.ones(count, np.float32)
    threads = np.float32(target.threads)
    balance = shared / (np.ceil(shared / threads) * threads)
    parallel = np.broadcast_to(np.asarray(plan.parallel) > 0, count)
    return Sharing(
        shared, np.where(parallel, threads * balance, np.float32(1)), balance,
        np.where(parallel, np.float32(REGION), np.float32(0)),
    )  # fmt: skip


@dataclass(frozen=True)
class Work:
    """One block's arithmetic. `fma`: vector operations a step; `loads`, `broadcasts`: vectors and single
    elements loaded for them, `gathered` of these lane by lane; `row`: vectors side by side; `spilled`:
    registers too many; `step`: cycles a step of the tightest of them; `fly`: cycles to pack activations;
    `cycles`: of the whole statement on one core, data at hand."""

    fma: Column
    gathered: Column
    fly: Column
    loads: Column
    broadcasts: Column
    row: Column
    spilled: Column
    step: Column
    cycles: Column


def work(of: Statement, tiles: Tiles, target: Target) -> Work:
    """What the register block does in one step and in all."""
    count = tiles.slots.size
    rows = np.arange(count)
    x = of.axes
    per_step = tiles.vectors.prod(0) if x else np.ones(count, np.float32)
    row = tiles.vectors[tiles.vector, rows] if x else np.ones(count, np.float32)
    wide = tiles.lanes > 1
    lane_by_lane = np.where(wide, of.lane_work[np.minimum(tiles.vector, len(of.lane_work) - 1)], 0)
    fma = per_step * (of.work + lane_by_lane * tiles.lanes)
    loads = broadcasts = alone = fly = np.zeros(count, np.float32)
    if len(of.reads) and x:
        each = np.stack([tiles.vectors[axes].prod(0) for axes in of.reads]) * of.counts
        grain = of.grains[:, tiles.vector]
        gathered = (grain > 0) & wide
        flat = of.wide[:, tiles.vector] | ~wide
        for layout in of.layouts:
            gathered[layout.read] |= _scattered(layout, tiles) & wide
            fly = fly + _packing(layout, tiles)
        each = np.where(gathered, each * np.ceil(tiles.lanes / np.maximum(grain, 1)) * 1.5, each)
        alone = np.where(gathered, each, 0).sum(0)
        loads = np.where(flat | gathered, each, 0).sum(0)
        broadcasts = np.where(flat | gathered, 0, each).sum(0)
    spilled = np.maximum(0, tiles.slots + row + 1 - target.registers).astype(np.float32)
    least = LATENCY / 2 if of.group.stage.reduce else 0.5
    step = np.maximum(np.maximum(fma, loads + broadcasts), least) + 2 * spilled
    entry = LOOP + tiles.slots * (of.finish * 0.5 + of.library * np.where(wide, 1, 0.3) + 1.5 * tiles.memory)
    # Lanes of a vectorised reduction are added up at the end.
    across = wide & (tiles.vector >= len(tiles.chunks))
    entry = entry + np.where(across, FOLD * tiles.points[: len(tiles.chunks)].prod(0), 0)
    cycles = tiles.runs[0] * step + tiles.runs[1] * entry
    return Work(fma, alone, fly, loads, broadcasts, row, spilled, step, cycles)


FOLD = 12.0
"""Cycles to add up the lanes of a vector."""


def _scattered(layout: Layout, tiles: Tiles) -> NDArray[np.bool_]:
    """Whether lanes along a vectorised reduce axis lie apart: the points of the block are between them."""
    reduced = tiles.vector >= len(tiles.chunks)
    between = tiles.points[layout.spatial].prod(0) > 1
    return np.asarray(reduced & (between | (tiles.vector != layout.fastest)), bool)


def _packing(layout: Layout, tiles: Tiles) -> Column:
    """Cycles of one core to lay an activation out: runs are copied whole, or element by element."""
    if not layout.elements or not len(layout.spatial):
        return np.zeros(tiles.slots.size, np.float32)
    mine = (tiles.vector[None] == layout.spatial[:, None]).any(0)
    last = np.where(mine, tiles.vector, layout.spatial[-1])
    run = tiles.points[last, np.arange(tiles.slots.size)]
    each = np.where(layout.even[last], 0.25, 2.0) + 8.0 / run
    return np.asarray(layout.elements * each, np.float32)
