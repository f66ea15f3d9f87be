"""One task's search between measurements: what was measured, the model of it, and what to try next."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ansord.nest import Program, Rows, Space
from ansord.score import Model, Samples, fit, judge, samples
from ansord.search.descend import neighbours
from ansord.search.evolve import Ranked, Settings, evolve, rank
from ansord.search.knowledge import Knowledge
from ansord.search.pick import pick
from ansord.sketch import annotate

STALLED = 12
"""Trials without GAIN, after which the search also goes step by step from the best."""
GAIN = 0.99
GREEDY = 0.05
"""Share of the trials that are drawn at random (Ansor's eps_greedy)."""
HOPELESS = 8.0
"""What is drawn at random and seems this many times slower than the best candidate teaches too little."""
CARRIED = 8
"""Programs of similar tasks that are tried whatever the model thinks of them, some with each of the first
batches: what is best in one size is near the best in another, and the model has seen neither."""
DEFINED = 4
"""Trials that each definition of a task gets whatever the model thinks of it. What sets a definition apart no
other task may have shown: without this, across groups was tried 3 times in 205 trials, and the fastest known
program was of it."""
CONTENDS, SHARE = 1.3, 1 / 6
"""A definition whose best is within this of the best of all gets at least such a share of the trials: early
programs of two definitions say little of which has the better best (c2d_4 stayed with Winograd's 668 µs for
219 trials where a direct program takes 594)."""
BRIEF = Settings(population=256, generations=2)
"""Of a task's first thought, and of that within one definition."""
AROUND = 3
"""Best programs whose neighbours are looked at then."""


@dataclass
class Proposer:
    """Holds rows and seconds of all trials of a task; proposes batches. The only mutable room of search.

    `knowledge`: of other tasks of the host; `key`: this task's name there.
    """

    space: Space
    rng: Generator
    settings: Settings = field(default_factory=Settings)
    rows: list[Rows] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    model: Model = field(default_factory=Model)
    awaited: set[bytes] = field(default_factory=set)
    knowledge: Knowledge | None = None
    key: str = ""
    owed: float = 0.0
    """The random trials that earlier batches were too small for."""

    sown: tuple[int, Rows] | None = None
    """The seeds, and with how many trials they were looked for."""

    def __post_init__(self) -> None:
        if self.knowledge is not None:
            self.model = self.knowledge.fit(self.key, None, seed=0)

    @property
    def known(self) -> set[bytes]:
        """What need not be tried again."""
        return {row.tobytes() for row in self.rows} | self.awaited

    def await_(self, programs: Iterable[str]) -> None:
        """The texts of what is being tried now and not told yet: not proposed again."""
        rows = [row for program in programs if (row := self.space.read(program)) is not None]
        self.awaited = {row.tobytes() for row in self.space.canonical(np.stack(rows))} if rows else set()

    def tell(self, program: Program | str, seconds: float) -> None:
        """Remembers a measurement; infinite seconds for a failure. Programs outside the space are ignored:
        what another generator wrote counts, but teaches nothing."""
        row = self.space.read(program) if isinstance(program, str) else self.space.row(program)
        if row is not None:
            self.rows.append(self.space.canonical(row[None])[0])
            self.seconds.append(seconds)

    def learn(self) -> None:
        """Fits the model to everything measured so far, and to what the host knows of other tasks."""
        own = self._samples()
        if own is None:
            return
        if self.knowledge is None:
            self.model = fit(own, seed=0)
            return
        self.model = self.knowledge.fit(self.key, own, seed=0, start=self.model)
        best = [str(self.space.program(row)) for row in self._elites()[:3]]
        self.knowledge.remember(self.key, own, best)

    def propose(self, count: int) -> list[Program]:
        """Up to `count` programs that were not tried; empty when the space is exhausted."""
        return [self.space.program(row) for row in self.choose(count)]

    def choose(self, count: int) -> Rows:
        """The same as rows."""
        known = self.known
        ranked = self._ranked(known)
        near = self._near(known) if self.stalled else self._carried(known)
        near = np.concatenate([self._defined(known), near])
        fresh = self._fresh(count, known, ranked)
        chance = self._by_chance(count)
        return pick(self.space, ranked, fresh, count, chance, near)

    @property
    def stalled(self) -> bool:
        """Whether the last STALLED trials gained less than a hundredth."""
        if len(self.seconds) < 2 * STALLED:
            return False
        before = min(self.seconds[:-STALLED])
        return math.isfinite(before) and not min(self.seconds[-STALLED:]) < GAIN * before

    def score(self, rows: Rows) -> NDArray[np.float64]:
        """Predicted logarithm of the cycles: lower is better."""
        return self.model.predict(judge(self.space, rows)) if len(rows) else np.empty(0)

    def _ranked(self, known: set[bytes]) -> Ranked:
        """The best candidates that evolution finds."""
        elites = self._elites()
        if len(elites) < self.settings.elites:
            elites = np.concatenate([elites, self._seeds()])
        # Before the first measurement the model is not worth more, and somebody waits for a first kernel.
        settings = self.settings if self.rows else BRIEF
        return evolve(self.space, self.score, elites, known, self.rng, settings)

    def _near(self, known: set[bytes]) -> Rows:
        """The neighbours of the best, best first."""
        rows = untried(neighbours(self.space, self._elites()[:AROUND], self.rng), known)
        return rank(rows, self.score(rows)).rows

    def _defined(self, known: set[bytes]) -> Rows:
        """The best of each definition that is due, whatever the model thinks of it beside others."""
        definitions = self.space.definitions
        if len(definitions) < 2:
            return self.space.no_rows
        best, found = min(self.seconds, default=math.inf), [self.space.no_rows]
        for places in definitions:
            tried = [at for at, row in enumerate(self.rows) if row[0] in places]
            contends = min((self.seconds[at] for at in tried), default=math.inf) < CONTENDS * best
            if len(tried) < DEFINED or (contends and len(tried) < SHARE * len(self.rows)):
                found.append(self._best_of(places, self._elites(tried), known))
        return np.concatenate(found)

    def _best_of(self, sketches: Sequence[int], elites: Rows, known: set[bytes]) -> Rows:
        """The most promising row of these sketches; none where there is none."""
        return evolve(self.space, self.score, elites, known, self.rng, BRIEF, sketches).rows[:1]

    def _carried(self, known: set[bytes]) -> Rows:
        """The best of similar tasks, as far as they are not tried."""
        return untried(self._seeds()[:CARRIED], known)

    def _seeds(self) -> Rows:
        """What similar tasks found, as long as there is little of the task's own."""
        if self.knowledge is None or len(self.rows) >= self.settings.elites:
            return self.space.no_rows
        if self.sown is None or self.sown[0] != len(self.rows):
            self.sown = len(self.rows), self.knowledge.seeds(self.key, self.space)
        return self.sown[1]

    def _by_chance(self, count: int) -> int:
        """How many of a batch are drawn at random; what is left of a whole one is kept for the next."""
        self.owed += GREEDY * count
        chance = int(self.owed)
        self.owed -= chance
        return chance

    def _fresh(self, count: int, known: set[bytes], ranked: Ranked) -> Rows:
        """Random annotations, but for what is hopeless."""
        among = self.rng.integers(0, len(self.space.sketches), size=4).tolist()
        fresh = untried(annotate(self.space, count, self.rng, among), known)
        if len(fresh) and len(ranked.scores):
            fresh = fresh[self.score(fresh) < ranked.scores[0] + math.log(HOPELESS)]
        return fresh

    def _samples(self) -> Samples | None:
        if not self.rows:
            return None
        return samples(judge(self.space, np.stack(self.rows)), np.asarray(self.seconds))

    def _elites(self, among: Sequence[int] | None = None) -> Rows:
        """The fastest of all trials, or of those `among` them, fastest first."""
        places = range(len(self.seconds)) if among is None else among
        worked = [place for place in places if math.isfinite(self.seconds[place])]
        order = sorted(worked, key=self.seconds.__getitem__)[: self.settings.elites]
        return np.stack([self.rows[place] for place in order]) if order else self.space.no_rows


def untried(rows: Rows, known: set[bytes]) -> Rows:
    """The rows that are not known, in their order."""
    new: Rows = rows[np.array([row.tobytes() not in known for row in rows], bool)]
    return new
