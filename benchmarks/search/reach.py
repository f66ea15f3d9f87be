"""How soon a search reaches what TVM's searches had after 128 trials, everything included.

    python -m benchmarks.search reach [--only REGEX] [--into DIR] [--seeds 3] [--patience 60] [--seconds S]

TVM's latencies are stored in units of the peak that was measured beside them (`benchmarks.paper.stored`) and
are put on this machine's. The clock starts before the searching process does. A program counts as having
reached a latency at the time of its trial, but only if it also does when it is measured again, three times,
with the clock stopped.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from ansord.record import Trial
from ansord.search import Task
from ansord.tune import Session
from benchmarks.paper import cases
from benchmarks.paper.stored import MICROSECONDS, SEARCHES, latencies
from benchmarks.search.sessions import Bench, add_budget, again, opened, resumed

WANTED = {"ansor": (3.0, 10.0), "metaschedule": (5.0, 15.0)}
"""Seconds: the median of the cases, and the worst."""
ROUND = 16

Found = dict[str, Any]
"""goals: µs by search; seconds: until each was reached, None where patience ended; start: what the processes
took of them; best_us: the fastest trial; trials."""


def arguments(parser: argparse.ArgumentParser) -> None:
    add_budget(parser, ".bench/reach")
    parser.add_argument("--only", nargs="+", default=list(MICROSECONDS), choices=MICROSECONDS, metavar="CASE")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--patience", type=float, default=60.0, help="seconds of searching, for each run")


def run(options: argparse.Namespace) -> None:
    """Does the runs that are missing, for at most so long; then the table."""
    patience = options.patience
    steps = {
        f"{name}/{seed}/{patience:g}": partial(reached, name=name, seed=seed, patience=patience)
        for seed in range(options.seeds)
        for name in options.only
    }
    print(table(resumed(options.into / "reach.json", steps, options.seconds, "{}: {}".format)))


async def reached(shared: Bench, name: str, seed: int, patience: float) -> Found:
    """One run."""
    (case,) = cases.table(only=f"^{name}$")
    goals = latencies(case.name, shared.tools.peak.flops("float32") / 1e9)
    task = Task(case.subgraph, shared.tools.target)
    clock = Clock()
    trials: list[tuple[float, Trial]] = []
    judged: dict[str, float] = {}
    seconds: dict[str, float | None] = dict.fromkeys(goals)
    async with opened(shared, task, seed) as session:
        start = clock.seconds
        while None in seconds.values() and clock.seconds < patience and not session.done:
            await session.round(1 << 20, lambda trial: trials.append((clock.seconds, trial)))
            with clock:
                for search, goal in goals.items():
                    if seconds[search] is None:
                        seconds[search] = await confirmed(session, trials, goal * 1e-6, judged)
    best = min((trial.outcome.seconds for _, trial in trials), default=float("inf"))
    return {
        "goals": {search: round(goal, 2) for search, goal in goals.items()},
        "seconds": {search: at if at is None else round(at, 2) for search, at in seconds.items()},
        "start": round(start, 2), "best_us": round(best * 1e6, 2), "trials": len(trials),
    }  # fmt: skip


class Clock:
    """Seconds since it was made, but for the blocks in which it is stopped."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started

    def __enter__(self) -> None:
        self._stopped = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self._started += time.monotonic() - self._stopped


async def confirmed(
    session: Session, trials: list[tuple[float, Trial]], goal: float, judged: dict[str, float]
) -> float | None:
    """When the first program was tried that takes at most `goal` seconds, then and when measured again.
    `judged`: what was measured again so far, by program."""
    for at, trial in trials:
        if trial.outcome.seconds <= goal:
            if trial.program not in judged:
                judged[trial.program] = await again(session, trial.program)
            if judged[trial.program] <= goal:
                return at
    return None


def table(runs: Mapping[str, Found]) -> str:
    """The median of the seeds for each case, and over the cases what is wanted."""
    by: dict[str, list[Found]] = {}
    for name, found in runs.items():
        by.setdefault(name.split("/")[0], []).append(found)
    lines = [f"{'case':12}{'best µs':>10}" + "".join(f"{search:>14} µs{'s':>8}" for search in SEARCHES)]
    columns: dict[str, list[float]] = {search: [] for search in SEARCHES}
    for case, some in by.items():
        cells = [f"{case:12}{statistics.median(one['best_us'] for one in some):10.2f}"]
        for search in SEARCHES:
            took = [one["seconds"][search] for one in some]
            columns[search].append(statistics.median(float("inf") if one is None else one for one in took))
            cells.append(f"{some[0]['goals'][search]:17.2f}{columns[search][-1]:8.1f}")
        lines.append("".join(cells))
    for search, (middle, worst) in WANTED.items():
        if by:
            secs = columns[search]
            kept = statistics.median(secs) <= middle and max(secs) <= worst
            lines.append(
                f"to {search}: median {statistics.median(secs):.1f} s, worst {max(secs):.1f} s; "
                f"wanted: {middle:.0f} and {worst:.0f}, {'kept' if kept else 'MISSED'}"
            )
    if by:
        start = statistics.median(one["start"] for one in runs.values())
        lines.append(f"of it {start:.1f} s until the searching process and the stand were ready")
    return "\n".join(lines)
