"""Writes the priors that ansord ships: some programs of each task of the pools, and of what hosts know.

    python -m benchmarks.search prior [--pools DIR] [--learned FILE ...] [--to DIR]

A pool is of the registers that it was recorded with, a host's file (`learned-*.bin` of its state directory)
of this host's. Each width has a file; one of which nothing is given stays as it is. Experiments on a task
leave out what is known of that very task. Whether a new prior is better than that which is shipped, `quality`
says of both.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import ansord.search
from ansord.search import Known, packed, unpacked
from ansord.search.knowledge import BEST
from ansord.search.prior import name
from ansord.tune import target_for
from ansord_client.host import host
from benchmarks.search.recorded import Recorded, add_pools, loaded

PLACE = Path(ansord.search.__file__).parent
EACH, MOST = 40, 2000
"""Programs of a task, and of all: what comes of it stays under 500 KB."""


def arguments(parser: argparse.ArgumentParser) -> None:
    add_pools(parser)
    parser.add_argument("--learned", type=Path, nargs="*", default=[], metavar="FILE")
    parser.add_argument("--to", type=Path, default=PLACE, metavar="DIR")


def run(options: argparse.Namespace) -> None:
    print(write(options.pools, options.to, options.learned))


def known(one: Recorded) -> Known:
    """What a host would know that had measured a pool."""
    fastest = np.argsort(one.seconds, kind="stable")[:BEST]
    best = tuple(str(one.space.program(row)) for row in one.rows[fastest[np.isfinite(one.seconds[fastest])]])
    return Known(one.samples, best)


def write(pools: Path, folder: Path, learned: Sequence[Path] = ()) -> str:
    """As the command does; what to say about it."""
    priors: dict[int, dict[str, Known]] = {}
    for file in learned:
        priors.setdefault(target_for(host()).vector_bytes, {}).update(unpacked(file.read_bytes()))
    for one in loaded(pools):
        priors.setdefault(one.pool.target.vector_bytes, {})[one.pool.subgraph.key] = known(one)
    if not any(priors.values()):
        raise SystemExit("nothing to learn from: make pools, or --learned FILE")
    return "\n".join(_written(folder / name(width), tasks) for width, tasks in priors.items())


def _written(file: Path, tasks: dict[str, Known]) -> str:
    each = min(EACH, MOST // max(1, len(tasks)))
    spread = {key: Known(task.samples.spread(each, 0), task.best) for key, task in tasks.items()}
    size = file.write_bytes(packed(spread))
    programs = sum(len(task.samples) for task in spread.values())
    return f"{file.name}: {len(spread)} tasks, {programs} programs, {size / 1024:.0f} KiB"
