"""Trees asked by columns say what scikit-learn's own walk from node to node says."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor

from ansord.score.forest import MOST, ROWS, Forest


@pytest.mark.parametrize("leaves", [2, 7, MOST])
@pytest.mark.parametrize("count", [1, ROWS, 3 * ROWS + 5])
def test_it_says_what_the_trees_say(leaves: int, count: int) -> None:
    rng = np.random.default_rng(leaves)
    rows = np.round(rng.normal(size=(400, 6)) * 8).astype(np.float32) / 8
    wanted = rows[:, 0] * rows[:, 1] + np.where(rows[:, 2] > 0, 3, rows[:, 3])
    trees = HistGradientBoostingRegressor(max_iter=20, max_leaf_nodes=leaves, min_samples_leaf=2)
    trees.fit(rows, wanted)
    asked = rng.normal(size=(count, 6)).astype(np.float32)
    asked[::2] = np.round(asked[::2] * 8) / 8  # where the limits are
    np.testing.assert_allclose(Forest.of(trees).predict(asked.T), trees.predict(asked), rtol=0, atol=1e-12)


def test_a_tree_without_questions_is_its_one_leaf() -> None:
    rows = np.zeros((20, 2), np.float32)
    trees = HistGradientBoostingRegressor(max_iter=3, min_samples_leaf=2).fit(rows, np.full(20, 2.5))
    np.testing.assert_allclose(Forest.of(trees).predict(rows.T), np.full(20, 2.5))


def test_nobody_is_nobody() -> None:
    rows = np.arange(40, dtype=np.float32)[:, None]
    trees = HistGradientBoostingRegressor(max_iter=3, min_samples_leaf=2).fit(rows, rows[:, 0])
    assert Forest.of(trees).predict(np.empty((1, 0), np.float32)).shape == (0,)
