"""The daemon, put together: which services there are, in which order, and what signals mean.

The command line calls `serve`. All wiring between the services is here, and nothing else.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import anyio
import structlog

from ansord.daemon.inbox import Inbox, error_record
from ansord.daemon.kernel import Kernel, Service, told
from ansord.daemon.lease import lease
from ansord.daemon.notify import Notifier, notify
from ansord.daemon.owner import noted
from ansord.daemon.plan import Order, Plan
from ansord.daemon.publisher import Publisher, Settlement
from ansord.daemon.settings import RELOADED, Settings, fixed_differences
from ansord.daemon.spool import DONE, FAILED, Drop, Spool
from ansord.daemon.status import Reporter
from ansord.daemon.tuner import Tuner, Workshop, progress
from ansord_client.errors import BadConfig, BadSubgraph
from ansord_client.subgraph import Subgraph

if TYPE_CHECKING:
    from ansord.daemon.workshop import Opening

log = structlog.get_logger("daemon")

ROUND_LIMIT_S = 900.0
"""A round without an end for this long means that the search hangs; the watchdog is no longer fed."""

Workshops = Callable[[], AbstractAsyncContextManager[Workshop]]


def opening(settings: Settings) -> Opening:
    """What `serve` and `tune` begin with. Raises NoCompiler.

    Imported here, so that `ansord status` need not load the search and scikit-learn.
    """
    from ansord.daemon.workshop import Opening

    return Opening(settings)


class Daemon:
    """The services and what flows between them. `facts` are the lines of the status that never change."""

    def __init__(self, settings: Settings, workshop: Workshops, facts: dict[str, Any]) -> None:
        self.settings = settings
        self._facts = facts
        self._started = time.time()
        self.stop = anyio.Event()
        self._draining = False
        self.plan = Plan(settings.rules, settings.seed)
        self.spool = Spool(settings.inbox)
        self.reporter = Reporter(settings.state, self.snapshot)
        self.publisher = Publisher(self.spool, self.stirred)
        self.tuner = Tuner(self.plan, workshop, self.publisher.put, self.stirred)
        self.inbox = Inbox(self.spool, lambda: self.settings, self.take, self.stirred)
        self.notifier = Notifier(lambda: self.inbox.pending is not None, self.alive, self.line)
        services: tuple[Service, ...] = (
            self.reporter,  # started first, stopped last
            self.notifier,
            self.publisher,
            self.tuner,
            self.inbox,
        )
        self.kernel = Kernel(services)
        self.until_idle = False

    def take(self, drop: Drop, read_as: Subgraph | BadSubgraph) -> None:
        """Inbox to plan, or straight to `failed`."""
        if isinstance(read_as, BadSubgraph):
            log.warning("bad subgraph", drop=drop.name, error=str(read_as))
            self.publisher.put(Settlement(drop, FAILED, error_record(read_as, drop)))
            return
        log.info("took", drop=drop.name, key=read_as.key)
        replaced = self.plan.add(Order(drop, read_as))
        if replaced is not None:
            self.publisher.put(Settlement(replaced, None, {}))
        self.tuner.wake()

    def stirred(self) -> None:
        """Something changed that the status shows."""
        self.reporter.stirred()
        if self.until_idle and self.idle():
            self.stop.set()

    def idle(self) -> bool:
        return self.inbox.pending == 0 and len(self.plan) == 0 and len(self.publisher) == 0

    def alive(self) -> bool:
        """Whether every service makes progress."""
        now = time.monotonic()
        scans = now - self.inbox.beat < 3 * self.settings.rescan_seconds + 60
        return scans and (self.tuner.current is None or now - self.tuner.beat < ROUND_LIMIT_S)

    @property
    def failures(self) -> int:
        return self.publisher.settled[FAILED] + self.inbox.refused

    @property
    def trouble(self) -> str | None:
        return self.publisher.trouble or self.tuner.trouble

    def state(self) -> str:
        if self._draining:
            return "stopping"
        if self.inbox.pending is None or not self.tuner.open:
            return "starting"
        return "tuning" if len(self.plan) else "idle"

    def line(self) -> str:
        """For `systemctl status`."""
        done = f"{self.publisher.settled[DONE]} done, {self.failures} failed"
        return self.trouble or f"{self.state()}: {len(self.plan)} open tasks, {done}"

    def snapshot(self) -> dict[str, Any]:
        settings = self.settings
        return {
            "state": self.state(),
            "pid": os.getpid(),
            "started": self._started,
            **self._facts,
            "inbox": str(settings.inbox),
            "cache": str(settings.cache),
            "state_directory": str(settings.state),
            "trouble": self.trouble,
            "current": self.tuner.current,
            "counts": {
                "drops_done": self.publisher.settled[DONE],
                "drops_failed": self.failures,
                "drops_pending": self.inbox.pending or 0,
                "settling": len(self.publisher),
                "rounds": self.tuner.rounds,
                "overflows": self.inbox.overflows,
                "restarts": sum(self.kernel.restarts.values()),
            },
            "tasks": [
                progress(task, self.tuner.sessions.get(task.key), self.plan.outlook(task))
                for task in self.plan
            ],
        }

    async def run(self) -> None:
        """Until `stop` is set. Raises Fatal, in a group, when a service gives up."""
        try:
            await self.kernel.run(self.stop)
        finally:
            self.spool.close()

    def begin_stop(self) -> None:
        if not self._draining:
            self._draining = True
            notify("STOPPING=1")
            self.stirred()
        self.stop.set()

    def reload(self, load: Callable[[], Settings]) -> None:
        """What can change without a restart does; the rest is named in the log and stays."""
        try:
            fresh = load()
        except BadConfig as error:
            log.error("the old configuration stays", error=str(error))
            return
        if fixed := fixed_differences(self.settings, fresh):
            log.warning("these need a restart", fields=fixed)
        self.settings = replace(self.settings, **{name: getattr(fresh, name) for name in RELOADED})
        log.info("reloaded", **{name: getattr(fresh, name) for name in RELOADED})


async def serve(
    settings: Settings,
    workshop: Workshops,
    facts: dict[str, Any],
    *,
    until_idle: bool = False,
    reload: Callable[[], Settings] | None = None,
) -> int:
    """The daemon's life; the exit code. Raises Held, BadConfig, Fatal."""
    try:
        settings.state.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadConfig(f"the state directory {settings.state} cannot be used: {error.strerror}") from error
    with lease(settings.state):
        daemon = Daemon(settings, lambda: _noted(settings, workshop), facts)
        daemon.until_idle = until_idle
        try:
            async with _signals(daemon, reload):
                await daemon.run()
        except BaseExceptionGroup as group:
            raise told(group)  # noqa: B904 - it keeps the cause that it has
        return 1 if until_idle and daemon.failures else 0


@contextlib.asynccontextmanager
async def _noted(settings: Settings, workshop: Workshops) -> AsyncIterator[Workshop]:
    """The workshop, and while it holds the cache's lock, the note that says who does."""
    async with workshop() as opened:
        with noted(settings):
            yield opened


@contextlib.asynccontextmanager
async def _signals(daemon: Daemon, reload: Callable[[], Settings] | None) -> AsyncIterator[None]:
    """SIGTERM and SIGINT drain, a second one ends at once; SIGHUP reloads."""

    async def listen() -> None:
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as received:
            listening.set()
            async for number in received:
                if number == signal.SIGHUP:
                    if reload is not None:
                        daemon.reload(reload)
                elif daemon.stop.is_set():
                    os._exit(128 + number)  # compilers and runners end with the pipes that we held
                else:
                    log.info("draining", signal=signal.Signals(number).name)
                    daemon.begin_stop()

    listening = anyio.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(listen)
        await listening.wait()
        yield
        group.cancel_scope.cancel()
