"""Evolutionary search: generations over the population matrix under a cost model. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ansord.nest import Rows, Space
from ansord.search.mutate import cross, mutate
from ansord.sketch import annotate, usable

Score = Callable[[Rows], NDArray[np.float64]]
"""Rows to predicted log seconds: lower is better."""


@dataclass(frozen=True)
class Settings:
    """Sizes of the search; defaults from Ansor's (notes on TVM 0.19), population by our own trials."""

    population: int = 1024
    generations: int = 4
    kept: int = 256
    mutated: float = 0.85
    fresh: float = 0.25
    elites: int = 24
    sketches: int = 6
    """Of a task with more, this many take part in one round, drawn anew, beside those of the elites: every
    block of equal sketch costs its own array operations."""
    bred: int = 3
    """Of these, so many with the best candidates take part in the generations."""


@dataclass(frozen=True)
class Ranked:
    """Rows with their scores, best first."""

    rows: Rows
    scores: NDArray[np.float64]


def evolve(
    space: Space, score: Score, elites: Rows, known: set[bytes], rng: Generator, settings: Settings,
    sketches: Sequence[int] | None = None,
) -> Ranked:
    """The best candidates not in `known`; starts from random annotations and mutated `elites`. `sketches`:
    the positions of those to search in, all of them by default."""
    among = _drawn(range(len(space.sketches)) if sketches is None else sketches, elites, rng, settings)
    half = settings.population // 2
    rows = annotate(space, half if len(elites) else settings.population, rng, among)
    if len(elites):
        chosen = elites[rng.integers(0, len(elites), size=half)]
        rows = usable(space, np.concatenate([mutate(space, chosen, rng, among), elites, rows]))
    best = rank(rows, score(rows)) if len(rows) else Ranked(rows, np.empty(0))
    kept = _top(_unknown(best, known), settings.kept)
    among = list(dict.fromkeys(best.rows[:, 0].tolist()))[: settings.bred]
    bred = np.isin(best.rows[:, 0], among)
    current = Ranked(best.rows[bred], best.scores[bred])
    for _ in range(settings.generations):
        if len(current.rows) < 4:
            break
        children = _children(space, current, among, rng, settings)
        current = rank(children, score(children))
        merged = Ranked(
            np.concatenate([kept.rows, current.rows]), np.concatenate([kept.scores, current.scores])
        )
        order = np.argsort(merged.scores, kind="stable")
        kept = _top(_unknown(Ranked(merged.rows[order], merged.scores[order]), known), settings.kept)
        # The best so far are parents again: without them a generation can lose what it found.
        elite = _top(kept, settings.elites)
        current = Ranked(
            np.concatenate([elite.rows, current.rows]), np.concatenate([elite.scores, current.scores])
        )
    return kept


def _drawn(sketches: Sequence[int], elites: Rows, rng: Generator, settings: Settings) -> list[int]:
    """Those of the sketches that take part."""
    if len(sketches) <= settings.sketches:
        return list(sketches)
    drawn = rng.choice(sketches, size=settings.sketches, replace=False)
    return sorted({*drawn.tolist(), *elites[:, 0].tolist()})


def _children(
    space: Space, parents: Ranked, among: Sequence[int], rng: Generator, settings: Settings
) -> Rows:
    """Parents are drawn by rank: the chance falls to a half every eighth of the population."""
    count = settings.population
    ranks = np.argsort(np.argsort(parents.scores, kind="stable"), kind="stable")
    weights = 0.5 ** (8.0 * ranks / len(ranks))
    weights /= weights.sum()
    mothers = parents.rows[rng.choice(len(weights), size=count, p=weights)]
    fathers = parents.rows[rng.choice(len(weights), size=count, p=weights)]
    mutants = rng.random(count) < settings.mutated
    children = np.concatenate(
        [mutate(space, mothers[mutants], rng, among), cross(space, mothers[~mutants], fathers[~mutants], rng)]
    )
    return usable(space, children)


def rank(rows: Rows, scores: NDArray[np.float64]) -> Ranked:
    """Best first."""
    order = np.argsort(scores, kind="stable")
    return Ranked(rows[order], scores[order])


def _unknown(ranked: Ranked, known: set[bytes]) -> Ranked:
    seen = set(known)
    keep = []
    for position, row in enumerate(ranked.rows):
        key = row.tobytes()
        if key not in seen:
            seen.add(key)
            keep.append(position)
    return Ranked(ranked.rows[keep], ranked.scores[keep])


def _top(ranked: Ranked, count: int) -> Ranked:
    return Ranked(ranked.rows[:count], ranked.scores[:count])
