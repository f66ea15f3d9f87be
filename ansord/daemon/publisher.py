"""The publisher service: puts settled drops where their owners look, one by one, and never gives one up.

The tuner and the inbox hand it settlements. A full disk makes it wait and try again; a crash is no loss,
since the claim stays open until its files are on the disk. Kernels are published by the search itself.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import anyio
import structlog

from ansord.daemon.spool import DONE, FAILED, Drop, Spool

log = structlog.get_logger("publisher")


@dataclass(frozen=True, slots=True)
class Settlement:
    """`record` goes beside the drop in `folder`. Without a folder the claim just ends."""

    drop: Drop
    folder: str | None
    record: Mapping[str, Any]


class Publisher:
    """`put` from anywhere on the loop. `settled` counts by folder."""

    name = "publisher"
    patience = 5.0

    def __init__(self, spool: Spool, stirred: Callable[[], None], retry_s: float = 5.0) -> None:
        self._spool = spool
        self._stirred = stirred
        self._retry_s = retry_s
        self._queue: deque[Settlement] = deque()
        self._woken = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self.settled: Counter[str] = Counter({DONE: 0, FAILED: 0})
        self.trouble: str | None = None

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, settlement: Settlement) -> None:
        self._queue.append(settlement)
        self._empty.clear()
        self._woken.set()

    async def run(self) -> None:
        while True:
            while self._queue:
                await self._settle(self._queue[0])
            self._empty.set()
            self._woken.clear()
            await self._woken.wait()

    async def drain(self) -> None:
        await self._empty.wait()

    async def _settle(self, one: Settlement) -> None:
        try:
            if one.folder is None:
                await anyio.to_thread.run_sync(self._spool.forget, one.drop)
            else:
                await anyio.to_thread.run_sync(self._spool.settle, one.drop, one.folder, one.record)
        except OSError as error:
            if self.trouble is None:
                log.error("cannot settle a drop, trying again", drop=one.drop.name, error=str(error))
            self.trouble = f"cannot write to {self._spool.path}: {error.strerror}"
            self._stirred()
            await anyio.sleep(self._retry_s)
            return
        self.trouble = None
        self._queue.popleft()
        if one.folder is not None:
            self.settled[one.folder] += 1
            log.info("settled", drop=one.drop.name, folder=one.folder)
        self._stirred()
