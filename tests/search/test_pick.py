"""What is measured: the best, not all alike, and a few at random."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from ansord.nest import Rows, Space, Target
from ansord.search.evolve import Ranked
from ansord.search.pick import ALIKE, pick
from tests.nest.spaces import legal_rows, space

TARGET = Target(vector_bytes=64, registers=32, threads=2)


def block(of: Space, row: Rows) -> tuple[int, ...]:
    kinds = ("block", "vector", "shift", "scalar")
    return tuple(int(row[of.columns[knob.name]]) for knob in of.knobs if knob.kind in kinds)


def alike(of: Space, count: int) -> Rows:
    """Rows that differ in their outer tiles only."""
    rows = legal_rows(of, 4000, 0)
    (most, _) = Counter((int(row[0]), block(of, row)) for row in rows).most_common(1)[0]
    first = next(row for row in rows if (int(row[0]), block(of, row)) == most)
    made = np.tile(first, (400, 1))
    rng = np.random.default_rng(1)
    for knob in of.knobs:
        if knob.kind in ("outer", "middle") and knob.high > 1:
            made[:, of.columns[knob.name]] = rng.integers(1, knob.high + 1, 400)
    made = of.canonical(made)
    found = np.unique(made[[block(of, row) == most[1] for row in made]], axis=0)
    assert len(found) >= count
    return found[:count]


def ranked(rows: Rows) -> Ranked:
    return Ranked(rows, np.arange(len(rows), dtype=np.float64))


def test_a_third_may_have_one_register_block() -> None:
    of = space("matmul_bias_relu", TARGET)
    same, others, fresh = alike(of, 12), legal_rows(of, 40, 5), legal_rows(of, 10, 6)
    chosen = pick(of, ranked(np.concatenate([same, others])), fresh, 16)
    assert len(chosen) == 16
    counts = Counter((int(row[0]), block(of, row)) for row in chosen)
    assert max(counts.values()) <= int(ALIKE * 16)
    assert chosen[: int(ALIKE * 16)].tolist() == same[: int(ALIKE * 16)].tolist()  # the best of them


def test_where_all_are_alike_the_batch_is_filled_all_the_same() -> None:
    of = space("matmul_bias_relu", TARGET)
    same = alike(of, 12)
    chosen = pick(of, ranked(same), legal_rows(of, 4, 8), 8)
    assert len(chosen) == 8
    assert len({row.tobytes() for row in chosen}) == 8


@pytest.mark.parametrize(("count", "random"), [(1, 0), (4, 1), (16, 1), (64, 3)])
def test_as_many_as_wanted_are_drawn_at_random(count: int, random: int) -> None:
    of = space("conv_bn_relu", TARGET)
    best, fresh = legal_rows(of, 200, 2), legal_rows(of, 100, 3)
    chosen = pick(of, ranked(best), fresh, count, random)
    ours = {row.tobytes() for row in best}
    assert len(chosen) == count
    assert sum(row.tobytes() not in ours for row in chosen) == random


def test_nothing_is_chosen_twice() -> None:
    of = space("odd", TARGET)
    rows = legal_rows(of, 30, 4)
    chosen = pick(of, ranked(rows), rows, 24)
    assert len({row.tobytes() for row in chosen}) == len(chosen) == 24


def test_few_and_none() -> None:
    of = space("odd", TARGET)
    rows = legal_rows(of, 3, 4)
    assert pick(of, ranked(rows), rows, 16).tolist() == rows.tolist()
    assert len(pick(of, ranked(rows[:0]), rows[:0], 16)) == 0
    assert len(pick(of, ranked(rows[:0]), rows, 16)) == 3
