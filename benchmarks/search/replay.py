"""Strategies against recorded pools: no compiler, hundreds of seeds in seconds, and a seed reproduces a run.

A strategy proposes only what the pool holds; what it is told is what was measured.

    python -m benchmarks.search --pools DIR replay [--seeds 20] [--trials 64] [--batch 8] [TASK ...]
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ansord.measure.recorded import Pool
from ansord.nest import Program, Rows, Space
from ansord.score import Samples, judge, samples
from ansord.search import Proposer
from ansord.search.evolve import Ranked, rank
from ansord.search.knowledge import Knowledge
from ansord.sketch import derive

Curve = list[float]
"""Seconds of the best program after each trial."""


@dataclass(frozen=True)
class Recorded:
    """A pool with its space."""

    name: str
    pool: Pool

    @cached_property
    def space(self) -> Space:
        """The task's space, as the rules derive it now."""
        pool = self.pool
        return Space(pool.dag, derive(pool.dag, pool.target).sketches, pool.target)

    @cached_property
    def seconds(self) -> dict[bytes, float]:
        """What each canonical row took."""
        found: dict[bytes, float] = {}
        for program, seconds in zip(self.pool.programs, self.pool.seconds, strict=True):
            row = self.space.row(program)
            if row is not None:
                found.setdefault(self.space.canonical(row[None])[0].tobytes(), float(seconds))
        return found

    @cached_property
    def rows(self) -> Rows:
        """[programs, knobs] in the pool's order."""
        width = 1 + len(self.space.knobs)
        return np.frombuffer(b"".join(self.seconds), np.int64).reshape(-1, width)

    @cached_property
    def samples(self) -> Samples:
        """All of it, as a model sees it."""
        return samples(judge(self.space, self.rows), np.array(list(self.seconds.values())))

    @cached_property
    def best(self) -> float:
        """Seconds of the fastest."""
        return min(self.seconds.values())


class Pooled(Proposer):
    """The search, with the pool in the place of evolution."""

    pool: Rows

    def _ranked(self, known: set[bytes]) -> Ranked:
        rows = self.pool[[row.tobytes() not in known for row in self.pool]]
        return rank(rows, self.score(rows))

    def _near(self, known: set[bytes]) -> Rows:
        return self._none

    def _fresh(self, count: int, known: set[bytes], ranked: Ranked) -> Rows:
        rows = self.pool[self.rng.permutation(len(self.pool))[: 4 * count]]
        return rows[[row.tobytes() not in known for row in rows]]


class Shuffled(Pooled):
    """No fine-tuning: the pool in random order."""

    def learn(self) -> None:
        """Nothing."""

    def propose(self, count: int) -> list[Program]:
        """The next of a permutation."""
        known = self.known
        rows = self.pool[self.rng.permutation(len(self.pool))]
        return [self.space.program(row) for row in rows if row.tobytes() not in known][:count]


def replayed(
    of: Recorded, kind: type[Pooled], knowledge: Knowledge | None, seed: int, trials: int, batch: int
) -> Curve:
    """One run; the curve of the best so far."""
    proposer = kind(of.space, np.random.default_rng(seed), knowledge=knowledge, key=of.name)
    proposer.pool = of.rows
    curve: Curve = []
    while len(curve) < trials:
        programs = proposer.propose(min(batch if curve else 6, trials - len(curve)))
        for program in programs:
            row = of.space.row(program)
            assert row is not None
            seconds = of.seconds[of.space.canonical(row[None])[0].tobytes()]
            proposer.tell(program, seconds)
            curve.append(min(seconds, curve[-1] if curve else seconds))
        proposer.learn()
    return curve


def others(recorded: Sequence[Recorded], but: str) -> Knowledge:
    """What a host knows that has tuned all tasks but one."""
    knowledge = Knowledge()
    for one in recorded:
        if one.name != but:
            knowledge.remember(one.name, one.samples, [])
    return knowledge


STRATEGIES: Mapping[str, tuple[type[Pooled], bool]] = {
    "full": (Pooled, True),
    "own": (Pooled, False),
    "random": (Shuffled, False),
}
"""Name: how it proposes, and whether it knows other tasks."""


def loaded(folder: Path, names: Sequence[str] = ()) -> list[Recorded]:
    """The pools of a folder."""
    paths = sorted(folder.glob("*.npz"))
    return [Recorded(path.stem, Pool.load(path)) for path in paths if not names or path.stem in names]


def replay(
    folder: Path, names: Sequence[str], seeds: int, trials: int, batch: int, say: Callable[[str], None]
) -> dict[str, dict[str, NDArray[np.float64]]]:
    """Curves [seeds, trials] over the pool's best, by task and strategy; a table on the way."""
    pools = loaded(folder)
    found: dict[str, dict[str, NDArray[np.float64]]] = {}
    marks = [mark for mark in (8, 16, 32, 64, 96, 128) if mark <= trials]
    say("median (worst tenth) in % over the pool's best, after so many trials")
    say(f"{'task':8}{'strategy':10}" + "".join(f"{mark:>16}" for mark in marks))
    for one in pools:
        if names and one.name not in names:
            continue
        for strategy, (kind, informed) in STRATEGIES.items():
            curves = []
            for seed in range(seeds):
                knowledge = others(pools, one.name) if informed else None
                curves.append(replayed(one, kind, knowledge, seed, trials, batch))
            gaps = (np.array(curves) / one.best - 1) * 100
            found.setdefault(one.name, {})[strategy] = gaps
            ends = [gaps[:, mark - 1] for mark in marks]
            cells = (f"{np.median(end):6.1f} ({np.quantile(end, 0.9):5.1f})" for end in ends)
            say(f"{one.name:8}{strategy:10}" + "".join(f"{cell:>16}" for cell in cells))
    for strategy in STRATEGIES:
        overall = [
            statistics.median(np.median(by[strategy][:, mark - 1]) for by in found.values()) for mark in marks
        ]
        say(f"{'median':8}{strategy:10}" + "".join(f"{value:16.1f}" for value in overall))
    return found
