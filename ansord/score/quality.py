"""How good an order of programs is: the figures by which cost models are compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.float64]

TOP = 30
"""Recall looks at so many (the paper's recall@30); a smaller set, at a quarter of it."""
TRIED = 8
"""Regret looks at the best of the first so many."""


@dataclass(frozen=True)
class Quality:
    """`pairwise`: share of pairs in the right order; `recall`: share of the really best TOP among those
    predicted so; `regret`: by how much the best of the first TRIED is slower than the best of all."""

    programs: int
    pairwise: float
    recall: float
    regret: float


def quality(predicted: Column, seconds: Column) -> Quality:
    """Of predictions (lower is better) for programs that took `seconds`, all finite."""
    count = len(seconds)
    top = min(TOP, max(1, count // 4))
    best, first = np.argsort(seconds, kind="stable"), np.argsort(predicted, kind="stable")
    recall = len(set(best[:top].tolist()) & set(first[:top].tolist())) / top
    regret = float(seconds[first[:TRIED]].min() / seconds.min() - 1)
    return Quality(count, pairwise(predicted, seconds), recall, regret)


def pairwise(predicted: Column, seconds: Column) -> float:
    """The share of pairs that are ordered as measured; pairs that took the same do not count."""
    rows, columns = np.triu_indices(len(seconds), 1)
    real = np.sign(seconds[rows] - seconds[columns])
    said = np.sign(predicted[rows] - predicted[columns])
    counts = real != 0
    return float((real[counts] == said[counts]).mean()) if counts.any() else 1.0


def ceiling(seconds: Column, noise: float, seed: int = 0, draws: int = 8) -> Quality:
    """What a perfect model would reach: measured once more with this noise (of the logarithm), it would
    disagree with itself."""
    rng = np.random.default_rng(seed)
    found = [quality(np.log(seconds) + rng.normal(0, noise, len(seconds)), seconds) for _ in range(draws)]
    table = np.array([(one.pairwise, one.recall, one.regret) for one in found])
    return Quality(len(seconds), *table.mean(0).tolist())
