"""The search against random sampling: equal trials of the same tasks, timed on the same stand, in turn."""

from __future__ import annotations

import contextlib
import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from anyio.from_thread import BlockingPortal, start_blocking_portal

from ansord.store import Journal, Store
from ansord.tune import Session, Task, Workshop, open_workshop
from ansord_client.subgraph import Subgraph
from benchmarks.accept.claim import Claim, Values, Verdict
from benchmarks.accept.daemon import example

TASKS = ("paper/gmm_3", "paper/c2d_3", "paper/t2d_2")
SEEDS = 5
TRIALS = 48
HOWS = {"search": "full", "random": "random"}
"""Names in the figure, and the strategies that they mean."""


@dataclass(frozen=True)
class Bench:
    """Tools that all sessions share; each gets a store and a journal of its own."""

    folder: Path
    workshop: Workshop
    portal: BlockingPortal


def claim(tasks: Sequence[str], seeds: int, trials: int) -> Claim[Bench]:
    steps = {
        f"{name} {seed} {how}": partial(searched, name, seed, how, trials)
        for name in tasks
        for seed in range(seeds)
        for how in HOWS
    }
    return Claim("search", steps, verdict, opened)


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[Bench]:
    with start_blocking_portal() as portal:
        shared = open_workshop(folder / "cache", folder / "state")
        with portal.wrap_async_context_manager(shared) as workshop:
            yield Bench(folder, workshop, portal)


def searched(name: str, seed: int, how: str, trials: int, bench: Bench) -> dict[str, Any]:
    """The latency of the kernel that is published after so many trials, measured anew as it is published."""
    tools = bench.workshop.tools
    task = Task(Subgraph.from_dict(example(name, trials)), tools.target)
    place = bench.folder / f"{Path(name).name}-{seed}-{how}"
    place.mkdir(exist_ok=True)
    (place / "records.log").unlink(missing_ok=True)
    with Store.open(place / "cache") as store, Journal(place / "records.log") as journal:
        store.remove(task.key, tools.host.key)  # of an interrupted run
        own = replace(tools, store=store, journal=journal)
        session = Session(task, own, seed=seed, strategy=HOWS[how])
        return bench.portal.call(finished, session, trials)


async def finished(session: Session, trials: int) -> dict[str, Any]:
    try:
        while session.trials < trials and not session.done:
            await session.round(trials - session.trials)
    finally:
        await session.close()
    best = session.best
    return {
        "latency_us": best.latency_us if best else None,
        "trials": session.trials,
        "failed": session.failed_trials,
    }


def verdict(values: Values) -> Verdict:
    found: dict[str, dict[str, list[float]]] = {}
    for step, value in values.items():
        name, _, how = step.split()
        latency = math.inf if value["latency_us"] is None else value["latency_us"]
        found.setdefault(name, {one: [] for one in HOWS})[how].append(latency)
    words, ok = [], True
    for name, by in found.items():
        search, random = (statistics.median(by[how]) for how in HOWS)
        ok = ok and search < random
        words.append(
            f"{Path(name).name} {random / search:.2f} times ({search:.0f} µs, random {random:.0f} µs)"
        )
    counts = {value["trials"] for value in values.values()}
    figure = f"faster than random: {', '.join(words)}; {min(counts)} to {max(counts)} trials each"
    return Verdict(figure, "more than once on each task, by the median of the seeds", ok)


FULL = claim(TASKS, SEEDS, TRIALS)
DRAW = claim(["paper/gmm_1"], 1, 6)
