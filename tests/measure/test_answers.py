from __future__ import annotations

import os
from pathlib import Path

import anyio
import pytest

from ansord.build import Child
from ansord.measure import MeasureFailed
from ansord.measure import answers as room
from ansord.measure.answers import Answers
from ansord.measure.stand import start
from tests.measure.kernels import SUM

pytestmark = pytest.mark.asyncio


async def test_answers_are_computed_once_and_kept(tmp_path: Path) -> None:
    starts = 0

    async def counted(role: str) -> Child:
        nonlocal starts
        starts += 1
        return await start(role)

    answers = Answers(tmp_path, counted, 0)
    folders = []

    async def one() -> None:
        folders.append(await answers.of(SUM))

    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(one)
    assert len(set(folders)) == 1 and starts == 1
    assert await Answers(tmp_path, counted, 0).of(SUM) == folders[0] and starts == 1
    assert await Answers(tmp_path, counted, 1).of(SUM) != folders[0] and starts == 2
    assert "draws.json" in os.listdir(folders[0])


async def test_a_reference_that_dies_or_fails_is_the_stands_failure(tmp_path: Path) -> None:
    async def dying(role: str) -> Child:
        return await Child.start(["/bin/false"], {})

    with pytest.raises(MeasureFailed, match="died"):
        await Answers(tmp_path, dying, 0).of(SUM)
    with pytest.raises(MeasureFailed, match="failed"):
        await Answers(tmp_path, start, -1).of(SUM)  # no seed
    assert os.listdir(tmp_path) == []


async def test_a_slow_reference_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def sleeping(role: str) -> Child:
        return await Child.start(["/bin/sh", "-c", "sleep 60"], {"PATH": "/usr/bin:/bin"})

    monkeypatch.setattr(room, "LIMIT_S", 0.2)
    monkeypatch.setattr("ansord.build.child.GRACE_S", 0.1)
    with pytest.raises(MeasureFailed, match="longer than 0.2 s"):
        await Answers(tmp_path, sleeping, 0).of(SUM)


async def test_old_answers_go_when_they_are_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "KEPT_BYTES", 15)
    for number, age in enumerate((10_000, 9_000, 10)):
        folder = tmp_path / f"answers-{number}-0"
        folder.mkdir()
        (folder / "x").write_bytes(b"0123456789")
        os.utime(folder, (0, folder.stat().st_mtime - age))
    (tmp_path / "making-99999999-x").mkdir()
    (tmp_path / f"making-{os.getpid()}-x").mkdir()
    Answers(tmp_path, start, 0)._tidy()
    assert sorted(os.listdir(tmp_path)) == ["answers-2-0", f"making-{os.getpid()}-x"]
