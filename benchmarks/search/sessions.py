"""Whole searches on the real machine, each as on a host that has learned nothing but the prior, and as on a
task that the prior does not know."""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from anyio.from_thread import BlockingPortal, start_blocking_portal

from ansord.build import Artifact
from ansord.measure import Budget, Stand
from ansord.record import Measured
from ansord.search import Task
from ansord.store import Journal, Store
from ansord.tune import Proposal, Session, open_workshop
from ansord.tune.searcher import Searcher
from ansord.tune.session import Watch
from ansord.tune.tools import Tools
from ansord_client.host import host
from benchmarks.accept.claim import SEARCH, Notes, sources

AGAIN = 3
"""Times that a program is measured again to be believed; the median counts."""


@dataclass(frozen=True)
class Bench:
    """What all searches of one command share: compilers and the peak. `place`: for files that may be lost."""

    tools: Tools
    place: Path
    portal: BlockingPortal


@contextmanager
def bench(place: Path) -> Iterator[Bench]:
    """Opened in `place`, an absolute path of a directory."""
    with start_blocking_portal() as portal, tempfile.TemporaryDirectory(dir=place, prefix="bench-") as name:
        shared = open_workshop(Path(name) / "cache", Path(name) / "state")
        with portal.wrap_async_context_manager(shared) as workshop:
            yield Bench(workshop.tools, Path(name), portal)


Step = Callable[[Bench], Awaitable[Any]]


def add_budget(parser: argparse.ArgumentParser, into: str) -> None:
    """Where the figures are kept, and how long one call may take."""
    parser.add_argument("--into", type=Path, default=Path(into), metavar="DIR")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="of this call, in all")


def resumed(
    file: Path, steps: Mapping[str, Step], seconds: float, said: Callable[[str, Any], str]
) -> dict[str, Any]:
    """The values of the steps, plain JSON, as far as they are in `file` or can be begun within so many
    seconds. They are of one state of the sources that decide them, on one kind of machine: others are
    forgotten."""
    until = time.monotonic() + seconds
    file.parent.mkdir(parents=True, exist_ok=True)
    here = host()
    notes = Notes(file, f"{sources(SEARCH)} {here.key} {here.cpu_model}")
    missing = [name for name in steps if name not in notes.values]
    if missing and seconds > 0:
        with bench(file.parent.resolve()) as shared:
            for name in missing:
                if time.monotonic() > until:
                    break
                notes.keep(name, shared.portal.call(steps[name], shared))
                print(said(name, notes.values[name]), flush=True)
    return {name: notes.values[name] for name in steps if name in notes.values}


@asynccontextmanager
async def fresh(shared: Bench) -> AsyncIterator[Tools]:
    """The same compilers and peak; a searching process, a stand, a store and a journal of its own, whose
    files are gone afterwards."""
    tools = shared.tools
    with tempfile.TemporaryDirectory(dir=shared.place, prefix="run-") as name:
        folder = Path(name)
        async with Searcher(held_out=True) as searcher:
            still = (tools.builder.paused, searcher.paused)
            async with Stand(tools.builder, folder, threads=tools.host.threads, still=still) as stand:
                with Store.open(folder / "cache") as store, Journal(folder / "records.log") as journal:
                    yield replace(tools, searcher=searcher, stand=stand, store=store, journal=journal)


@asynccontextmanager
async def opened(shared: Bench, task: Task, seed: int, strategy: str = "full") -> AsyncIterator[Session]:
    """A search at its beginning, with fresh tools."""
    async with fresh(shared) as tools:
        session = Session(task, tools, seed=seed, strategy=strategy)
        try:
            yield session
        finally:
            await session.close()


async def searched_until(session: Session, trials: int, watch: Watch | None = None) -> None:
    """Goes on up to so many trials in all, or to the end of the space."""
    while session.trials < trials and not session.done:
        await session.round(trials - session.trials, watch)


async def again(session: Session, program: str) -> float:
    """Seconds of a program that the session has tried, measured anew: a search's own minimum is partly luck.
    Infinite where it fails."""
    tools, found = session.tools, []
    source = await tools.searcher.emit(session.task.key, program)
    built = await tools.builder.build(source.text) if source is not None else None
    if source is None or not isinstance(built, Artifact):
        return float("inf")
    runner, candidate = await session.runner(), Proposal(program, source).candidate(built)
    try:
        for _ in range(AGAIN):
            outcome = await runner.run(candidate, Budget())
            found.append(outcome.seconds if isinstance(outcome, Measured) else float("inf"))
    finally:
        built.discard()
    return statistics.median(found)
