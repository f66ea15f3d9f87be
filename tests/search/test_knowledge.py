"""What a host knows of its tasks: kept, found again, harmless where it is wrong."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from ansord.nest import Target
from ansord.score import Samples, judge, quality, samples
from ansord.search import Knowledge, Known, assess
from ansord.search.knowledge import EACH, SHIPPED
from tests.nest.spaces import legal_rows, space

TARGET = Target(vector_bytes=64, registers=32, threads=2)


def measured(name: str, count: int, seed: int = 0, turned: bool = False) -> Samples:
    """Programs on a machine that is as the estimate says, or, `turned`, slow where it says fast."""
    judged = judge(space(name, TARGET), legal_rows(space(name, TARGET), count, seed))
    seconds = 1e-9 * judged.total.astype(np.float64)
    return samples(judged, 1 / seconds if turned else seconds)


def knowing(path: Path | None = None, prior: dict[str, Known] | None = None) -> Knowledge:
    knowledge = Knowledge(prior, path)
    for name in ("matmul_bias_relu", "odd", "softmax"):
        knowledge.remember(name, measured(name, 60), [f"program of {name}"])
    return knowledge


def test_it_is_kept_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "learned.bin"
    known = knowing(path)
    known.save()
    again = Knowledge(None, path)
    assert list(again.tasks) == list(known.tasks)
    assert again.tasks["odd"].best == ("program of odd",)
    np.testing.assert_array_equal(again.tasks["odd"].samples.actual, known.tasks["odd"].samples.actual)
    assert [one.name for one in tmp_path.iterdir()] == ["learned.bin"]


@pytest.mark.parametrize("cut", [0, 10, 4000])
def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "learned.bin"
    knowing(path).save()
    path.write_bytes(path.read_bytes()[:cut])
    assert Knowledge(None, path).tasks == {}


def test_nobody_waits_for_the_first_model() -> None:
    """It is the same as for who waits, later; until then the estimate stands."""
    prior = {"odd": Known(measured("odd", 60))}
    judged, known = measured("odd", 20, 1).judged, Knowledge(prior, aside=True)
    wanted = Knowledge(prior).fit("new", None, 0).predict(judged)
    assert known.fit("new", None, 0).trees is None
    end = time.monotonic() + 60
    while known.fit("new", None, 0).trees is None and time.monotonic() < end:
        time.sleep(0.01)
    np.testing.assert_array_equal(known.fit("new", None, 0).predict(judged), wanted)
    assert known.held_out("odd").fit("new", None, 0).trees is None


def test_a_task_outweighs_a_prior_that_is_wrong() -> None:
    """On another CPU the prior may say the contrary of the truth: 64 own programs see through it."""
    wrong = measured("conv_bn_relu", 400, 1, turned=True)
    own, rest = measured("conv_bn_relu", 64, 2), measured("conv_bn_relu", 150, 3)
    seconds = np.exp(rest.actual.astype(np.float64))
    model = Knowledge({"old": Known(wrong)}).fit("new", own, 0)
    assert quality(model.predict(rest.judged), seconds).pairwise > 0.8


def test_the_prior_gives_way_to_what_is_measured_here() -> None:
    prior = {"old": Known(measured("conv_bn_relu", 100, 1))}
    few, many = Knowledge(prior), Knowledge(prior)
    for place in range(8):
        many.remember(f"task {place}", measured("odd", 100, place), [])
    weights = [one.fit_parts("new", 0)[-1].weight.max() for one in (few, many)]
    here = sum(len(known.samples) for known in many.tasks.values())
    assert weights[1] == pytest.approx(weights[0] / (1 + here / SHIPPED))


def test_a_fit_takes_the_tasks_most_like_its_own() -> None:
    known = knowing()
    parts = known.fit_parts("new", 0, measured("odd", 20, 9))
    assert len(parts[0]) <= EACH
    np.testing.assert_allclose(
        np.sort(parts[0].actual), np.sort(known.tasks["odd"].samples.spread(EACH, 0).actual)
    )


@pytest.mark.timeout(900)
def test_assessment_of_a_machine_that_is_as_estimated() -> None:
    found = list(assess(knowing(), noise=0.02))
    assert [one.key for one in found] == ["matmul_bias_relu", "odd", "softmax"]
    for one in found:
        assert one.told == 20 and one.paper.programs == 40
        assert one.paper.pairwise == 1.0 and one.paper.regret == 0.0
        assert one.seen.pairwise > 0.9 and 0.9 < one.best.pairwise < 1.0
