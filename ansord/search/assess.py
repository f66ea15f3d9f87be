"""How good the model of this host is: on each task as if it were new, and after a part of its trials."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ansord.score import Quality, Samples, ceiling, quality
from ansord.search.knowledge import Knowledge

FEWEST = 24
"""Programs of a task, below which a figure says nothing."""
TOLD = 1 / 3
"""Share of a task's programs that the model has seen for its second figure; it is judged by the others."""


@dataclass(frozen=True)
class Assessment:
    """One task. `paper`: the estimate; `unseen`: the model without this task's own programs; `seen`: with
    `told` of them; `best`: what the noise leaves to a perfect one. What the prior has of the task is in none
    of them; `in_prior`: whether it has something."""

    key: str
    told: int
    paper: Quality
    unseen: Quality
    seen: Quality
    best: Quality
    in_prior: bool = False


def assess(
    knowledge: Knowledge, noise: float, seed: int = 0, only: str | None = None
) -> Iterator[Assessment]:
    """Every task of which enough is known, or `only` this one; `noise`: standard deviation of a measurement's
    logarithm."""
    for key, known in knowledge.tasks.items():
        if only not in (None, key):
            continue
        fine = known.samples.some(np.flatnonzero(known.samples.worked))
        if len(fine) >= FEWEST:
            yield _assessed(knowledge, key, fine, noise, seed)


def _assessed(knowledge: Knowledge, key: str, fine: Samples, noise: float, seed: int) -> Assessment:
    order = np.random.default_rng(seed).permutation(len(fine))
    told = int(len(fine) * TOLD)
    own, rest = fine.some(np.sort(order[:told])), fine.some(np.sort(order[told:]))
    held_out = knowledge.held_out(key)
    seconds, judged = np.exp(rest.actual.astype(np.float64)), rest.judged
    return Assessment(
        key, told,
        quality(np.log(judged.total).astype(np.float64), seconds),
        quality(held_out.unseen(key, seed).predict(judged), seconds),
        quality(held_out.fit(key, own, seed).predict(judged), seconds),
        ceiling(seconds, noise, seed),
        held_out is not knowledge,
    )  # fmt: skip
