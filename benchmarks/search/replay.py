"""Strategies against recorded pools: nothing is compiled or measured, and a seed reproduces a run.

A strategy proposes only what the pool holds; what it is told is what was measured. It is fitted after so many
trials as `FITS` says, whatever the machine.

    python -m benchmarks.search replay [--pools DIR] [--seeds 100] [--trials 128] [--into DIR] [TASK ...]
"""

from __future__ import annotations

import argparse
import os
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from ansord.search import Knowledge
from benchmarks.search.plot import curves_svg
from benchmarks.search.recorded import Recorded, add_pools, loaded, others
from benchmarks.search.strategies import STRATEGIES, Strategy

BATCH = 8
FITS = (8, 16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768)
"""Trials after which the model is fitted."""
MARKS = (8, 16, 32, 64, 96, 128, 256, 512)
"""Trials of which the table tells."""

Curve = NDArray[np.float64]
"""[trials]: seconds of the best program after each trial."""


def arguments(parser: argparse.ArgumentParser) -> None:
    add_pools(parser)
    parser.add_argument("names", nargs="*", metavar="TASK", help="such as c2d_3; all by default")
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--trials", type=int, default=128)
    parser.add_argument("--into", type=Path, metavar="DIR", help="where curves are drawn")


def run(options: argparse.Namespace) -> None:
    replay(options.pools, options.names, options.seeds, options.trials, options.into, print)


def replayed(
    of: Recorded, strategy: Strategy, knowledge: Knowledge | None, seed: int, trials: int, batch: int = BATCH
) -> Curve:
    """One run: the curve of the best so far, shorter where the pool ends."""
    search = strategy.opened(of, np.random.default_rng(seed), knowledge)
    while len(search.tried) < trials:
        before = len(search.tried)
        due = min(mark for mark in (*FITS, 1 << 30) if mark > before)
        places = search.next(min(batch, due - before, trials - before))
        if not len(places):
            break
        search.told(places)
        if len(search.tried) in FITS and len(search.tried) < trials:
            search.learn()
    curve: Curve = np.minimum.accumulate(of.seconds[search.tried])
    return curve


def curves(
    of: Recorded, knowledge: Knowledge | None, seeds: int, trials: int, workers: int
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """[seeds, trials] of every strategy; a curve that ends early stays where it was. `knowledge`: of other
    tasks. The figures do not depend on `workers`, the processes that share the seeds."""
    of.judged, of.apart, of.place, of.limited  # noqa: B018 - made before the processes part
    if knowledge is not None:
        with threadpool_limits(1):
            knowledge.fit(of.name, None, seed=0)
    for name, strategy in STRATEGIES.items():
        if strategy.limited and not of.limited.any():
            continue
        one = partial(replayed, of, strategy, knowledge, trials=trials)
        with threadpool_limits(1):  # a team of threads would not survive the fork, and share nothing with it
            found = list(_spread(one, seeds, workers))
        yield name, np.array([np.pad(curve, (0, trials - len(curve)), mode="edge") for curve in found])


def _spread(one: Callable[[int], Curve], seeds: int, workers: int) -> Iterator[Curve]:
    """The curve of each seed, in order."""
    if workers < 2:
        yield from map(one, range(seeds))
        return
    _SHARED["one"] = one
    with ProcessPoolExecutor(workers, get_context("fork")) as pool:
        yield from pool.map(_forked, range(seeds), chunksize=max(1, seeds // (4 * workers)))


_SHARED: dict[str, Callable[[int], Curve]] = {}
"""What forked processes find in their memory: a pool is not sent to them."""


def _forked(seed: int) -> Curve:
    return _SHARED["one"](seed)


def replay(
    folder: Path,
    names: Sequence[str],
    seeds: int,
    trials: int,
    into: Path | None,
    say: Callable[[str], None],
) -> dict[str, dict[str, NDArray[np.float64]]]:
    """Percent over the pool's best [seeds, trials], by task and strategy; a table on the way, and pictures in
    `into`."""
    pools = loaded(folder)
    found: dict[str, dict[str, NDArray[np.float64]]] = {}
    marks = [mark for mark in MARKS if mark <= trials]
    say("median (worst tenth) in % over the pool's best, after so many trials")
    say(f"{'task':10}{'strategy':16}" + "".join(f"{mark:>16}" for mark in marks))
    for one in pools:
        if names and one.name not in names:
            continue
        mine: dict[str, NDArray[np.float64]] = {}
        workers = min(len(os.sched_getaffinity(0)), seeds)
        for strategy, table in curves(one, others(pools, one.name), seeds, trials, workers):
            mine[strategy] = (table / one.best - 1) * 100
            ends = [mine[strategy][:, mark - 1] for mark in marks]
            cells = (f"{np.median(end):6.1f} ({np.quantile(end, 0.9):6.1f})" for end in ends)
            say(f"{one.name:10}{strategy:16}" + "".join(f"{cell:>16}" for cell in cells))
        if into is not None:
            runs = {
                name: [list(enumerate((row / 100 + 1) * one.best * 1e6, 1)) for row in rows]
                for name, rows in mine.items()
            }
            into.mkdir(parents=True, exist_ok=True)
            (into / f"{one.name}-replay.svg").write_text(curves_svg(one.name, "trials", runs))
        found[one.name] = mine
    for strategy in STRATEGIES:
        overall = [_overall(found, strategy, mark) for mark in marks]
        say(f"{'median':10}{strategy:16}" + "".join(f"{value:16.1f}" for value in overall))
    return found


def _overall(found: Mapping[str, Mapping[str, NDArray[np.float64]]], strategy: str, mark: int) -> float:
    """The median of the tasks' medians."""
    medians = [np.median(by[strategy][:, mark - 1]) for by in found.values() if strategy in by]
    return float(statistics.median(medians)) if medians else float("nan")
