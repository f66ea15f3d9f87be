"""One step from a good program: legal, new, one number apart, or the same numbers in another sketch."""

from __future__ import annotations

import numpy as np
import pytest

from ansord.nest import Target
from ansord.search.descend import neighbours
from ansord.sketch import legal
from tests.nest.spaces import legal_rows, space

TARGET = Target(vector_bytes=64, registers=32, threads=2)


@pytest.mark.parametrize("name", ["matmul_bias_relu", "conv_bn_relu", "softmax"])
def test_one_step_apart(name: str) -> None:
    of = space(name, TARGET)
    rows = of.canonical(legal_rows(of, 3, 5))
    found = neighbours(of, rows, np.random.default_rng(0))
    assert legal(of, found).all()
    texts = {row.tobytes() for row in found}
    assert len(texts) == len(found) and not texts & {row.tobytes() for row in rows}
    assert set(found[:, 0]) == set(range(len(of.sketches))), "every sketch is tried"
    same = found[np.isin(found[:, 0], rows[:, 0])]
    apart = np.stack([(same[:, 1:] != row[1:]).sum(1) for row in rows]).min(0)
    assert (apart == 1).any()


def test_none_of_nothing() -> None:
    of = space("softmax", TARGET)
    assert len(neighbours(of, of.no_rows, np.random.default_rng(0))) == 0
