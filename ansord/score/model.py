"""The learned cost model: gradient-boosted trees over features, behind one small class.

It learns by how much a program misses its estimate on paper, so that with few measurements it says what
the estimate says and with many what was measured.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor

from ansord.score.features import NAMES

FAILED = 3.0
"""A failed program counts as exp(FAILED) times slower than its estimate: it teaches what to avoid."""
DOUBT = 0.01
"""The weight of a failure, beside 0.05 to 1 of what worked: where all of a kind fail it is enough, and where
one program in ten fails for no reason the order of the others keeps (0.1 cost it an eighth)."""
_TOTAL = NAMES.index("total_cycles")


@dataclass(frozen=True)
class Model:
    """Predicts the logarithm of a program's seconds, up to a constant of the task. Lower is better."""

    trees: HistGradientBoostingRegressor | None = None

    def predict(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """[rows] from [rows, NAMES]."""
        paper = features[:, _TOTAL]
        if self.trees is None:
            return paper
        return np.asarray(paper + self.trees.predict(features))


def fit(features: NDArray[np.float64], seconds: NDArray[np.float64], seed: int) -> Model:
    """A model of these measurements; infinite seconds are failures. Below 8 rows it is the estimate alone.

    Fast programs weigh more (weight = best / seconds, as in Ansor's loss): the order among slow ones is
    of no use to the search.
    """
    worked = np.isfinite(seconds)
    if worked.sum() < 8:
        return Model()
    missed = np.full(len(seconds), FAILED)
    missed[worked] = np.log(seconds[worked]) - features[worked, _TOTAL]
    centre = np.median(missed[worked])
    missed[worked] -= centre
    weights = np.full(len(seconds), DOUBT)
    weights[worked] = np.maximum(seconds[worked].min() / seconds[worked], 0.05)
    leaf = max(2, min(10, len(seconds) // 20))
    trees = HistGradientBoostingRegressor(
        max_iter=80, learning_rate=0.15, max_leaf_nodes=15, min_samples_leaf=leaf,
        l2_regularization=0.5, max_bins=63, early_stopping=False, random_state=seed,
    )  # fmt: skip
    trees.fit(features, missed, sample_weight=weights)
    return Model(trees)
