"""The ablations of the paper's figures, measured: the full search, and what is left of it without its parts.

    python -m benchmarks.search ablate [--into DIR] [--seeds 10] [--trials 128] [--seconds S] [EXAMPLE ...]

Every run is a whole session on the real machine, with a store of its own and nothing learned before but the
prior, without what it knows of the task itself. Runs are kept in DIR/runs.json and not repeated while the
sources and the machine stay the same; DIR/*.svg show the best latency over trials and over seconds, the
median of the seeds; the table has the latency of what was published: measured again, the finalists in turn.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ansord.record import Trial
from ansord.search import Task
from ansord.search.process import STRATEGIES
from ansord_client.subgraph import load_subgraph
from benchmarks.search.plot import curves_svg
from benchmarks.search.record import EXAMPLES, FIGURES
from benchmarks.search.sessions import Bench, add_budget, opened, resumed, searched_until

Run = dict[str, Any]
"""curve: (seconds since the start, seconds of the best program) after each trial; published_us."""


def arguments(parser: argparse.ArgumentParser) -> None:
    add_budget(parser, ".bench/ablations")
    parser.add_argument("names", nargs="*", default=list(FIGURES), metavar="EXAMPLE", help="paper/c2d_3")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--trials", type=int, default=128)
    parser.add_argument("--strategies", nargs="+", choices=STRATEGIES, default=list(STRATEGIES))


def run(options: argparse.Namespace) -> None:
    """Makes the runs that are missing, for at most so long; then draws, and prints the table."""
    steps = {
        f"{Path(name).name}/{strategy}/{seed}/{options.trials}": partial(
            searched, name=name, strategy=strategy, seed=seed, trials=options.trials
        )
        for seed in range(options.seeds)
        for name in options.names
        for strategy in options.strategies
    }
    runs = resumed(options.into / "runs.json", steps, options.seconds, said)
    draw(runs, options.into)
    print(table(runs))


def said(name: str, found: Run) -> str:
    """A run in a line."""
    return f"{name}: {found['published_us']} µs in {found['curve'][-1][0]:.1f} s"


async def searched(shared: Bench, name: str, strategy: str, seed: int, trials: int) -> Run:
    """One run."""
    task = Task(load_subgraph(EXAMPLES / f"{name}.json"), shared.tools.target)
    curve: list[tuple[float, float]] = []
    async with opened(shared, task, seed, strategy) as session:
        started = time.monotonic()

        def watch(trial: Trial) -> None:
            best = min(trial.outcome.seconds, curve[-1][1] if curve else float("inf"))
            curve.append((round(time.monotonic() - started, 3), best))

        await searched_until(session, trials, watch)
    return {"curve": curve, "published_us": session.best and round(session.best.latency_us, 3)}


def draw(runs: Mapping[str, Run], into: Path) -> None:
    """One picture per task and axis."""
    axes: dict[str, Callable[[int, float], float]] = {
        "trials": lambda place, at: place + 1.0, "seconds": lambda place, at: at,
    }  # fmt: skip
    for task in sorted({name.split("/")[0] for name in runs}):
        for axis, x in axes.items():
            by: dict[str, list[list[tuple[float, float]]]] = {}
            for name, one in runs.items():
                if name.startswith(f"{task}/"):
                    points = [(x(place, at), best * 1e6) for place, (at, best) in enumerate(one["curve"])]
                    by.setdefault(name.split("/")[1], []).append(points)
            (into / f"{task}-{axis}.svg").write_text(curves_svg(task, axis, by))


def table(runs: Mapping[str, Run]) -> str:
    """The median of what each strategy published, and over the full search's."""
    found: dict[str, dict[str, list[float]]] = {}
    for name, one in runs.items():
        task, strategy, *_ = name.split("/")
        latency = float("inf") if one["published_us"] is None else one["published_us"]
        found.setdefault(task, {}).setdefault(strategy, []).append(latency)
    lines = [f"{'task':10}{'strategy':16}{'runs':>6}{'µs':>12}{'of full':>10}"]
    for task, by in found.items():
        full = statistics.median(by["full"]) if "full" in by else float("nan")
        for strategy, latencies in by.items():
            middle = statistics.median(latencies)
            lines.append(f"{task:10}{strategy:16}{len(latencies):6}{middle:12.2f}{middle / full:10.3f}")
    return "\n".join(lines)
