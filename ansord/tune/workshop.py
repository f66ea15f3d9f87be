"""Where sessions are made: tools opened once, trials of earlier processes read once from the journal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio.to_thread

from ansord.build import find_compiler
from ansord.record import BadRecord, Trial
from ansord.search import Task
from ansord.store import Journal, Store
from ansord.tune.session import Session
from ansord.tune.tools import Tools, open_tools
from ansord_client.host import host
from ansord_client.subgraph import Subgraph

JOURNAL = "records.log"
SCRATCH = "scratch"
MEMORY = "learned-{}.bin"
"""Names in the state directory: the journal, the directory of builds and reference answers, and what the
search has learned on a host."""


class Workshop:
    """Makes the session of a subgraph; what its task has been through before is in the session."""

    def __init__(self, tools: Tools, history: dict[str, list[Trial]], seed: int) -> None:
        self.tools = tools
        self.history = history
        self.seed = seed

    async def open(self, subgraph: Subgraph) -> Session:
        """The session of this subgraph on this host."""
        task = Task(subgraph, self.tools.target)
        history = self.history.setdefault(task.key, [])

        def made() -> Session:
            return Session(task, self.tools, seed=self.seed, history=history)

        session = await anyio.to_thread.run_sync(made)
        await session.ensure_published()
        return session


@asynccontextmanager
async def open_workshop(
    cache: Path,
    state: Path,
    *,
    threads: int | None = None,
    compiler: str | None = None,
    builders: int = 2,
    seed: int = 0,
) -> AsyncIterator[Workshop]:
    """The workshop of one process; holds the cache's lock while it is open.

    :raises NoCompiler: there is none on this machine.
    :raises StoreBusy: another process owns the cache.
    """
    found = await anyio.to_thread.run_sync(find_compiler, compiler)
    machine = host().with_threads(threads)
    await anyio.Path(state).mkdir(parents=True, exist_ok=True)
    with Store.open(cache) as store, Journal(state / JOURNAL) as journal:
        history = await anyio.to_thread.run_sync(trials_by_key, journal, machine.key)
        memory = state / MEMORY.format(machine.key)
        scratch = state / SCRATCH
        async with open_tools(machine, store, journal, scratch, found, builders, memory) as tools:
            yield Workshop(tools, history, seed)


def trials_by_key(journal: Journal, host_key: str) -> dict[str, list[Trial]]:
    """The journal's trials on this host; records of other versions are passed over."""
    found: dict[str, list[Trial]] = {}
    for payload in journal.replay():
        try:
            trial = Trial.from_bytes(payload)
        except BadRecord:
            continue
        if trial.host_key == host_key:
            found.setdefault(trial.key, []).append(trial)
    return found
