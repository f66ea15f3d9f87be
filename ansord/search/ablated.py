"""Searches with something left out, to measure what it is worth: the ablations of the paper's figures."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ansord.nest import Knob, Place, Rfactor, Rows, Sketch, Space
from ansord.search.evolve import Ranked, rank
from ansord.search.proposer import Proposer, untried
from ansord.sketch import annotate


class AtRandom(Proposer):
    """Random annotations of all sketches, none twice; nothing is learned."""

    def __post_init__(self) -> None:
        """Nothing is known before, either."""

    def learn(self) -> None:
        """Nothing."""

    def choose(self, count: int) -> Rows:
        """Up to `count` rows that were not tried."""
        return untried(annotate(self.space, 4 * count, self.rng), self.known)[:count]


class Unevolved(Proposer):
    """No fine-tuning: the model has its choice among random annotations, no program has parents."""

    def _ranked(self, known: set[bytes]) -> Ranked:
        rows = untried(annotate(self.space, self.settings.population, self.rng), known)
        return rank(rows, self.score(rows))

    def _near(self, known: set[bytes]) -> Rows:
        return self.space.no_rows


class NoModel(Proposer):
    """No cost model: evolution from what was measured, its children in random order."""

    def __post_init__(self) -> None:
        """Nothing is known before, either."""
        self.knowledge = None

    def learn(self) -> None:
        """Nothing."""

    def score(self, rows: Rows) -> NDArray[np.float64]:
        """Chance."""
        return self.rng.random(len(rows))


class Narrow(Space):
    """One level of spatial tiles less, nothing placed inside loops, no factorised reductions: about what a
    hand-written template has."""

    @cached_property
    def knobs(self) -> tuple[Knob, ...]:
        """Those of the whole space, the middle tiles fixed."""
        return tuple(map(_fixed, Space.knobs.func(self)))  # type: ignore[attr-defined]

    @cached_property
    def used(self) -> tuple[tuple[Knob, ...], ...]:
        """The same, by sketch."""
        return tuple(tuple(map(_fixed, knobs)) for knobs in Space.used.func(self))  # type: ignore[attr-defined]


def _fixed(knob: Knob) -> Knob:
    return replace(knob, high=knob.low) if knob.kind == "middle" else knob


def limited(space: Space) -> Space:
    """The limited space in a whole one."""
    sketches = tuple(sketch for sketch in space.sketches if plain(sketch))
    return Narrow(space.dag, sketches or space.sketches, space.target)


def plain(sketch: Sketch) -> bool:
    """Whether it is of the limited space: nothing is placed, no reduction factorised."""
    return not any(isinstance(step, Place | Rfactor) for step in sketch.steps)


class Limited(Proposer):
    """The full search in a limited space."""

    def __post_init__(self) -> None:
        self.space = limited(self.space)
        super().__post_init__()
