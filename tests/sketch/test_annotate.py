"""Random annotation: distinct legal rows of every sketch, and every value of every knob sooner or later."""

from __future__ import annotations

import numpy as np
import pytest

from ansord.nest import Target, vector_axes
from ansord.sketch import annotate, draw, legal
from ansord.sketch.annotate import log_uniform
from tests.nest.spaces import LARGE, SMALL, space

TARGET = Target(vector_bytes=64, registers=32, threads=2)

CHOICES = (
    *("vector", "shift", "unroll", "pin", "stream", "prefetch"),
    *("first", "parallel", "outermost"),
)


@pytest.mark.parametrize("name", [*SMALL, *LARGE])
def test_rows_are_distinct_legal_and_canonical(name: str) -> None:
    of = space(name, TARGET)
    rows = annotate(of, 200, np.random.default_rng(0))
    assert 0 < len(rows) <= 200
    assert len({row.tobytes() for row in rows}) == len(rows)
    assert legal(of, rows).all()
    assert of.canonical(rows).tolist() == rows.tolist()


@pytest.mark.parametrize("name", ["matmul_bias_relu", "conv_bn_relu", "capsule", "two_outputs"])
def test_every_sketch_has_its_share(name: str) -> None:
    of = space(name, TARGET)
    rows = annotate(of, 100 * len(of.sketches), np.random.default_rng(1))
    counts = np.bincount(rows[:, 0], minlength=len(of.sketches))
    assert len(rows) >= 90 * len(of.sketches)
    assert counts.min() >= 10


def test_a_seed_gives_the_same_rows() -> None:
    of = space("conv_bn_relu", TARGET)
    first, again, other = (annotate(of, 64, np.random.default_rng(seed)).tolist() for seed in (3, 3, 4))
    assert first == again
    assert first != other


def test_a_tiny_space_is_exhausted_not_waited_for() -> None:
    of = space("scalar", TARGET)
    assert len(annotate(of, 100, np.random.default_rng(0))) == 1


@pytest.mark.parametrize("name", ["odd", "bias"])
def test_values_cover_the_knobs(name: str) -> None:
    """Each value that draw can give a knob is met in legal rows, up to what canonical cuts."""
    of = space(name, TARGET)
    rows = annotate(of, 6000, np.random.default_rng(2))
    for sketch, used in enumerate(of.used):
        mine = rows[rows[:, 0] == sketch]
        for knob in used:
            if knob.kind in CHOICES:
                met = set(mine[:, of.columns[knob.name]].tolist())
                assert met == set(range(knob.low, knob.high + 1)) & _possible(
                    of, sketch, knob.group, knob.kind
                )


def _possible(of: object, sketch: int, group: str, kind: str) -> set[int]:
    found = next(g for g in of.sketches[sketch].everywhere if g.name == group)  # type: ignore[attr-defined]
    return set(vector_axes(found)) if kind == "vector" else set(range(100))


@pytest.mark.parametrize("high", [1, 2, 3, 7, 16, 100])
def test_log_uniform_covers_its_range(high: int) -> None:
    drawn = log_uniform(1, high, 20_000, np.random.default_rng(0))
    assert set(drawn.tolist()) == set(range(1, high + 1))
    counts = np.bincount(drawn)[1:]
    assert counts[0] == counts.max()  # small counts are the most likely


def test_a_reduce_axis_is_written_out_by_a_divisor() -> None:
    """9 = kernel window x channels of `conv`: of extent 3 the divisors are 1 and 3."""
    of = space("conv", TARGET)
    group = of.sketches[-1].groups[-1]
    knob = next(k for k in of.used[-1] if k.name == f"{group.name}.block.kw")
    drawn = draw(of, group, knob, 500, np.random.default_rng(0))
    assert set(drawn.tolist()) == {1, 3}
