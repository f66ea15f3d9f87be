"""Writes the prior that ansord ships: a spread of the pools' programs, as samples, with their tasks' keys.

    python -m benchmarks.search prior [--pools DIR] [--to FILE]

It holds features and what programs took, no trees; `record` makes the pools anew on any machine. It says of
which task each program is, and experiments on a task leave out what it knows of that very task. Whether a new
one is better than that which is shipped, `quality` says of both.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import ansord.search
from ansord.search import Prior
from benchmarks.search.recorded import Recorded, add_pools, loaded

FILE = Path(ansord.search.__file__).with_name("prior.npz")
EACH = 70
"""Programs of a pool: what comes of it stays under 300 KB."""


def arguments(parser: argparse.ArgumentParser) -> None:
    add_pools(parser)
    parser.add_argument("--to", type=Path, default=FILE, metavar="FILE")


def run(options: argparse.Namespace) -> None:
    print(write(options.pools, options.to))


def prior(recorded: Sequence[Recorded]) -> Prior:
    """Of these pools."""
    parts = {one.pool.subgraph.key: one.samples.spread(EACH, 0) for one in recorded}
    if not parts:
        raise SystemExit("no pools to learn from: make pools")
    return Prior.joined(parts)


def write(pools: Path, file: Path) -> str:
    """As the command does; what to say about it."""
    made = prior(loaded(pools))
    size = file.write_bytes(made.to_bytes())
    return f"{file.name}: {len(made.keys)} tasks, {len(made.samples)} programs, {size / 1024:.0f} KiB"
