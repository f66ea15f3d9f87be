"""Judges the cost model on pools: a prior alone, then what a host knows that has met all other pools.

    python -m benchmarks.search quality [--pools DIR] [--prior FILE] [TASK ...]

A pool's own task is left out of the prior first, so that nothing is judged by what it was taught. `paper`:
the estimate; `prior`: the model before the first measurement on a new host; `unseen`, `seen`, `ceiling`: as
`ansord model` has them, the ceiling by the noise of the pool itself.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from ansord.score import Quality, quality
from ansord.search import Assessment, Knowledge, Known, assess, unpacked
from ansord.search.prior import name
from ansord.tune import target_for
from ansord_client.host import host
from benchmarks.search.prior import PLACE
from benchmarks.search.recorded import Recorded, add_pools, loaded

NOISE = 0.02
"""Of a pool in which nothing was measured twice."""


def arguments(parser: argparse.ArgumentParser) -> None:
    add_pools(parser)
    parser.add_argument("names", nargs="*", metavar="TASK", help="such as c2d_3; all by default")
    parser.add_argument("--prior", type=Path, metavar="FILE", help="that of this host's registers by default")


def run(options: argparse.Namespace) -> None:
    file = options.prior or PLACE / name(target_for(host()).vector_bytes)
    judge(options.pools, file, options.names, print)


@dataclass(frozen=True)
class Judgement:
    """One pool. `blind`: the prior alone; `after`: as `ansord model` says of a host that has met all other
    pools."""

    name: str
    blind: Quality
    after: Assessment

    def figures(self) -> dict[str, Quality]:
        """By what is judged, from the least informed to the noise's ceiling."""
        after = self.after
        return {
            "paper": after.paper, "prior": self.blind, "unseen": after.unseen, "seen": after.seen,
            "ceiling": after.best,
        }  # fmt: skip


def judged(
    recorded: Sequence[Recorded], taught: dict[str, Known], names: Sequence[str] = ()
) -> list[Judgement]:
    """Every pool (those of `names`, if any) with at least 24 programs that worked."""
    knowledge = Knowledge(taught)
    for one in recorded:
        knowledge.remember(one.pool.subgraph.key, one.samples, [])
    found = []
    for one in recorded:
        if names and one.name not in names:
            continue
        noise = one.pool.noise if np.isfinite(one.pool.noise) else NOISE
        key, fine = one.pool.subgraph.key, one.samples.some(np.flatnonzero(one.samples.worked))
        for after in assess(knowledge, noise, only=key):
            model = Knowledge(taught).held_out(key).fit("", None, seed=0)
            blind = quality(model.predict(fine.judged), np.exp(fine.actual.astype(np.float64)))
            found.append(Judgement(one.name, blind, after))
    return found


def judge(pools: Path, file: Path, names: Sequence[str], say: Callable[[str], None]) -> list[Judgement]:
    """As the command does: a table, and the medians."""
    taught = unpacked(file.read_bytes())
    if not taught:
        raise SystemExit(f"{file}: not a prior of this version of the features")
    found = judged(loaded(pools), taught, names)
    say(f"{'task':12}{'model':10}{'pairwise':>10}{'recall':>10}{'regret':>10}")
    for one in found:
        for how, of in one.figures().items():
            say(f"{one.name:12}{how:10}{of.pairwise:10.3f}{of.recall:10.3f}{of.regret:10.1%}")
    for how in found[0].figures() if found else ():
        every = [one.figures()[how] for one in found]
        middle = [median(getattr(of, name) for of in every) for name in ("pairwise", "recall", "regret")]
        say(f"{'median':12}{how:10}{middle[0]:10.3f}{middle[1]:10.3f}{middle[2]:10.1%}")
    return found
