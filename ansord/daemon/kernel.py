"""The daemon's kernel: runs an ordered table of services, restarts what dies, stops all in reverse order.

`serve` hands it the table. It knows no service by name, and ends the process rather than limp on: a service
that keeps dying takes the others with it, and the service manager above starts afresh.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import anyio
import structlog

from ansord_client.errors import AnsordError

log = structlog.get_logger("kernel")


class Service(Protocol):
    """What a row of the table has."""

    @property
    def name(self) -> str: ...

    @property
    def patience(self) -> float:
        """Seconds that `drain` may take."""
        ...

    async def run(self) -> None:
        """Lives until it is cancelled; after a death it is run again."""
        ...

    async def drain(self) -> None:
        """Finishes what must not be cut short; `run` is cancelled when this returns."""
        ...


class Fatal(AnsordError):
    """What no restart can mend; it ends the daemon with this message."""


@dataclass(frozen=True, slots=True)
class Policy:
    """At most `deaths` in `window_s` seconds; between lives `first_s`, doubling up to `last_s`, jittered."""

    deaths: int = 5
    window_s: float = 300.0
    first_s: float = 0.5
    last_s: float = 30.0


class Kernel:
    """`await Kernel(table).run(stop)` returns once `stop` is set and every service has drained."""

    def __init__(self, services: Sequence[Service], policy: Policy = Policy()) -> None:  # noqa: B008 - a value
        self._services = tuple(services)
        self._policy = policy
        self._random = random.Random()
        self.restarts = {service.name: 0 for service in services}

    async def run(self, stop: anyio.Event) -> None:
        """Raises Fatal when a service gives up; the others are cancelled first."""
        async with anyio.create_task_group() as group:
            lives = []
            for service in self._services:
                life = _Life(service)
                lives.append(life)
                group.start_soon(self._supervise, life)
            await stop.wait()
            # 1. The last row first: no new work comes in before what feeds on it has gone.
            for life in reversed(lives):
                # 2. Each may finish what must not be cut short, within its patience.
                with anyio.move_on_after(life.service.patience) as patience:
                    await life.service.drain()
                if patience.cancelled_caught:
                    log.warning("did not drain in time", service=life.service.name)
                # 3. Only when it is gone is the row before it asked.
                life.scope.cancel()
                await life.gone.wait()

    async def _supervise(self, life: _Life) -> None:
        deaths: deque[float] = deque()
        try:
            with life.scope:
                while True:
                    try:
                        await life.service.run()
                        return
                    except Fatal:
                        raise
                    except Exception as error:
                        pause = self._pause_after_death(life.service.name, deaths, error)
                    await anyio.sleep(pause)
        finally:
            life.gone.set()

    def _pause_after_death(self, name: str, deaths: deque[float], error: Exception) -> float:
        """Seconds to wait before the next life. Raises Fatal where there have been too many."""
        policy, now = self._policy, anyio.current_time()
        deaths.append(now)
        while deaths[0] < now - policy.window_s:
            deaths.popleft()
        log.error("service died", service=name, deaths=len(deaths), error=brief(error), exc_info=error)
        if len(deaths) > policy.deaths:
            raise Fatal(f"the service {name} died {len(deaths)} times: {brief(error)}") from error
        self.restarts[name] += 1
        pause: float = min(policy.last_s, policy.first_s * 2 ** (len(deaths) - 1))
        return pause * self._random.uniform(0.5, 1.5)


class _Life:
    def __init__(self, service: Service) -> None:
        self.service = service
        self.scope = anyio.CancelScope()
        self.gone = anyio.Event()


def told(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The exception that says what happened, out of the wrapping of task groups."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def brief(error: BaseException) -> str:
    """An exception in one line; of a group, its first leaf."""
    if isinstance(error, BaseExceptionGroup):
        error = told(error)
    return f"{type(error).__name__}: {error}".splitlines()[0]
