"""One task's search between measurements: what was measured, the model of it, and what to try next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ansord.nest import Program, Rows, Space
from ansord.score import Model, features, fit
from ansord.search.evolve import Settings, evolve
from ansord.search.pick import pick
from ansord.sketch import annotate


@dataclass
class Proposer:
    """Holds rows and seconds of all trials of a task; proposes batches. The only mutable room of search."""

    space: Space
    rng: Generator
    settings: Settings = field(default_factory=Settings)
    rows: list[Rows] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    model: Model = field(default_factory=Model)
    awaited: set[bytes] = field(default_factory=set)

    @property
    def known(self) -> set[bytes]:
        """What need not be tried again."""
        return {row.tobytes() for row in self.rows} | self.awaited

    def await_(self, programs: Iterable[Program]) -> None:
        """What is being tried now and not told yet: not proposed again."""
        rows = [row for program in programs if (row := self.space.row(program)) is not None]
        self.awaited = {row.tobytes() for row in self.space.canonical(np.stack(rows))} if rows else set()

    def tell(self, program: Program, seconds: float) -> None:
        """Remembers a measurement; infinite seconds for a failure. Programs outside the space are ignored."""
        row = self.space.row(program)
        if row is not None:
            self.rows.append(self.space.canonical(row[None])[0])
            self.seconds.append(seconds)

    def learn(self) -> None:
        """Fits the model to everything measured so far."""
        if self.rows:
            self.model = fit(features(self.space, np.stack(self.rows)), np.asarray(self.seconds), seed=0)

    def propose(self, count: int) -> list[Program]:
        """Up to `count` programs that were not tried; empty when the space is exhausted."""
        known = self.known
        ranked = evolve(self.space, self._score, self._elites(), known, self.rng, self.settings)
        fresh = annotate(
            self.space, count, self.rng, self.rng.integers(0, len(self.space.sketches), size=4).tolist()
        )
        fresh = fresh[[row.tobytes() not in known for row in fresh]] if len(fresh) else fresh
        return [self.space.program(row) for row in pick(self.space, ranked, fresh, count)]

    def _score(self, rows: Rows) -> NDArray[np.float64]:
        return self.model.predict(features(self.space, rows)) if len(rows) else np.empty(0)

    def _elites(self) -> Rows:
        order = [i for i in np.argsort(self.seconds)[: self.settings.elites] if np.isfinite(self.seconds[i])]
        return (
            np.stack([self.rows[i] for i in order])
            if order
            else np.empty((0, 1 + len(self.space.knobs)), np.int64)
        )
