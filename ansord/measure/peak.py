"""The roofs of this machine, measured: what share of them a kernel reaches is the figure that users read.

`tune`, `bench` and `doctor` ask for it; measured in a runner of the stand, with the compilers held still.
Several interleaved rounds, the highest counts: clocks drift, and nothing makes a machine faster than it is.
"""

from __future__ import annotations

from ansord.measure.answers import MeasureFailed
from ansord.measure.stand import Stand
from ansord.measure.values import Level, Peak
from ansord_client.host import CpuCache, host

DTYPES = ("float32", "float64", "int32", "int64", "int8")
ROUNDS = 5
TRY_S = 0.008
LIMIT_S = 120.0
MEMORY_BYTES = 64 << 20


async def peak(stand: Stand, rounds: int = ROUNDS) -> Peak:
    """Measure; about two seconds on two cores. Raises MeasureFailed."""
    counts = thread_counts(stand.threads)
    sizes = working_sets(host().caches, stand.threads)
    computing = [(dtype, count, 0) for dtype in DTYPES for count in counts]
    moving = [(kind, stand.threads, each) for _, _, each in sizes for kind in ("read", "copy")]
    order = {
        "op": "peak",
        "object": str(await stand.built("peak.c")),
        "tries": [*computing, *moving],
        "rounds": rounds,
        "seconds": TRY_S,
    }
    async with stand.turn, stand.quiet():
        answer = await stand.order(order, LIMIT_S)
    if not isinstance(answer, dict) or answer.get("wrong"):
        raise MeasureFailed(f"the peak cannot be measured: {answer}")
    best = iter(answer["best"])
    operations: dict[str, dict[int, float]] = {dtype: {} for dtype in DTYPES}
    for dtype, count, _ in computing:
        operations[dtype][count] = next(best)
    levels = tuple(Level(name, capacity, next(best), next(best)) for name, capacity, _ in sizes)
    return Peak(stand.threads, operations, levels)


def thread_counts(threads: int) -> list[int]:
    """1, the powers of two below `threads`, and `threads`."""
    counts = [1 << i for i in range(threads.bit_length()) if 1 << i < threads]
    return [*counts, threads]


def working_sets(caches: tuple[CpuCache, ...], threads: int) -> list[tuple[str, int, int]]:
    """(name, what all threads together keep there, what each thread moves to measure it), in bytes, from the
    first cache to memory. A level is measured half full: its rate, and not that of its edges."""
    found = []
    largest = 0
    for cache in caches:
        copies = -(-threads // max(1, cache.shared))
        capacity = cache.size * min(copies, threads)
        found.append((f"L{cache.level}", capacity, max(4096, capacity // 2 // threads)))
        largest = max(largest, capacity)
    each = max(MEMORY_BYTES, 4 * largest) // threads
    return [*found, ("memory", 1 << 62, each)]
