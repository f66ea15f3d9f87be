"""What a group costs on paper: array formulas over tiles, the ground under features and the first batch.

Units are core cycles in which one vector multiply-add can start; only ratios between rows matter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ansord.nest import (
    SIZES,
    Access,
    Group,
    Number,
    Plan,
    Space,
    accesses,
    ceil,
    operations,
    product,
)
from ansord_client.expr import Call, walk

Column = NDArray[np.float64]

LATENCY = 8
"""Accumulators needed to hide the latency of a multiply-add: 4 cycles, 2 a cycle (Zen 4, Ice Lake)."""
LOADS = 1.0
"""Vector loads that cost as much as one vector multiply-add: both units are equally wide."""
L2_BYTES = 32.0
"""Bytes a cycle from L2, and below from L3 and from memory, per core: measured orders of magnitude."""
L3_BYTES = 12.0
MEMORY_BYTES = 4.0
REGION = 4000.0
"""Cycles to start and join the threads once."""
LOOP = 3.0
"""Cycles around one innermost loop entry: clearing, branches, pointer set-up."""
LINE = 64
CALLS = 12.0
"""Cycles for an operation that is a function of the mathematics library, per element."""


@dataclass(frozen=True)
class Estimate:
    """Cycles of every row, with the parts from which they follow."""

    cycles: Column
    compute: Column
    l2: Column
    l3: Column
    memory: Column
    accumulators: Column
    rows: Column
    vectors: Column
    loads: Column
    efficiency: Column
    spilled: Column
    waste: Column
    balance: Column
    chunks: Column
    inner: Column
    outer: Column
    steps: Column
    through_memory: Column


@dataclass(frozen=True)
class Share:
    """How a placed group runs: so many times in all, on so many threads at once."""

    runs: Column
    threads: Column


def share(space: Space, tiles: Plan, level: str, count: int) -> Share:
    """The share of a group placed at `level` of the host with these tiles."""
    spatial = tiles.spatial.values()
    runs = product(a.chunks for a in spatial)
    if level != "s0":
        runs = runs * product(a.tiles for a in spatial)
    if level == "r0":
        runs = runs * product(a.chunks for a in tiles.reduce.values())
    _, balance = _threads(space, tiles, count)
    threads = np.where(np.asarray(tiles.parallel) > 0, space.target.threads * balance, 1.0)
    return Share(np.broadcast_to(np.asarray(runs, dtype=np.float64), count), np.broadcast_to(threads, count))


def estimate(space: Space, group: Group, tiles: Plan, count: int, placed: Share | None = None) -> Estimate:
    """The cost of one group for every row of a sketch; `count` rows. A placed group counts all its runs."""

    def column(value: Number) -> Column:
        return np.broadcast_to(np.asarray(value, dtype=np.float64), count).copy()

    spatial, reduce = tiles.spatial, tiles.reduce
    lanes = column(tiles.lanes)
    points = {name: column(np.minimum(a.block, a.extent)) for name, a in spatial.items()}
    vectors = {name: ceil(points[name], column(a.lanes)) for name, a in spatial.items()}
    written = {name: column(np.minimum(a.block, a.extent)) for name, a in reduce.items()}
    wide = {name: ceil(written[name], column(a.lanes)) for name, a in reduce.items()}
    slots = product(vectors.values()) * product(
        np.where(column(a.lanes) > 1, wide[n], 1.0) for n, a in reduce.items()
    )
    slots = column(slots)
    along = {name: vectors[name] for name in spatial} | wide or {"": column(1)}
    position = list(along)
    vector = np.minimum(np.broadcast_to(tiles.vector, count), len(position) - 1)
    row = np.stack([along[name] for name in position])[vector, np.arange(count)]

    touched = accesses(group)
    work = max(operations(group) - 1, 1) if group.stage.reduce else max(operations(group), 1)
    fma = (
        slots * product(np.where(column(a.lanes) > 1, 1.0, wide[n]) for n, a in reduce.items()) * max(work, 1)
    )
    loads = column(0)
    for access in touched:
        if access.inner and not access.store:
            loads += _distinct(access, along, position, vector, lanes)
    step = np.maximum(np.maximum(fma, loads * LOADS), np.where(column(bool(reduce)) > 0, LATENCY / 2, 0.5))
    spilled = np.maximum(0.0, slots + row + 1 - space.target.registers)
    step = step + 2.0 * spilled
    waste = column(product(a.covered / a.extent for a in spatial.values()))
    blocks = column(product(ceil(a.extent, a.block) for a in spatial.values()))
    steps = column(product(ceil(a.tile, a.block) for a in reduce.values()))
    chunks_r = column(product(a.chunks for a in reduce.values()))
    memory = column(tiles.through_memory)
    entry = LOOP + slots * (1.0 + 1.5 * memory) + _library(group) * slots * lanes
    compute = blocks * chunks_r * (steps * step + entry)

    chunks, balance = _threads(space, tiles, count)
    inner_tile = {n: column(a.middle) for n, a in spatial.items()} | {
        n: column(a.tile) for n, a in reduce.items()
    }
    outer_tile = {n: column(a.outer) for n, a in spatial.items()} | {
        n: column(a.extent) for n, a in reduce.items()
    }
    whole = {n: column(a.extent) for n, a in (spatial | reduce).items()}
    inner = sum((_bytes(a, inner_tile, whole) for a in touched), column(0))
    outer = sum((_bytes(a, outer_tile, whole) for a in touched), column(0))
    total = sum((_bytes(a, whole, whole) for a in touched), column(0))
    inner_runs = column(product(a.tiles * a.chunks for a in spatial.values())) * chunks_r
    outer_runs = column(product(a.chunks for a in spatial.values()))
    from_l2 = np.where(
        inner > 0.75 * space.target.l1,
        blocks * chunks_r * _block_bytes(touched, points, reduce, whole),
        inner_runs * inner,
    )
    from_l3 = np.where(outer > 0.75 * space.target.l2, inner_runs * inner, outer_runs * outer)
    from_memory = np.where(total > 0.75 * space.target.l3, np.maximum(total, 0), 0.0)
    l2, l3, far = from_l2 / L2_BYTES, from_l3 / L3_BYTES, from_memory / MEMORY_BYTES
    # Packing an activation reads and writes it once more, by all threads.
    fly = sum(
        2.0 * a.tensor.size * SIZES[a.tensor.dtype] for a in touched if a.packed and not a.tensor.constant
    )
    compute = compute + fly / 8.0
    threads = np.where(column(tiles.parallel) > 0, space.target.threads * balance, 1.0)
    if placed is not None:
        compute, l2, l3, threads = compute * placed.runs, l2 * placed.runs, l3 * placed.runs, placed.threads
    busy = np.maximum(compute, np.maximum(l2, l3)) + 0.3 * (compute + l2 + l3)
    cycles = busy / threads + far + np.where(column(tiles.parallel) > 0, REGION, 0.0)
    ideal = column(product(a.extent for a in (spatial | reduce).values())) * work / lanes
    efficiency = ideal / np.maximum(compute, 1.0)
    return Estimate(
        cycles, compute, l2, l3, far, slots, slots / row, row, loads, efficiency, spilled,
        waste, balance, chunks, inner, outer, steps, memory,
    )  # fmt: skip


def _distinct(
    access: Access, along: dict[str, Column], position: list[str], vector: Column, lanes: Column
) -> Column:
    """Load instructions of one access in one step of the block."""
    count = product(along[name] for name in position if name in access.axes)
    gathered = np.array([access.step(name) not in (0, 1) and not access.packed for name in position])
    return np.asarray(count * np.where(gathered[vector.astype(int)], lanes, 1.0), dtype=np.float64)


def _threads(space: Space, tiles: Plan, count: int) -> tuple[Column, Column]:
    """Iterations shared by the threads, and the share of the threads' time that they fill."""
    loops = np.stack([np.broadcast_to(a.chunks, count) for a in tiles.spatial.values()] or [np.ones(count)])
    first = np.minimum(np.broadcast_to(tiles.first, count), len(loops) - 1)
    order = np.argsort(np.arange(len(loops))[:, None] != first[None, :], axis=0, kind="stable")
    ordered = np.take_along_axis(loops, order, axis=0)
    # The fused loops are the first `parallel` ones that loop at all.
    rank = np.cumsum(ordered > 1, axis=0)
    shared = np.where((rank <= np.broadcast_to(tiles.parallel, count)) & (ordered > 1), ordered, 1)
    chunks = shared.prod(axis=0).astype(np.float64)
    threads = space.target.threads
    return chunks, chunks / (np.ceil(chunks / threads) * threads)


def _bytes(access: Access, tile: dict[str, Column], whole: dict[str, Column]) -> Column:
    """Bytes of cache lines that one tile touches; windows that overlap are counted once."""
    size = SIZES[access.tensor.dtype]
    elements = product(tile[name] for name in tile if name in access.axes)
    elements = np.minimum(np.asarray(elements, dtype=np.float64), access.tensor.size)
    run = product(np.minimum(tile[n], whole[n]) for n in tile if access.step(n) == 1) * size
    spread = 1.0 if access.packed else np.minimum(LINE / np.maximum(run, size), LINE / size)
    return np.asarray(elements * size * np.maximum(spread, 1.0), dtype=np.float64)


def _block_bytes(
    touched: tuple[Access, ...], points: dict[str, Column], reduce: object, whole: dict[str, Column]
) -> Column:
    """Bytes of one register block over one inner reduction, when the tile does not stay in L1."""
    assert isinstance(reduce, dict)
    tile = points | {name: np.asarray(axis.tile, dtype=np.float64) for name, axis in reduce.items()}
    return np.asarray(sum(_bytes(a, tile, whole) for a in touched), dtype=np.float64)


_FUNCTIONS = {"exp", "log", "sin", "cos", "tanh", "erf", "pow", "sigmoid", "silu", "gelu", "gelu_tanh"}


def _library(group: Group) -> float:
    bodies = [stage.body for stage in group.epilogue]
    if not group.stage.reduce:
        bodies.append(group.stage.body)
    return CALLS * sum(isinstance(n, Call) and n.op in _FUNCTIONS for body in bodies for n in walk(body))
