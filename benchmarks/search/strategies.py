"""Strategies that propose from a pool only: the search itself, and what is left of it without its parts.

They are `ansord.search`'s own, with the pool in the place of what evolution, descent and chance would draw:
predictions for the whole pool are made once after each fit, and chosen from until the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator

from ansord.nest import Rows
from ansord.score import fit
from ansord.search import Knowledge, Proposer
from ansord.search.evolve import Ranked
from benchmarks.search.recorded import Places, Recorded

CLOSEST = 16
"""Programs of the pool that count as the neighbours of one."""
DRAWN = 64
"""Programs among which a search without evolution has its choice, drawn anew for each batch."""


@dataclass
class Pooled(Proposer):
    """The full search. `of`: the pool; `tried`: positions of what was tried, in order."""

    of: Recorded = field(kw_only=True)
    within: Places = field(kw_only=True)
    """The part of the pool that may be proposed."""
    tried: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._predicted = self.model.predict(self.of.judged)

    def told(self, places: Places) -> None:
        """So many programs more were tried; what they took is in the pool."""
        self.tried += places.tolist()
        self.rows += list(self.of.rows[places])
        self.seconds += self.of.seconds[places].tolist()

    def learn(self) -> None:
        """Fits anew. Nothing is remembered for other tasks: seeds must not learn from each other."""
        own = self.of.told(self.tried)
        if self.knowledge is None:
            self.model = fit(own, seed=0, start=self.model)
        else:
            self.model = self.knowledge.fit(self.key, own, seed=0, start=self.model)
        self._predicted = self.model.predict(self.of.judged)

    def next(self, count: int) -> Places:
        """Up to `count` positions that were not tried; none at the end of the pool."""
        return np.array([self.of.place[row.tobytes()] for row in self.choose(count)], np.int64)

    @property
    def left(self) -> Places:
        """What may be tried."""
        fresh = np.ones(len(self.of.rows), bool)
        fresh[self.tried] = False
        return self.within[fresh[self.within]]

    def ordered(self, places: Places) -> Places:
        """The most promising first."""
        return places[np.argsort(self._predicted[places], kind="stable")]

    def closest(self, to: int, left: Places) -> Places:
        """Those of `left` that differ least from a program, in random order where they differ alike."""
        mixed = self.rng.permutation(left)
        return mixed[np.argsort(self.of.apart[to, mixed], kind="stable")[:CLOSEST]]

    def elites(self, count: int) -> Places:
        """The best that were tried and worked, best first."""
        order = np.argsort(self.seconds, kind="stable")[:count]
        return np.array([self.tried[n] for n in order if np.isfinite(self.seconds[n])], np.int64)

    # What the search draws, drawn from the pool.

    def _ranked(self, known: set[bytes]) -> Ranked:
        best = self.ordered(self.left)[: self.settings.kept]
        return Ranked(self.of.rows[best], self._predicted[best])

    def _near(self, known: set[bytes]) -> Rows:
        left = self.left
        found = [self.closest(place, left) for place in self.elites(3)]
        return self.of.rows[self.ordered(np.unique(np.concatenate(found)))] if found else self.space.no_rows

    def _seeds(self) -> Rows:
        rows = super()._seeds()
        held: Rows = rows[np.array([row.tobytes() in self.of.place for row in rows], bool)]
        return held

    def _best_of(self, sketches: Sequence[int], elites: Rows, known: set[bytes]) -> Rows:
        left = self.left
        left = self.rng.permutation(left[np.isin(self.of.rows[left, 0], sketches)])[:DRAWN]
        return self.of.rows[self.ordered(left)[:1]]

    def _fresh(self, count: int, known: set[bytes], ranked: Ranked) -> Rows:
        rows: Rows = self.of.rows[self.rng.permutation(self.left)[:count]]
        return rows


class Unguided(Pooled):
    """Without a model: nothing is learned, and the estimate on paper is not asked either."""

    def __post_init__(self) -> None:
        """Nothing is known before."""

    def learn(self) -> None:
        """Nothing."""


class Shuffled(Unguided):
    """The pool in random order."""

    def next(self, count: int) -> Places:
        return self.rng.permutation(self.left)[:count]


class Unevolved(Pooled):
    """No fine-tuning: the model has its choice among random programs only."""

    def next(self, count: int) -> Places:
        return self.ordered(self.rng.permutation(self.left)[:DRAWN])[:count]


class Unmodelled(Unguided):
    """No model: programs near those that were good, in random order."""

    def next(self, count: int) -> Places:
        left, parents = self.left, self.elites(self.settings.elites)
        found: dict[int, None] = {}
        while len(parents) and len(found) < min(count, len(left)) and len(left):
            near = self.closest(int(self.rng.choice(parents)), left)
            found[int(self.rng.choice(near))] = None
            left = left[left != next(reversed(found))]
        return np.array(list(found), np.int64) if len(parents) else self.rng.permutation(left)[:count]


class Descent(Unguided):
    """Coordinate descent alone: what differs least from the best, without a model."""

    def next(self, count: int) -> Places:
        left, best = self.left, self.elites(1)
        return self.closest(int(best[0]), left)[:count] if len(best) else self.rng.permutation(left)[:count]


@dataclass(frozen=True)
class Strategy:
    """How it proposes, whether it knows other tasks, and whether of the limited space only."""

    kind: type[Pooled]
    informed: bool = False
    limited: bool = False

    def opened(self, of: Recorded, rng: Generator, knowledge: Knowledge | None) -> Pooled:
        """A search at its beginning."""
        within = np.flatnonzero(of.limited) if self.limited else np.arange(len(of.rows))
        known = knowledge if self.informed else None
        return self.kind(of.space, rng, knowledge=known, key=of.name, of=of, within=within)


STRATEGIES: Mapping[str, Strategy] = {
    "full": Strategy(Pooled, informed=True),
    "no others": Strategy(Pooled),
    "no fine-tuning": Strategy(Unevolved, informed=True),
    "no model": Strategy(Unmodelled),
    "limited": Strategy(Pooled, informed=True, limited=True),
    "descent": Strategy(Descent),
    "random": Strategy(Shuffled),
}
