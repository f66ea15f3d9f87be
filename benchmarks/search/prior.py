"""Writes the prior that ansord ships: a spread of the pools' programs, as samples, with their tasks' keys.

    python -m benchmarks.search --pools DIR prior [--to FILE]
    python -m benchmarks.search --pools DIR quality [--prior FILE] [TASK ...]

It holds features and what programs took, no trees; `record` makes the pools anew on any machine. The tasks of
`HELD_OUT` are never in it: experiments on them begin as on a task that nobody has met. `quality` judges a
prior on pools: a pool's own task is left out of it first, so that none is judged by what it was taught.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

import ansord.search
from ansord.score import Quality, quality
from ansord.search import Assessment, Knowledge, Prior, assess
from benchmarks.search.record import HELD_OUT
from benchmarks.search.recorded import Recorded, loaded

FILE = Path(ansord.search.__file__).with_name("prior.npz")
EACH = 70
"""Programs of a pool: what comes of it stays under 300 KB."""


def prior(recorded: Sequence[Recorded]) -> Prior:
    """Of these pools, but for those that are held out."""
    held_out = {Path(name).name for name in HELD_OUT}
    parts = {
        one.pool.subgraph.key: one.samples.spread(EACH, 0) for one in recorded if one.name not in held_out
    }
    if not parts:
        raise SystemExit("no pools to learn from: make pools")
    return Prior.joined(parts)


def write(pools: Path, file: Path) -> str:
    """As the command does; what to say about it."""
    made = prior(loaded(pools))
    size = file.write_bytes(made.to_bytes())
    return f"{file.name}: {len(made.keys)} tasks, {len(made.samples)} programs, {size / 1024:.0f} KiB"


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


def judged(recorded: Sequence[Recorded], taught: Prior | None, names: Sequence[str] = ()) -> list[Judgement]:
    """Every pool (those of `names`, if any) with at least 24 programs that worked."""
    knowledge = Knowledge(taught)
    for one in recorded:
        knowledge.remember(one.pool.subgraph.key, one.samples, [])
    found = []
    for one in recorded:
        if names and one.name not in names:
            continue
        noise = one.pool.noise if np.isfinite(one.pool.noise) else 0.02
        key, fine = one.pool.subgraph.key, one.samples.some(np.flatnonzero(one.samples.worked))
        model = Knowledge(taught and taught.but(key)).fit("", None, seed=0)
        blind = quality(model.predict(fine.judged), np.exp(fine.actual.astype(np.float64)))
        found += [Judgement(one.name, blind, after) for after in assess(knowledge, noise, only=key)]
    return found


def judge(pools: Path, file: Path, names: Sequence[str], say: Callable[[str], None]) -> list[Judgement]:
    """As the command does: a table, and the medians."""
    taught = Prior.from_bytes(file.read_bytes())
    if taught is None:
        raise SystemExit(f"{file}: not a prior of this version of the features")
    if not taught.keys:
        say(f"{file.name} does not say its tasks: `prior` may know some of these")
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
