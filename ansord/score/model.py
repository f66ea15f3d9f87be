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
from threadpoolctl import threadpool_limits

from ansord.score.features import NAMES, Judged
from ansord.score.forest import Forest
from ansord.score.samples import Samples
from ansord.score.statement import Table

FEWEST = 8
"""Programs that worked, below which there is nothing to learn from."""
ROUNDS = 3
"""Of backfitting: shares settle after three."""
TREES, LEAVES, RATE = 50, 15, 0.18
GRAIN, BINS = 8, 255
"""Features are logarithms and shares: trees learn from steps of 1/GRAIN, fewer than BINS of which occur. They
rank as well as from exact values, for which scikit-learn takes four times as long (weighted percentiles)."""
WITHIN = 4.0
"""No statement is believed to cost more than exp(WITHIN) times its estimate, or less than the inverse."""

NEGLIGIBLE = -6.0
"""Logarithm to base 2 of the share of a program below which a statement is taken at its estimate."""
_SHARE = NAMES.index("share")


@dataclass(frozen=True)
class Model:
    """Predicts the logarithm of a program's cycles, up to a constant of the task. Lower is better."""

    trees: Forest | None = None

    def predict(self, judged: Judged) -> NDArray[np.float64]:
        """[programs]."""
        if self.trees is None or not len(judged.total):
            return np.log(judged.total).astype(np.float64)
        parts = judged.cycles * np.exp(self.missed(judged.features))
        return np.log(np.bincount(judged.row, parts, len(judged.total)))

    def missed(self, features: Table) -> NDArray[np.float64]:
        """Per statement, the logarithm of the factor by which the estimate is wrong."""
        result = np.zeros(len(features))
        if self.trees is not None:
            # What hardly counts is not worth the trees: in a convolution the padding, half of all statements.
            worth = features[:, _SHARE] > NEGLIGIBLE
            if worth.any():
                result[worth] = np.clip(self.trees.predict(features.T.compress(worth, 1)), -WITHIN, WITHIN)
        return result


def load() -> Any:
    """The class of the trees. Loading it is most of a process's start, and many only predict."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor


def fit(of: Samples, seed: int, start: Model | None = None) -> Model:
    """A model of these programs; below FEWEST of them it is the estimate alone.

    `start`: an earlier model of much the same programs, from which the shares are taken: one round is enough.
    """
    if len(of) < FEWEST:
        return Model()
    begun = start is not None and start.trees is not None
    missed = start.missed(of.features) if start is not None else np.zeros(len(of.row))
    single = len(of.row) == len(of)
    model = Model()
    coarse = np.round(of.features * GRAIN) / GRAIN
    leaf = max(2, min(10, len(of) // 20))
    for _ in range(1 if single or begun else ROUNDS):
        parts = of.cycles * np.exp(missed)
        total = np.bincount(of.row, parts, len(of))
        gap = of.actual - np.log(total)
        trees = load()(
            max_iter=TREES, learning_rate=RATE, max_leaf_nodes=LEAVES, min_samples_leaf=leaf,
            l2_regularization=0.5, max_bins=BINS, early_stopping=False, random_state=seed,
        )  # fmt: skip
        weights = of.weight[of.row] * (parts / total[of.row]) + 1e-6
        with threadpool_limits(1, "openmp"):  # its many short regions wait for ever where others compute
            trees.fit(coarse, missed + gap[of.row], sample_weight=weights)
        model = Model(Forest.of(trees))
        missed = model.missed(of.features)
    return model
