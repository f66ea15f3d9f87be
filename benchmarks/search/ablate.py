"""The ablations of the paper's figures, measured: the full search, no fine-tuning, no model, limited space.

    python -m benchmarks.search ablate --into DIR [--seeds 3] [--trials 64] [--seconds 100] paper/gmm_3 ...

Every run is a whole session on the real machine, with a store of its own and nothing learned before but the
prior. Runs are kept in DIR/runs.json and not repeated; DIR/*.svg show the best latency over trials and over
seconds, the median of the seeds.
"""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from anyio.from_thread import start_blocking_portal

from ansord.record import Trial
from ansord.search import Task
from ansord.store import Journal, Store
from ansord.tune import Session, Workshop, open_workshop
from ansord_client.subgraph import Subgraph
from benchmarks.search.plot import curves_svg
from benchmarks.search.record import EXAMPLES

STRATEGIES = ("full", "random", "no model", "limited")
Run = dict[str, Any]


def ablate(names: list[str], into: Path, seeds: int, trials: int, seconds: float) -> None:
    """Makes the runs that are missing, for at most so long; then draws."""
    until = time.monotonic() + seconds
    into.mkdir(parents=True, exist_ok=True)
    file = into / "runs.json"
    runs: list[Run] = json.loads(file.read_text()) if file.exists() else []
    done = {(run["task"], run["strategy"], run["seed"]) for run in runs}
    wanted = [
        (name, strategy, seed) for seed in range(seeds) for name in names for strategy in STRATEGIES
    ]
    with start_blocking_portal() as portal:
        for name, strategy, seed in wanted:
            stem = Path(name).name
            if (stem, strategy, seed) in done or time.monotonic() > until:
                continue
            # A process and a state for each run: what one has learned must not help the next.
            place = into / "state" / f"{stem}-{strategy}-{seed}".replace(" ", "-")
            with portal.wrap_async_context_manager(open_workshop(place / "cache", place)) as workshop:
                curve = portal.call(searched, workshop, name, strategy, seed, trials, place)
            runs.append({"task": stem, "strategy": strategy, "seed": seed, "curve": curve})
            file.write_text(json.dumps(runs))
            took, best = curve[-1]
            print(f"{stem} {strategy} {seed}: {best * 1e6:.1f} µs in {took:.1f} s", flush=True)
    draw(runs, into)


async def searched(
    workshop: Workshop, name: str, strategy: str, seed: int, trials: int, place: Path
) -> list[tuple[float, float]]:
    """(seconds since the start, seconds of the best program) after each trial."""
    document = json.loads((EXAMPLES / f"{name}.json").read_text())
    task = Task(Subgraph.from_dict(document), workshop.tools.target)
    started = time.monotonic()
    curve: list[tuple[float, float]] = []

    def watch(trial: Trial) -> None:
        best = min(trial.outcome.seconds, curve[-1][1] if curve else float("inf"))
        curve.append((time.monotonic() - started, best))

    with Store.open(place / "own") as store, Journal(place / "own.log") as journal:
        tools = replace(workshop.tools, store=store, journal=journal)
        session = Session(task, tools, seed=seed, strategy=strategy)
        try:
            while session.trials < trials and not session.done:
                await session.round(trials - session.trials, watch)
        finally:
            await session.close()
    return curve


def draw(runs: list[Run], into: Path) -> None:
    """One picture per task and axis."""
    for task in sorted({run["task"] for run in runs}):
        mine = [run for run in runs if run["task"] == task]
        for axis in ("trials", "seconds"):
            by: dict[str, list[list[tuple[float, float]]]] = {}
            for run in mine:
                points = [
                    (float(place + 1) if axis == "trials" else at, best * 1e6)
                    for place, (at, best) in enumerate(run["curve"])
                ]
                by.setdefault(run["strategy"], []).append(points)
            (into / f"{task}-{axis}.svg").write_text(curves_svg(task, axis, by))
