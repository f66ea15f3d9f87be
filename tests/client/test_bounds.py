"""Bounds never let pass what `judge` refuses, and let pass what a right kernel computes."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ansord_client.compare import answers, between, bounds, draws, judge
from ansord_client.subgraph import Subgraph
from tests.client.graphs import one
from tests.strategies import subgraphs

Array = NDArray[Any]


@settings(max_examples=30, deadline=None)
@given(subgraphs(), st.integers(0, 5), st.floats(-4, 4), st.randoms(use_true_random=False))
def test_between_the_bounds_is_right(task: Any, seed: int, times: float, random: Any) -> None:
    sg = Subgraph.from_dict(task)
    for kind, inputs in draws(sg, seed):
        with np.errstate(all="ignore"):
            ref64, ref32 = answers(sg, inputs)
            low, high = bounds(sg, ref64, ref32, kind)
            assert all(a.dtype == b.dtype and a.shape == b.shape for a, b in zip(low, ref64, strict=True))
            for tried in ([*low], [*high], [*ref64], [*ref32], [moved(a, times, random) for a in ref64]):
                if between(tried, low, high):
                    assert judge(sg, tried, ref64, ref32, kind).ok


def moved(array: Array, times: float, random: Any) -> Array:
    """One element moved by `times` roundings of the largest."""
    found = array.copy()
    if found.size and found.dtype.kind == "f":
        flat = found.reshape(-1)
        finite = np.abs(flat[np.isfinite(flat)])
        step = np.finfo(found.dtype).eps * (finite.max() if finite.size else 1)
        flat[random.randrange(flat.size)] += found.dtype.type(times * 8 * step)
    return found


def test_a_right_kernel_passes_and_a_wrong_one_does_not() -> None:
    sg = one("matmul", [[40, 30], [30, 20]])
    for kind, inputs in draws(sg, 0):
        ref64, ref32 = answers(sg, inputs)
        low, high = bounds(sg, ref64, ref32, kind)
        assert between(ref32, low, high) and between(ref64, low, high), kind
        wrong = ref32[0].copy()
        wrong[3, 4] = 1e3 if np.isnan(wrong[3, 4]) else np.nan
        assert not between([wrong], low, high)
