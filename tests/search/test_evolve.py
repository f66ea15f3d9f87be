"""Evolution ranks what it returns, repeats nothing, and finds a planted optimum before random draws do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from ansord.nest import Rows, Space, Target
from ansord.search import Settings, evolve
from ansord.search.evolve import Ranked
from ansord.sketch import annotate, legal
from tests.nest.spaces import legal_rows, space

TARGET = Target(vector_bytes=64, registers=32, threads=2)
# All sketches take part: whether the planted one is drawn is not what is tested.
SMALLER = Settings(population=128, generations=6, kept=64, elites=12, sketches=64, bred=64)


class Planted:
    """A score with one best program: the doublings from its numbers to a row's. Counts its questions."""

    def __init__(self, of: Space, best: Rows) -> None:
        self.best = best
        self.asked = 0

    def __call__(self, rows: Rows) -> NDArray[np.float64]:
        self.asked += len(rows)
        far = np.abs(np.log2(1.0 + rows[:, 1:]) - np.log2(1.0 + self.best[1:])).sum(axis=1)
        return np.asarray(far + 3.0 * (rows[:, 0] != self.best[0]), dtype=np.float64)


def no_rows(of: Space) -> Rows:
    return np.empty((0, 1 + len(of.knobs)), dtype=np.int64)


@pytest.mark.parametrize("name", ["matmul_bias_relu", "conv_bn_relu", "softmax"])
@pytest.mark.parametrize("seed", range(3))
def test_it_beats_random_draws(name: str, seed: int) -> None:
    """The same number of scored rows for both; the best that each has met."""
    of = space(name, TARGET)
    score = Planted(of, legal_rows(of, 50, 77)[seed])
    found = evolve(of, score, no_rows(of), set(), np.random.default_rng(seed), SMALLER)
    drawn = annotate(of, score.asked, np.random.default_rng(seed))
    assert found.scores[0] < score(drawn).min()


def test_what_it_returns() -> None:
    of = space("conv_bn_relu", TARGET)
    score = Planted(of, legal_rows(of, 1, 7)[0])
    found = evolve(of, score, no_rows(of), set(), np.random.default_rng(0), SMALLER)
    assert len(found.rows) == len(found.scores) == SMALLER.kept
    assert found.scores.tolist() == sorted(found.scores.tolist())
    assert score(found.rows).tolist() == found.scores.tolist()
    assert len({row.tobytes() for row in found.rows}) == len(found.rows)
    assert of.canonical(found.rows).tolist() == found.rows.tolist()
    assert legal(of, found.rows).all()


def test_the_sketches_of_the_best_are_bred() -> None:
    of = space("conv_bn_relu", TARGET)
    score = Planted(of, legal_rows(of, 1, 7)[0])
    met: list[set[int]] = []

    def noted(rows: NDArray[np.int64]) -> NDArray[np.float64]:
        met.append(set(rows[:, 0].tolist()))
        return score(rows)

    evolve(of, noted, no_rows(of), set(), np.random.default_rng(0), replace(SMALLER, bred=2))
    first, *rest = met
    assert len(first) == len(of.sketches) > 2 and len(rest) == SMALLER.generations
    assert all(len(sketches) <= 2 for sketches in rest) and int(score.best[0]) in rest[-1]


def test_known_rows_do_not_come_back() -> None:
    of = space("odd", TARGET)
    score = Planted(of, legal_rows(of, 1, 8)[0])
    first = evolve(of, score, no_rows(of), set(), np.random.default_rng(0), SMALLER)
    known = {row.tobytes() for row in first.rows}
    second = evolve(of, score, first.rows[:8], known, np.random.default_rng(1), SMALLER)
    assert not known & {row.tobytes() for row in second.rows}


def test_a_seed_gives_the_same_search() -> None:
    of = space("matmul_bias_relu", TARGET)
    score = Planted(of, legal_rows(of, 1, 9)[0])
    one, two = (
        evolve(of, score, no_rows(of), set(), np.random.default_rng(5), SMALLER).rows.tolist() for _ in "ab"
    )
    assert one == two


def test_elites_are_where_it_starts() -> None:
    """From a row two moves away from the best, two generations suffice."""
    of = space("conv_bn_relu", TARGET)
    best = legal_rows(of, 1, 10)[0]
    score = Planted(of, best)
    near = evolve(of, score, no_rows(of), {best.tobytes()}, np.random.default_rng(0), SMALLER).rows[:4]
    brief = Settings(population=128, generations=2, kept=64, elites=12)
    found = evolve(of, score, near, set(), np.random.default_rng(1), brief)
    assert found.scores[0] <= score(near).min()


def test_tiny_spaces_end() -> None:
    of = space("scalar", TARGET)
    found = evolve(of, Planted(of, of.neutral_row), no_rows(of), set(), np.random.default_rng(0), SMALLER)
    assert isinstance(found, Ranked) and len(found.rows) == 1
    again = evolve(
        of,
        Planted(of, of.neutral_row),
        found.rows,
        {found.rows[0].tobytes()},
        np.random.default_rng(0),
        SMALLER,
    )
    assert len(again.rows) == 0


def test_many_sketches_take_turns() -> None:
    of = space("conv_bn_relu", TARGET)
    few = Settings(population=64, generations=2, kept=32, elites=4, sketches=2)
    score = Planted(of, legal_rows(of, 1, 11)[0])
    seen = [set(evolve(of, score, no_rows(of), set(), np.random.default_rng(seed), few).rows[:, 0].tolist())
            for seed in range(12)]  # fmt: skip
    assert all(len(sketches) <= 2 for sketches in seen)
    assert len(set.union(*seen)) > 4
