"""The learned cost model: gradient-boosted trees over statements; a program costs the sum of its statements.

It learns by how much each statement misses its estimate on paper, so that with few measurements it says what
the estimate says and with many what was measured. Only sums are measured: the gap of a program is shared
out among its statements by what they are thought to cost, a few times over (backfitting). On recorded pools
that ranks better than one row of features a program.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor

from ansord.score.features import Judged
from ansord.score.samples import Samples

FEWEST = 8
"""Programs that worked, below which there is nothing to learn from."""
ROUNDS = 3
"""Of backfitting: shares settle after three."""
TREES, LEAVES, RATE = 80, 15, 0.12
WITHIN = 4.0
"""No statement is believed to cost more than exp(WITHIN) times its estimate, or less than the inverse."""


@dataclass(frozen=True)
class Model:
    """Predicts the logarithm of a program's cycles, up to a constant of the task. Lower is better."""

    trees: Any = None

    def predict(self, judged: Judged) -> NDArray[np.float64]:
        """[programs]."""
        if self.trees is None or not len(judged.total):
            return np.log(judged.total).astype(np.float64)
        missed = np.clip(self.trees.predict(judged.features), -WITHIN, WITHIN)
        return np.log(np.bincount(judged.row, judged.cycles * np.exp(missed), len(judged.total)))


def fit(of: Samples, seed: int) -> Model:
    """A model of these programs; below FEWEST of them it is the estimate alone."""
    if len(of) < FEWEST:
        return Model()
    missed = np.zeros(len(of.row))
    single = len(of.row) == len(of)
    leaf = max(2, min(10, len(of) // 20))
    for _ in range(1 if single else ROUNDS):
        parts = of.cycles * np.exp(np.clip(missed, -WITHIN, WITHIN))
        total = np.bincount(of.row, parts, len(of))
        gap = of.actual - np.log(total)
        trees = HistGradientBoostingRegressor(
            max_iter=TREES, learning_rate=RATE, max_leaf_nodes=LEAVES, min_samples_leaf=leaf,
            l2_regularization=0.5, max_bins=63, early_stopping=False, random_state=seed,
        )  # fmt: skip
        weights = of.weight[of.row] * (parts / total[of.row]) + 1e-6
        trees.fit(of.features, missed + gap[of.row], sample_weight=weights)
        missed = trees.predict(of.features)
    return Model(trees)
