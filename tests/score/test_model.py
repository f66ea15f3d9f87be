"""The learned model orders a made-up task, starts from the estimate, and bears failures."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ansord.nest import Target
from ansord.score import NAMES, Model, features, fit
from tests.nest.spaces import legal_rows, space

TARGET = Target(vector_bytes=64, registers=32, threads=2)
Column = NDArray[np.float64]


def spearman(one: Column, two: Column) -> float:
    """Rank correlation."""
    ranks = [np.argsort(np.argsort(values)).astype(float) for values in (one, two)]
    return float(np.corrcoef(ranks)[0, 1])


@pytest.fixture(scope="module")
def task() -> tuple[Column, Column]:
    """Features of random programs, and seconds that the estimate misjudges: blocks of few rows and pinned
    loads are slower than it thinks, by up to a factor of e²."""
    of = space("conv_bn_relu", TARGET)
    found = features(of, legal_rows(of, 400, 0))
    rows, pin = found[:, NAMES.index("main.rows")], found[:, NAMES.index("main.pin")]
    noise = np.random.default_rng(0).normal(0, 0.02, len(found))
    seconds = 1e-9 * np.exp(found[:, NAMES.index("total_cycles")] + 1.5 / rows + 0.5 * pin + noise)
    return found, seconds


def test_without_measurements_it_is_the_estimate(task: tuple[Column, Column]) -> None:
    found, seconds = task
    for model in (Model(), fit(found[:7], seconds[:7], 0), fit(found[:0], seconds[:0], 0)):
        assert model.predict(found).tolist() == found[:, NAMES.index("total_cycles")].tolist()


def test_it_learns_what_the_estimate_misses(task: tuple[Column, Column]) -> None:
    found, seconds = task
    model = fit(found[:150], seconds[:150], 0)
    paper = spearman(found[200:, NAMES.index("total_cycles")], seconds[200:])
    learned = spearman(model.predict(found[200:]), seconds[200:])
    assert learned > 0.95
    assert learned > paper + 0.02


def test_the_best_are_among_the_best_predicted(task: tuple[Column, Column]) -> None:
    found, seconds = task
    model = fit(found[:150], seconds[:150], 0)
    best = set(np.argsort(seconds[150:])[:10].tolist())
    assert len(best & set(np.argsort(model.predict(found[150:]))[:25].tolist())) >= 7


def test_the_unit_of_time_does_not_matter(task: tuple[Column, Column]) -> None:
    found, seconds = task
    one, other = (fit(found[:100], seconds[:100] * unit, 0).predict(found) for unit in (1.0, 1e6))
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_a_seed_gives_the_same_model(task: tuple[Column, Column]) -> None:
    found, seconds = task
    one, other = (fit(found[:100], seconds[:100], 3).predict(found) for _ in range(2))
    assert one.tolist() == other.tolist()


def test_failures_spoil_nothing(task: tuple[Column, Column]) -> None:
    """One program in ten fails, whatever it is: the order of the others is still learned."""
    found, seconds = task
    holes = seconds[:200].copy()
    holes[np.random.default_rng(1).random(200) < 0.1] = np.inf
    assert spearman(fit(found[:200], holes, 0).predict(found[200:]), seconds[200:]) > 0.95


def test_what_fails_is_avoided(task: tuple[Column, Column]) -> None:
    """Where programs of one kind always fail, that kind is predicted to be slow."""
    found, seconds = task
    doomed = found[:, NAMES.index("main.pin")] == 1
    known = np.where(doomed, np.inf, seconds)[:200]
    model = fit(found[:200], known, 0)
    worse = model.predict(found) - found[:, NAMES.index("total_cycles")]
    assert np.quantile(worse[200:][doomed[200:]], 0.1) > np.quantile(worse[200:][~doomed[200:]], 0.9)


def test_all_failed_is_as_good_as_nothing(task: tuple[Column, Column]) -> None:
    found, _ = task
    assert fit(found[:50], np.full(50, np.inf), 0).trees is None
