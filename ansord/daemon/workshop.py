"""Where the daemon's sessions come from: `tune`'s workshop, with the daemon's settings.

`serve` and `tune_all` enter it, the tuner asks it for sessions. It knows how to open, not how to search.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from ansord import __version__, tune
from ansord.build import find_compiler
from ansord.daemon.kernel import Fatal
from ansord.daemon.plan import Task
from ansord.daemon.settings import Settings
from ansord.record import Measured, Trial
from ansord.store import StoreError
from ansord_client.entry import Entry
from ansord_client.host import host


@dataclass(frozen=True, slots=True)
class Known:
    """A published kernel and the trials that the journal has of it; a journal may have been lost."""

    best: Entry
    history: tuple[Trial, ...]

    @property
    def trials(self) -> int:
        return max(len(self.history), self.best.trials)

    @property
    def failed_trials(self) -> int:
        failed = sum(not isinstance(trial.outcome, Measured) for trial in self.history)
        return max(failed, self.best.failed_trials)


class Workshop:
    """One process's; the cache and the journal are its own while it is open."""

    def __init__(self, inner: tune.Workshop) -> None:
        self._inner = inner

    def known(self, key: str) -> Known | None:
        """From the index and the journal's memory alone."""
        tools = self._inner.tools
        entry = tools.store.find(key, tools.host.key)
        return None if entry is None else Known(entry, tuple(self._inner.history.get(key, ())))

    async def open(self, task: Task) -> tune.Session:
        return await self._inner.open(task.subgraph)


class Opening:
    """What `serve` needs to begin: `open()` enters the workshop, `facts` go into the status.

    Raises NoCompiler; entering raises Fatal where another process writes the cache or the journal."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        here = host().with_threads(settings.threads)
        self.facts: dict[str, Any] = {
            "version": __version__,
            "host_key": here.key,
            "threads": here.threads,
            "compiler": str(find_compiler(settings.compiler)),
        }

    def open(self) -> AbstractAsyncContextManager[Workshop]:
        return _open(self._settings)


@contextlib.asynccontextmanager
async def _open(settings: Settings) -> AsyncIterator[Workshop]:
    opening = tune.open_workshop(
        settings.cache,
        settings.state,
        threads=settings.threads,
        compiler=settings.compiler,
        builders=settings.builders,
        seed=settings.seed,
    )
    try:
        inner = await opening.__aenter__()
    except StoreError as error:
        raise Fatal(str(error)) from error
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_exit(opening)
        yield Workshop(inner)
