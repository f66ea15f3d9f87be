"""The tuner service: gives a round to the task that the plan names, and settles those that have enough.

It drives sessions and knows nothing of how they search. A task whose rounds keep failing is settled as failed
with the reason, so that one poisoned task cannot stop the others; a full disk only makes it wait.
"""

from __future__ import annotations

import asyncio
import errno
import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import anyio
import structlog

from ansord.daemon.inbox import error_record
from ansord.daemon.kernel import brief
from ansord.daemon.plan import Found, Order, Plan, Task
from ansord.daemon.publisher import Settlement
from ansord.daemon.spool import DONE, FAILED
from ansord.record import Measured, Trial
from ansord.scheduler import roof
from ansord.store import StoreError, StoreFull
from ansord_client.entry import Entry
from ansord_client.errors import BadSubgraph

log = structlog.get_logger("tuner")

MOST_FAULTS = 3
"""Rounds of one task in a row that may end in an exception."""
SHORTAGES = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM}
"""What is the machine's fault and no task's."""

WINDOW = 24
"""Searches that stay open: each holds about 30 MiB, and reopening one costs time. A model has 24 tasks, and
turns go from one to the next."""
LONGEST = 500
"""Characters of a message that goes into a record."""


class Known(Protocol):
    """What is known of a task: the kernel that is published, and the trials of this and earlier processes."""

    @property
    def trials(self) -> int: ...

    @property
    def failed_trials(self) -> int: ...

    @property
    def history(self) -> Sequence[Trial]: ...

    @property
    def best(self) -> Entry | None: ...


class Session(Known, Protocol):
    """One task's search, as `ansord.tune` has it."""

    @property
    def done(self) -> bool:
        """Whether there is nothing left to try."""
        ...

    async def round(self, limit: int) -> object:
        """Tries at most `limit` programs, remembers what came of them, publishes what is better."""
        ...

    async def close(self) -> None: ...


class Workshop(Protocol):
    """What sessions are made of, held open while the tuner lives."""

    def known(self, key: str) -> Known | None:
        """Without opening anything; None where no kernel is published."""
        ...

    async def open(self, task: Task) -> Session: ...


class Tuner:
    """`workshop()` is entered once per life of the service."""

    name = "tuner"
    patience = 10.0

    def __init__(
        self,
        plan: Plan,
        workshop: Callable[[], AbstractAsyncContextManager[Workshop]],
        settle: Callable[[Settlement], None],
        stirred: Callable[[], None],
        wait_s: float = 10.0,
    ) -> None:
        self._plan = plan
        self._workshop = workshop
        self._settle = settle
        self._stirred = stirred
        self._wait_s = wait_s
        self._woken = asyncio.Event()
        self._ended = asyncio.Event()
        self._empty = asyncio.Event()
        self._draining = False
        self.sessions: dict[str, Session] = {}
        self.current: str | None = None
        """The key whose round is under way."""
        self.open = False
        """Whether the workshop is: compilers found, roofs measured."""
        self.rounds = 0
        self.trouble: str | None = None
        self.beat = time.monotonic()

    def wake(self) -> None:
        """There is a new task."""
        self._empty.clear()
        self._woken.set()

    async def idle(self) -> None:
        """Returns when no task is open."""
        await self._empty.wait()

    async def run(self) -> None:
        self._ended.clear()
        try:
            async with self._workshop() as workshop:
                self.open = True
                self._stirred()
                try:
                    await self._work(workshop)
                finally:
                    await self._close_all()  # while there is a store to publish in
        finally:
            self.current, self.open = None, False
            self._ended.set()

    async def _work(self, workshop: Workshop) -> None:
        """Turns until it drains, and sleep while no task is open."""
        while not self._draining:
            self._woken.clear()
            self.beat = time.monotonic()
            turn = self._plan.next(time.time())
            if turn is not None:
                await self._turn(workshop, turn.task, turn.ends)
            else:
                self._empty.set()
                await self._woken.wait()

    async def drain(self) -> None:
        """The round under way is finished, or cut off when the patience is over."""
        self._draining = True
        self._woken.set()
        await self._ended.wait()

    async def _close_all(self) -> None:
        with anyio.CancelScope(shield=True):
            for key in list(self.sessions):
                await self._close(key)

    async def _close(self, key: str) -> None:
        session = self.sessions.pop(key, None)
        if session is not None:
            await session.close()

    async def _turn(self, workshop: Workshop, task: Task, ends: str | None) -> None:
        """One round of one task, or its end."""
        self.current = task.key
        try:
            known = None if task.key in self.sessions else workshop.known(task.key)
            if known is not None and (ends or known.trials >= task.budget.trials):
                await self._finish(task, known, ends)
                return
            if known is not None and task.curve.trials == 0:
                self._heard(task, known, None)  # of an earlier process: it need not be first again
                return
            session = await self._opened(workshop, task)
            left = task.budget.trials - session.trials
            if ends or left <= 0 or session.done:
                await self._finish(task, session, ends)
                return
            await self._round(task, session, min(left, affordable(task)))
        except Exception as error:
            await self._fault(task, error)
        finally:
            self.current = None
            self._stirred()

    async def _round(self, task: Task, session: Session, limit: int) -> None:
        started = time.monotonic()
        try:
            await session.round(limit)
        finally:
            self._heard(task, session, time.monotonic() - started)
        task.rounds += 1
        task.faults = 0
        self.rounds += 1
        self.trouble = None

    def _heard(self, task: Task, found_out: Known, spent: float | None) -> None:
        """Tells the plan what there is by now."""
        best = found_out.best
        seconds = math.inf if best is None else best.latency_us / 1e6
        new = found_out.history[task.curve.trials :]
        earlier = [trial.outcome.seconds for trial in new] if spent is None else ()
        measured = [trial.outcome.seconds for trial in new if isinstance(trial.outcome, Measured)]
        least = 0.0 if best is None else roof(best)
        task.found = Found(found_out.trials, found_out.failed_trials, best)
        self._plan.heard(task, found_out.trials, min([seconds, *measured]), spent, least, earlier)

    async def _opened(self, workshop: Workshop, task: Task) -> Session:
        """The task's session, the last of at most WINDOW that are open."""
        session = self.sessions.pop(task.key, None)
        while len(self.sessions) >= WINDOW:
            await self._close(next(iter(self.sessions)))
        self.sessions[task.key] = session if session is not None else await workshop.open(task)
        return self.sessions[task.key]

    async def _fault(self, task: Task, error: Exception) -> None:
        await self._close(task.key)
        if isinstance(error, StoreError) and not isinstance(error, StoreFull):
            raise error  # the places themselves are gone or changed: the next life opens them anew
        if isinstance(error, StoreFull) or isinstance(error, OSError) and error.errno in SHORTAGES:
            self.trouble = f"tuning waits: {error}"
            log.error("tuning waits", error=str(error))
            self._stirred()
            with anyio.move_on_after(self._wait_s):
                while not self._draining:
                    await self._woken.wait()
                    self._woken.clear()
            return
        task.faults += 1
        log.error("a round failed", task=task.label, key=task.key, error=brief(error), exc_info=error)
        if task.faults >= MOST_FAULTS:
            why = BadSubgraph("$", brief(error), "a kernel", "tuning failed", "please report it with the log")
            self._fail(self._plan.close(task.key), why)

    async def _finish(self, task: Task, found_out: Known, ends: str | None) -> None:
        """Settles the task; or, where the deadline of only some of its drops has passed, these."""
        best, trials, failed = found_out.best, found_out.trials, found_out.failed_trials
        late = self._plan.due(task, time.time()) if ends and best is not None else []
        if not late:
            self._plan.close(task.key)
            await self._close(task.key)
        if best is None:
            found = f"{trials} trials, {failed} of them failed: {failures(found_out.history)}"
            self._fail(task, BadSubgraph("$", found, "a correct kernel", "tuning failed"))
            return
        log.info("tuned", task=task.label, key=task.key, latency_us=best.latency_us, trials=trials, why=ends)
        self._settle_orders(late or task.orders, best, {"trials": trials, "failed_trials": failed})

    def _settle_orders(self, orders: Sequence[Order], best: Entry, counts: dict[str, int]) -> None:
        for order in orders:
            record = best.summary(order.label, order.drop.sha256) | counts
            self._settle(Settlement(order.drop, DONE, record))

    def _fail(self, task: Task, why: BadSubgraph) -> None:
        log.error("tuning failed", task=task.label, key=task.key, found=why.found)
        for order in task.orders:
            self._settle(Settlement(order.drop, FAILED, error_record(why, order.drop)))


def affordable(task: Task) -> int:
    """How many trials the task's seconds still pay for, at the pace so far; at least one."""
    if not task.tried:
        return task.budget.trials
    return max(1, math.ceil((task.budget.seconds - task.seconds) * task.tried / task.seconds))


def failures(history: Sequence[Trial]) -> str:
    """What became of the trials that failed, and the words of the last one."""
    failed = [trial.outcome for trial in history if not isinstance(trial.outcome, Measured)]
    counts = Counter(type(outcome).__name__ for outcome in failed)
    said = ", ".join(f"{count} {kind}" for kind, count in counts.most_common())
    return f"{said}; the last: {failed[-1]}"[:LONGEST] if failed else "none measured"


def progress(task: Task, session: Session | None, outlook: dict[str, Any]) -> dict[str, Any]:
    """One task as the status shows it; `outlook` is the plan's."""
    found, state = session or task.found, task.state
    best = found.best
    return {
        "key": task.key,
        "name": task.label,
        "drops": len(task.orders),
        "weights": [{"model": use.model, "weight": use.weight} for use in state.uses],
        "trials": found.trials,
        "failed_trials": found.failed_trials,
        "trials_wanted": state.trials_wanted,
        "seconds": round(task.seconds, 3),
        "seconds_wanted": state.seconds_wanted,
        "latency_us": best.latency_us if best else None,
        "gflops": best.gflops if best else None,
        "share_of_bound": best.share_of_bound if best else None,
        "bound": best.bound if best else None,
        **outlook,
    }
