"""The inbox service: sees what was dropped, claims what is whole, refuses what can never be a drop.

The first to stop: nothing new comes in while the others finish. It reads a directory and trusts no event; of
a drop it only finds out whether it is a subgraph.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import anyio
import structlog

from ansord.daemon.settings import Settings
from ansord.daemon.spool import LARGEST, Drop, Seen, Spool
from ansord.daemon.watch import Watch, is_remote
from ansord_client.errors import BadSubgraph
from ansord_client.subgraph import Subgraph

log = structlog.get_logger("inbox")

DEBOUNCE_S = 0.05
"""A writer's events come in bunches."""
HEALTH_S = 10.0
BLIND_S = 5.0
"""Between scans where no events come: no inotify instance left, or a file system of the network."""
CLOSED_S = 1.0
"""A file that was closed and does not parse may be opened again at once; after this it is final."""
UNCHANGED_S = 30.0
"""The same for a file that nobody saw closed."""
PURGE_S = 3600.0

Take = Callable[[Drop, Subgraph | BadSubgraph], None]


@dataclass(slots=True)
class Sight:
    """A name that could not be taken yet: since when it looks like this, and whether it was given up."""

    signature: tuple[int, int, int, int]
    since: float
    given_up: bool = False


@dataclass(slots=True)
class Inbox:
    """`take(drop, what it reads as)` is called for each claimed drop, in order of their tickets, and only
    takes note; `stirred()` after a scan that changed anything."""

    spool: Spool
    settings: Callable[[], Settings]
    take: Take
    stirred: Callable[[], None]
    closed_s: float = CLOSED_S
    unchanged_s: float = UNCHANGED_S
    pending: int | None = None
    """Names in the inbox that will be taken sooner or later; None before the first scan."""
    refused: int = 0
    overflows: int = 0
    beat: float = 0.0
    """When the last scan ended, by the monotonic clock."""
    name: str = "inbox"
    patience: float = 5.0
    _handed: int = 0
    _sights: dict[str, Sight] = field(default_factory=dict)
    _blind: bool = False

    async def run(self) -> None:
        """Watches first, then scans: what comes between is seen by one of the two."""
        woken = asyncio.Event()
        watch = await self._watch(woken)
        purged = -PURGE_S
        try:
            for drop in await anyio.to_thread.run_sync(self.spool.recover):
                if drop.ticket > self._handed:
                    self._hand(drop, await anyio.to_thread.run_sync(read, drop.data))
            while True:
                woken.clear()
                await self._scan(watch.closed if watch else set())
                if time.monotonic() - purged >= PURGE_S:
                    purged = time.monotonic()
                    await anyio.to_thread.run_sync(self.spool.purge, self.settings().keep_days * 86400)
                if await self._sleep(woken, watch):
                    self._unwatch(watch)
                    watch = await self._watch(woken)
        finally:
            self._unwatch(watch)

    async def drain(self) -> None:
        """Nothing to wait for: a claim runs in a thread, to its end, whatever is cancelled around it."""

    # Waiting

    async def _sleep(self, woken: asyncio.Event, watch: Watch | None) -> bool:
        """Until an event, the next scan or a failed health check; says whether to watch afresh."""
        rest = self.settings().rescan_seconds
        closed = watch.closed if watch else set()
        ends = time.monotonic() + min([rest if watch else min(rest, BLIND_S), *self._deadlines(closed)])
        while (left := ends - time.monotonic()) > 0:
            with anyio.move_on_after(min(left, HEALTH_S)):
                await woken.wait()
            if woken.is_set():
                await anyio.sleep(DEBOUNCE_S)
                return False
            if self.spool.moved():
                log.warning("the inbox was replaced", inbox=str(self.spool.path))
                await anyio.to_thread.run_sync(self.spool.reopen)
                return True
            if watch and not watch.alive():
                log.warning("the watch died", inbox=str(self.spool.path))
                return True
        return watch is None

    def _deadlines(self, closed: set[str]) -> list[float]:
        """Seconds until each name that is left becomes final."""
        now = time.monotonic()
        waiting = [(name, sight) for name, sight in self._sights.items() if not sight.given_up]
        return [
            max(0.0, sight.since + (self.closed_s if f"{name}.json" in closed else self.unchanged_s) - now)
            for name, sight in waiting
        ]

    async def _watch(self, woken: asyncio.Event) -> Watch | None:
        if is_remote(self.spool.path):
            return None
        watch = Watch(self.spool.path, asyncio.get_running_loop(), woken)
        try:
            watch.start()
        except OSError as error:
            watch.stop()
            if not self._blind:
                log.warning("no events, scanning instead", inbox=str(self.spool.path), error=str(error))
            self._blind = True
            return None
        self._blind = False
        return watch

    def _unwatch(self, watch: Watch | None) -> None:
        if watch is not None:
            self.overflows += watch.overflows
            watch.stop()

    # Scanning

    async def _scan(self, closed: set[str]) -> None:
        marked = set(closed)
        seen = await anyio.to_thread.run_sync(self.spool.look)
        names = {one.name for one in seen}
        self._sights = {name: sight for name, sight in self._sights.items() if name in names}
        for one in seen:
            try:
                await self._look_at(one, closed=f"{one.name}.json" in marked)
            except FileNotFoundError:
                self._sights.pop(one.name, None)
            except (
                OSError
            ) as error:  # this one waits; a full disk or a stray permission must not stop the others
                log.error("cannot take a drop", drop=one.name, error=str(error))
                self._sights[one.name] = Sight(one.signature, time.monotonic())
        # A mark outlives neither its file nor the scan that dealt with it.
        closed -= {name for name in marked if name.removesuffix(".json") not in self._sights}
        before, self.pending = self.pending, sum(not one.given_up for one in self._sights.values())
        self.beat = time.monotonic()
        if seen or before != self.pending:
            self.stirred()

    async def _look_at(self, one: Seen, closed: bool) -> None:
        """Takes, refuses or leaves one name. While it is in `_sights` it counts as pending."""
        sight = self._sights.get(one.name)
        if sight is None or sight.signature != one.signature:
            sight = self._sights[one.name] = Sight(one.signature, time.monotonic())
        age = time.monotonic() - sight.since
        if sight.given_up:
            return
        if why := self._never(one):
            await self._refuse(one, sight, why)
            return
        try:
            data = await anyio.to_thread.run_sync(self.spool.read, one.name)
        except PermissionError as error:
            if age >= self.unchanged_s:
                what = BadSubgraph(
                    "$", "a file that the daemon may not read", "a readable file", "permission"
                )
                await self._refuse(one, sight, what)
            log.debug("unreadable", drop=one.name, error=str(error))
            return
        if len(data) <= LARGEST and (whole(data) or age >= (self.closed_s if closed else self.unchanged_s)):
            drop, read_as = await anyio.to_thread.run_sync(self._claim, one.name, data)
            del self._sights[one.name]
            self._hand(drop, read_as)

    def _never(self, one: Seen) -> BadSubgraph | None:
        """Why a name can never become a drop."""
        if one.strange:
            what = (
                f"{one.strange} to {self.spool.link_target(one.name)}"
                if "link" in one.strange
                else one.strange
            )
            return BadSubgraph("$", what, "a regular file", "no regular file", "copy the file itself")
        if one.size > LARGEST:
            return BadSubgraph("$", f"{one.size} bytes", f"at most {LARGEST} bytes", "limit")
        return None

    async def _refuse(self, one: Seen, sight: Sight, why: BadSubgraph) -> None:
        """Once, even where it cannot be moved away."""
        sight.given_up = True
        self.refused += 1
        log.warning("refused", drop=one.name, found=why.found, wanted=why.wanted)
        await anyio.to_thread.run_sync(self.spool.refuse, one, error_record(why, None))

    def _claim(self, name: str, data: bytes) -> tuple[Drop, Subgraph | BadSubgraph]:
        return self.spool.claim(name, data), read(data)

    def _hand(self, drop: Drop, read_as: Subgraph | BadSubgraph) -> None:
        self._handed = drop.ticket
        self.take(drop, read_as)


def whole(data: bytes) -> bool:
    """Whether the bytes are one JSON value: what a half-written file is not. Numbers are not converted."""
    try:
        json.loads(data.decode(), parse_int=len, parse_float=len)
    except RecursionError:
        return True  # nested beyond every limit: the reader of subgraphs says so better
    except ValueError:
        return False
    return True


def read(data: bytes) -> Subgraph | BadSubgraph:
    """What the bytes mean. No input may stop the daemon, not even one that finds a bug in the reader."""
    try:
        return Subgraph.from_json(data)
    except BadSubgraph as error:
        return error
    except Exception as error:
        log.exception("the reader of subgraphs failed")
        return BadSubgraph(
            "$", f"{type(error).__name__}: {error}", "a subgraph", "internal error", "please report it"
        )


def error_record(error: BadSubgraph, drop: Drop | None) -> dict[str, object]:
    """`error.json`; `drop_sha256` is null for what was never read."""
    return {
        "schema_version": 1,
        **error.to_dict(),
        "drop_sha256": drop.sha256 if drop else None,
        "finished": time.time(),
    }
