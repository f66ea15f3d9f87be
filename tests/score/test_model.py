"""The learned model orders a made-up task, starts from the estimate, and bears failures."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from ansord.nest import Target
from ansord.score import NAMES, Judged, Model, Samples, ceiling, fit, joined, judge, quality, samples
from tests.nest.spaces import legal_rows, space

TARGET = Target(vector_bytes=64, registers=32, threads=2)
Column = NDArray[np.float64]


def spearman(one: Column, two: Column) -> float:
    """Rank correlation."""
    ranks = [np.argsort(np.argsort(values)).astype(float) for values in (one, two)]
    return float(np.corrcoef(ranks)[0, 1])


def part(of: Judged, chosen: NDArray[np.int64]) -> Judged:
    """Some of the programs."""
    place = np.full(len(of.total), -1)
    place[chosen] = np.arange(len(chosen))
    kept = place[of.row] >= 0
    return Judged(of.features[kept], place[of.row[kept]], of.cycles[kept], of.total[chosen])


def disliked(of: Judged) -> NDArray[np.bool_]:
    """Programs whose main statement pins its loads: the made-up machine is slow at it."""
    main = of.features[:, NAMES.index("tiled")] == 1
    pinned = main & (of.features[:, NAMES.index("pin")] == 1)
    return np.bincount(of.row[pinned], minlength=len(of.total)) > 0


@pytest.fixture(scope="module")
def task() -> tuple[Judged, Column]:
    """Random programs, and seconds that the estimate misjudges: statements with blocks of few rows and those
    with pinned loads are slower than it thinks, by up to a factor of e²."""
    of = space("conv_bn_relu", TARGET)
    found = judge(of, legal_rows(of, 500, 0)[:400])
    rows, pin = found.features[:, NAMES.index("rows")], found.features[:, NAMES.index("pin")]
    parts = found.cycles * np.exp(1.5 / rows + 0.5 * pin)
    noise = np.random.default_rng(0).normal(0, 0.02, len(found.total))
    return found, 1e-9 * np.bincount(found.row, parts) * np.exp(noise)


FIRST, REST = np.arange(150), np.arange(200, 400)


def learned(task: tuple[Judged, Column], chosen: NDArray[np.int64], seed: int = 0) -> Model:
    return fit(samples(part(task[0], chosen), task[1][chosen]), seed)


def test_without_measurements_it_is_the_estimate(task: tuple[Judged, Column]) -> None:
    found, _ = task
    for model in (Model(), learned(task, np.arange(7)), learned(task, np.arange(0))):
        np.testing.assert_allclose(model.predict(found), np.log(found.total), rtol=1e-6)


def test_it_learns_what_the_estimate_misses(task: tuple[Judged, Column]) -> None:
    found, seconds = task
    rest = part(found, REST)
    paper = spearman(np.log(rest.total), seconds[REST])
    known = spearman(learned(task, FIRST).predict(rest), seconds[REST])
    assert known > 0.95
    assert known > paper + 0.02


def test_the_best_are_among_the_best_predicted(task: tuple[Judged, Column]) -> None:
    found, seconds = task
    rest = np.arange(150, 400)
    predicted = learned(task, FIRST).predict(part(found, rest))
    best = set(np.argsort(seconds[rest])[:10].tolist())
    assert len(best & set(np.argsort(predicted)[:25].tolist())) >= 7


def test_an_earlier_model_shortens_the_next_fit(task: tuple[Judged, Column]) -> None:
    """Shares out of the earlier model: one round does, and it is as good."""
    found, seconds = task
    rest = part(found, REST)
    known = samples(part(found, FIRST), seconds[FIRST])
    again = fit(known, 0, learned(task, np.arange(100)))
    assert spearman(again.predict(rest), seconds[REST]) > 0.95


def test_the_unit_of_time_does_not_matter(task: tuple[Judged, Column]) -> None:
    found, seconds = task
    one, other = (learned((found, seconds * unit), FIRST).predict(found) for unit in (1.0, 1e6))
    np.testing.assert_allclose(one, other, atol=1e-4)


def test_a_seed_gives_the_same_model(task: tuple[Judged, Column]) -> None:
    one, other = (learned(task, FIRST, 3).predict(task[0]) for _ in range(2))
    assert one.tolist() == other.tolist()


def test_failures_spoil_nothing(task: tuple[Judged, Column]) -> None:
    """One program in ten fails, whatever it is: the order of the others is still learned."""
    found, seconds = task
    holes = np.where(np.random.default_rng(1).random(400) < 0.1, np.inf, seconds)
    model = learned((found, holes), np.arange(200))
    assert spearman(model.predict(part(found, REST)), seconds[REST]) > 0.95


def test_what_fails_is_avoided(task: tuple[Judged, Column]) -> None:
    """Where programs of one kind always fail, that kind is predicted to be slow."""
    found, seconds = task
    doomed = disliked(found)
    model = learned((found, np.where(doomed, np.inf, seconds)), np.arange(200))
    worse = (model.predict(found) - np.log(found.total))[REST]
    assert np.quantile(worse[doomed[REST]], 0.2) > np.quantile(worse[~doomed[REST]], 0.8)


def test_all_failed_says_nothing_about_their_order(task: tuple[Judged, Column]) -> None:
    found, _ = task
    model = learned((found, np.full(400, np.inf)), np.arange(50))
    assert spearman(model.predict(found), np.log(found.total)) > 0.999


def test_samples_survive_their_bytes(task: tuple[Judged, Column]) -> None:
    known = samples(part(task[0], FIRST), task[1][FIRST])
    again = Samples.from_bytes(known.to_bytes())
    assert again is not None and len(again) == len(known) == 150
    np.testing.assert_array_equal(again.row, known.row)
    np.testing.assert_array_equal(again.actual, known.actual)
    np.testing.assert_allclose(again.features, known.features, rtol=2e-3, atol=2e-3)
    for damaged in (b"", b"no npz", known.to_bytes()[:500], known.to_bytes()[:-30]):
        assert Samples.from_bytes(damaged) is None


def test_samples_of_the_version_before_lack_the_last_columns(
    task: tuple[Judged, Column], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = samples(part(task[0], FIRST), task[1][FIRST])
    module = sys.modules[Samples.__module__]  # the package has a function of its name
    with monkeypatch.context() as before:
        before.setattr(module, "VERSION", 2)
        old = replace(known, features=known.features[:, :-2]).to_bytes()
        before.setattr(module, "VERSION", 1)
        older = replace(known, features=known.features[:, :-2]).to_bytes()
    again = Samples.from_bytes(old)
    assert again is not None and Samples.from_bytes(older) is None
    assert again.features.shape == known.features.shape
    assert not again.features[:, -2:].any()
    np.testing.assert_allclose(again.features[:, :-2], known.features[:, :-2], rtol=2e-3, atol=2e-3)


def test_joined_and_parted(task: tuple[Judged, Column]) -> None:
    known = samples(part(task[0], FIRST), task[1][FIRST])
    both = joined([known.some(np.arange(40)), known.some(np.arange(40, 150)).weighed(0.5)])
    assert len(both) == 150
    sums = [np.bincount(one.row, one.cycles, 150) for one in (both, known)]
    np.testing.assert_allclose(*sums)
    np.testing.assert_allclose(both.weight[40:], known.weight[40:] * 0.5)
    assert len(known.spread(20, 0)) == 20 and len(known.spread(900, 0)) == 150


def test_quality_by_value() -> None:
    seconds = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0])
    assert quality(seconds, seconds).pairwise == quality(seconds, seconds).recall == 1.0
    swapped = quality(np.array([2.0, 1.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]), seconds)
    assert swapped.pairwise == 27 / 28 and swapped.recall == 1.0 and swapped.regret == 0.0
    worst = quality(-seconds, seconds)
    assert worst.pairwise == 0.0 and worst.recall == 0.0
    many = np.arange(1.0, 101.0)
    assert quality(-many, many).regret == 92.0
    assert 0.9 < ceiling(many, 0.05).pairwise < 1.0 == ceiling(many, 0.0).pairwise
