"""A runner's view of a task, looked at from inside: where operands lie, what is held twice."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ansord.measure.child import answers, native, task
from ansord.measure.child.runner import MOST_PACKED, TURN_S, Bench
from tests.measure.kernels import SUM


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    answers.write(tmp_path, SUM, 3)
    return tmp_path


def test_answers_come_back_as_they_were_written(folder: Path) -> None:
    draws = answers.load(folder)
    assert answers.subgraph(folder).key == SUM.key and draws[0].kind == "normal"
    for draw in draws:
        a, b = draw.inputs
        with np.errstate(all="ignore"):
            assert np.allclose(draw.ref64[0], a.astype(np.float64) + b, equal_nan=True)
        assert not a.flags.writeable
    again = answers.load(folder)
    assert [one.kind for one in again] == [one.kind for one in draws]


def test_operands_lie_against_their_guards() -> None:
    region = native.Region(4000, "x")
    region.place(True)
    assert (region.address + 4000) % native.PAGE == 0
    region.bytes[:] = 7
    assert region.intact() and region.bytes.sum() == 28000
    region.place(False)
    assert region.address % native.PAGE == 0 and region.intact()
    region._pages[4001] = 0
    assert not region.intact()


@pytest.mark.parametrize("size", [1, 64, 4000, 4096, 5000])
def test_aligned_operands_stay_aligned(size: int) -> None:
    region = native.Region(size, "x", native.ALIGNMENT)
    for upper in (True, False):
        region.place(upper)
        assert region.address % native.ALIGNMENT == 0
        assert region.bytes.size == size
    region.place(True)
    assert 0 <= region.room - region.offset - size < native.ALIGNMENT


def test_large_operands_are_not_held_twice(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = task.Task(folder)
    inputs, outputs = small.bench()
    assert inputs[0].ctypes.data != small.inputs[0].address
    monkeypatch.setattr(task, "LARGE", 0)
    large = task.Task(folder)
    inputs, outputs = large.bench()
    assert [array.ctypes.data for array in inputs] == [region.address for region in large.inputs]
    assert outputs[0].ctypes.data == large.outputs[0].address
    assert all(np.array_equal(a, b) for a, b in zip(inputs, large.draws[0].inputs, strict=True))
    outputs[0][:] = inputs[0] + inputs[1]
    assert large.still_right() == ""
    outputs[0][4] += 1
    assert large.still_right() != ""


def unpacked(**sizes: int) -> Any:
    """What `operands` asks of a kernel."""
    candidate = task.Candidate("", sizes.get("packed", 0), 0)
    return SimpleNamespace(candidate=candidate, pack=sizes.get("packed"), kept=[])


def test_cold_sets_differ_by_their_constants(folder: Path) -> None:
    args, _, _ = task.Task(folder).operands(unpacked(), 3)
    rows = [[int(native.ffi.cast("uintptr_t", row[i])) for i in range(3)] for row in args]
    a, b, y = zip(*rows, strict=True)
    assert len(set(a)) == len(set(y)) == 1 and len(set(b)) == 3


def test_so_many_sets_that_the_last_cache_is_left_twice(folder: Path) -> None:
    one = task.Task(folder)
    order = {"cold": True, "cache_bytes": 40_000}

    def quick(calls: int) -> float:
        return calls * 1e-6

    assert one.renewed(unpacked().candidate) == 4000
    assert Bench.sets(one, unpacked(), {**order, "cold": False}, quick) == 1
    assert Bench.sets(one, unpacked(), order, quick) == 21
    assert Bench.sets(one, unpacked(packed=4000), order, quick) == 11
    assert Bench.sets(one, unpacked(packed=400_000), order, quick) == 2
    assert Bench.sets(one, unpacked(packed=1), {**order, "cache_bytes": 1 << 20}, quick) == MOST_PACKED
    assert Bench.sets(one, unpacked(), order, lambda _: TURN_S / 5.5) == 5, "a turn through all is short"
