"""Draws and reference answers of each task, computed once in a child process and kept as files.

The stand's; runners map the files. A folder is made aside and renamed, so what is there is whole; folders
that nobody used for an hour go when all together grow beyond a limit.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import anyio
import anyio.to_thread
import msgpack

from ansord.build import Child, ChildDied
from ansord_client.errors import AnsordError
from ansord_client.subgraph import Subgraph

KEPT_BYTES = 4 << 30
UNUSED_S = 3600.0
LIMIT_S = 900.0


class MeasureFailed(AnsordError):
    """The stand itself failed, not a candidate: no reference, a harness that does not build, a defect."""


class Answers:
    """Those in `directory`, for draws from `seed`; `start` makes a child for a role."""

    def __init__(self, directory: Path, start: Callable[[str], Awaitable[Child]], seed: int) -> None:
        self.directory = directory
        self.seed = seed
        self._start = start
        self._turn = anyio.Lock()

    async def of(self, subgraph: Subgraph) -> Path:
        """The folder with the answers of `subgraph`. Raises MeasureFailed."""
        folder = self.directory / f"answers-{subgraph.key}-{self.seed}"
        async with self._turn:
            try:
                os.utime(folder)
            except OSError:
                await self._make(subgraph, folder)
        return folder

    async def _make(self, subgraph: Subgraph, folder: Path) -> None:
        await anyio.to_thread.run_sync(self._tidy)
        aside = Path(tempfile.mkdtemp(prefix=f"making-{os.getpid()}-", dir=self.directory))
        try:
            await self._compute(subgraph, aside)
            with suppress(OSError):  # another process was faster: its folder says the same
                os.rename(aside, folder)
            os.utime(folder)
        finally:
            shutil.rmtree(aside, ignore_errors=True)

    async def _compute(self, subgraph: Subgraph, aside: Path) -> None:
        title = subgraph.name or subgraph.key[:12]
        order = {"subgraph": subgraph.to_dict(), "directory": str(aside), "seed": self.seed}
        try:
            with anyio.fail_after(LIMIT_S):
                async with await self._start("answers") as child:
                    fate = msgpack.unpackb(await child.request(msgpack.packb(order)))
        except TimeoutError as error:
            raise MeasureFailed(f"the reference of {title} took longer than {LIMIT_S:g} s") from error
        except ChildDied as error:
            hint = "was there enough memory?"
            raise MeasureFailed(f"the process that computes the reference of {title} died; {hint}") from error
        if "bug" in fate:
            raise MeasureFailed(f"the reference of {title} failed: {fate['bug']}")

    def _tidy(self) -> None:
        """Remove what dead processes began, and the longest unused folders beyond KEPT_BYTES."""
        for left in self.directory.glob("making-*-*"):
            owner = left.name.split("-")[1]
            if owner.isdecimal() and not Path("/proc", owner).exists():
                shutil.rmtree(left, ignore_errors=True)
        total = 0
        found = [(folder.stat().st_mtime, folder) for folder in self.directory.glob("answers-*")]
        for used, folder in sorted(found, reverse=True):
            total += sum(file.stat().st_size for file in folder.iterdir())
            if total > KEPT_BYTES and used < time.time() - UNUSED_S:
                shutil.rmtree(folder, ignore_errors=True)
