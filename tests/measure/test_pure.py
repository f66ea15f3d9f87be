from __future__ import annotations

import math
from pathlib import Path

import anyio
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansord.measure import Level, Peak, Stand, latency_interval
from ansord.measure.lock import MeasureLock, default_path
from ansord.measure.peak import thread_counts, working_sets
from ansord.measure.stand import clean
from ansord.measure.statistics import latency, median_interval, settled
from ansord_client.host import CpuCache

samples = st.lists(st.floats(1e-6, 1e-3), min_size=2, max_size=30)


def test_latency_is_the_20th_percentile() -> None:
    assert latency([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]) == 2.0
    assert latency([3.0]) == 3.0
    assert latency([1.0, 1.0, 1.0, 1.0, 100.0]) == 1.0


@given(samples)
def test_intervals_hold_their_figure_and_repeat(values: list[float]) -> None:
    low, high = latency_interval(values)
    assert min(values) <= low <= high <= max(values)
    assert (low, high) == latency_interval(values)
    middle, low, high = median_interval(values)
    assert low <= middle <= high


def test_more_blocks_settle_a_ratio() -> None:
    rng = np.random.default_rng(7)
    noise = list(rng.normal(-0.03, 0.01, 60))
    assert not settled(noise[:5], 0.005, 8) and settled(noise, 0.005, 8)
    middle, low, high = median_interval(noise)
    assert low < -0.03 < high and abs(middle + 0.03) < 0.005


def test_without_samples_nothing_is_known() -> None:
    assert latency_interval([]) == (-math.inf, math.inf)
    assert latency_interval([2.0]) == (2.0, 2.0)


def test_roofs() -> None:
    levels = (Level("L1", 1000, 4e9, 3e9), Level("L2", 100_000, 2e9, 1e9), Level("memory", 1 << 62, 1e9, 5e8))
    peak = Peak(4, {"float32": {1: 10e9, 2: 19e9, 4: 36e9}, "int8": {4: 80e9}}, levels)
    assert peak.flops("float32") == 36e9 and peak.flops("float32", 1) == 10e9
    assert peak.flops("float32", 3) == 19e9 * 1.5
    assert peak.flops("uint8") == 80e9 and peak.flops("int8", 1) == 20e9 and peak.flops("float64") == 36e9
    assert [peak.bandwidth(size) for size in (10, 1000, 1001, 10**9)] == [4e9, 4e9, 2e9, 1e9]
    assert peak.bound("float32", 36e9, 1000) == ("compute", 1.0)
    assert peak.bound("float32", 36.0, 10**9) == ("memory", 1.0)
    assert "float32" in str(peak) and "memory" in str(peak)


def test_what_is_tried_for_the_peak() -> None:
    assert [thread_counts(n) for n in (1, 2, 4, 6)] == [[1], [1, 2], [1, 2, 4], [1, 2, 4, 6]]
    caches = (CpuCache(1, "Data", 32 << 10, 64, 1), CpuCache(3, "Unified", 32 << 20, 64, 4))
    sets = working_sets(caches, 4)
    assert sets == [
        ("L1", 128 << 10, 16 << 10),
        ("L3", 32 << 20, 4 << 20),
        ("memory", 1 << 62, 32 << 20),
    ]
    assert working_sets((), 2)[-1][0] == "memory"


def test_last_words_are_short_and_printable() -> None:
    assert clean("a\nb\n\x1b[1mc\td\n\ne\n") == "b; [1mc d; e"
    assert len(clean("x" * 10_000)) == 500


@pytest.mark.asyncio
async def test_one_holder_at_a_time(tmp_path: Path) -> None:
    locks = [MeasureLock(tmp_path / "lock") for _ in range(2)]
    inside = 0

    async def use(lock: MeasureLock) -> None:
        nonlocal inside
        async with lock:
            inside += 1
            assert inside == 1
            await anyio.sleep(0.005)
            inside -= 1

    for lock in locks:
        lock.open()
    async with anyio.create_task_group() as group:
        for lock in locks * 4:
            group.start_soon(use, lock)
    async with locks[0]:
        with anyio.move_on_after(0.02) as scope:
            await use(locks[1])
        assert scope.cancelled_caught
    await use(locks[1])  # neither the cancel nor the holder left anything behind
    for lock in locks:
        lock.close()


def test_everybody_finds_the_same_lock() -> None:
    assert default_path() == default_path() and default_path().parent.is_dir()


def test_patience_goes_with_noise_and_comes_back() -> None:
    stand = Stand.__new__(Stand)
    stand.patience_s, stand.pulse = 10.0, 100.0
    seen = []
    noise = [(0.1, False), (10.0, True), (2.0, False), (0.6, True), (0.5, False)]
    for waited, noisy in [*noise, *[(0.02, False)] * 8]:
        stand.settle_patience(waited, noisy)
        seen.append(stand.patience_s)
    assert seen[:5] == [10.0, 2.5, 0.625, 0.15625, 0.15625] and seen[-1] == 10.0
    assert stand.pulse == pytest.approx(100 * 0.95**2)
