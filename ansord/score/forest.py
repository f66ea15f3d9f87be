"""Trees of few leaves, asked for a whole population at once: no branches, no threads, few array operations.

Leaves are numbered from left to right. A question answered "greater" rules out the leaves on its left, and
the first that no question ruled out is the tree's answer (the method of QuickScorer, Lucchese et al. 2015,
turned from documents to columns).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ansord.score.statement import Table

MOST = 16
"""Leaves of a tree: a bit for each in two bytes."""
ROWS = 128
"""So many at a time: what all questions say of them stays in the second cache."""
PLACES = np.uint16(0x09AF)
"""A de Bruijn sequence: times a power of two, its four highest bits tell all sixteen apart."""


@dataclass(frozen=True)
class Forest:
    """T trees with Q questions each. `feature` [T·Q], `limit` [T·Q, 1]: is it greater? `left` [T·Q, 1]: bits
    of the leaves that it then is not. `values` [T·16]: of each, by `PLACES`; `base`: of no tree."""

    feature: NDArray[np.intp]
    limit: Table
    left: NDArray[np.uint16]
    values: NDArray[np.float64]
    base: float

    @classmethod
    def of(cls, trees: Any) -> Forest:
        """The trees of a fitted HistGradientBoostingRegressor; features without NaN."""
        tables = [_table(stage[0].nodes) for stage in trees._predictors]
        asked = max(len(questions) for questions, _ in tables)
        feature = np.zeros((len(tables), asked), np.intp)
        limit = np.full((len(tables), asked), np.inf, np.float32)
        left = np.zeros((len(tables), asked), np.uint16)
        values = np.zeros((len(tables), MOST))
        for tree, (questions, leaves) in enumerate(tables):
            for place, question in enumerate(questions):
                feature[tree, place], limit[tree, place], left[tree, place] = question
            for leaf, value in enumerate(leaves):
                values[tree, ((1 << leaf) * int(PLACES) & 0xFFFF) >> 12] = value
        base = float(np.asarray(trees._baseline_prediction).ravel()[0])
        return cls(feature.ravel(), limit.reshape(-1, 1), left.reshape(-1, 1), values.ravel(), base)

    def predict(self, columns: Table) -> NDArray[np.float64]:
        """[features, rows] → [rows]: the sum of all trees."""
        found = np.empty(columns.shape[1])
        trees = len(self.values) // MOST
        asked = len(self.feature) // trees
        offsets = (np.arange(trees) * MOST)[:, None]
        for start in range(0, len(found), ROWS):
            greater = columns[:, start : start + ROWS].take(self.feature, axis=0) > self.limit
            ruled_out = (greater * self.left).reshape(trees, asked, greater.shape[1])
            gone = np.bitwise_or.reduce(ruled_out, axis=1)
            first = ~gone & (gone + np.uint16(1))
            leaf = offsets + ((first * PLACES) >> np.uint16(12))
            found[start : start + ROWS] = self.values.take(leaf).sum(0)
        return found + self.base


def _table(nodes: Any) -> tuple[list[tuple[int, float, int]], list[float]]:
    """Feature, limit and left leaves of each question of one tree, and its leaves' values."""
    questions: list[tuple[int, float, int]] = []
    leaves: list[float] = []

    def walk(at: int) -> None:
        node = nodes[at]
        if node["is_leaf"]:
            leaves.append(node["value"])
            return
        first = len(leaves)
        walk(node["left"])
        questions.append((node["feature_idx"], node["num_threshold"], (1 << len(leaves)) - (1 << first)))
        walk(node["right"])

    walk(0)
    return questions, leaves
