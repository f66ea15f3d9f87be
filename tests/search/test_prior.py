"""The prior: it names its tasks, one can be left out, an older one still loads."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ansord.search import Knowledge, Prior, assess, shipped
from ansord_client.subgraph import Subgraph
from benchmarks.search import prior as made
from benchmarks.search import quality as judging
from benchmarks.search.record import EXAMPLES, FIGURES, OTHERS
from examples.make import PAPER
from tests.search.test_knowledge import measured

POOLS = Path(__file__).with_name("pools")


def two() -> Prior:
    return Prior.joined({"a": measured("odd", 30), "b": measured("softmax", 20)})


def test_it_survives_its_bytes() -> None:
    prior = two()
    again = Prior.from_bytes(prior.to_bytes())
    assert again is not None and again.keys == ("a", "b")
    assert again.of is not None and np.bincount(again.of).tolist() == [30, 20]
    np.testing.assert_array_equal(again.samples.actual, prior.samples.actual)


def test_a_task_is_left_out() -> None:
    prior = two()
    rest = prior.but("a")
    assert rest is not None and len(rest.samples) == 20
    np.testing.assert_array_equal(rest.samples.actual, measured("softmax", 20).actual)
    assert rest.but("b") is None
    assert prior.but("c") is prior


def test_one_without_keys_still_loads() -> None:
    old = Prior.from_bytes(two().samples.to_bytes())
    assert old is not None and old.keys == () and len(old.samples) == 50
    assert old.but("a") is old
    assert Prior.from_bytes(b"none") is None
    short = Prior(two().samples, ("a",), np.ones(50, np.int64))  # whose is number 1?
    found = Prior.from_bytes(short.to_bytes())
    assert found is not None and found.keys == ()


def test_a_task_is_not_judged_by_what_the_prior_was_taught_of_it() -> None:
    """A prior that knows the task's programs by heart would look perfect; left out, it says nothing of it."""
    turned = measured("odd", 60, 1, turned=True)
    prior = Prior.joined({"odd": turned})
    knowledge = Knowledge(prior)
    knowledge.remember("odd", turned, [])
    (one,) = assess(knowledge, noise=0.02)
    assert one.in_prior
    assert one.unseen == one.paper, "nothing is left to learn from"
    assert knowledge.unseen("odd", 0).trees is not None
    knowledge.remember("other", measured("softmax", 60), [])
    assert [found.in_prior for found in assess(knowledge, 0.02, only="other")] == [False]


def test_it_is_made_of_pools(tmp_path: Path) -> None:
    said = made.write(POOLS, tmp_path / "prior.npz")
    assert said.startswith("prior.npz: 3 tasks, 210 programs")
    found = Prior.from_bytes((tmp_path / "prior.npz").read_bytes())
    keys = [one.pool.subgraph.key for one in made.loaded(POOLS)]
    assert found is not None and list(found.keys) == keys


def test_without_pools_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="make pools"):
        made.write(tmp_path, tmp_path / "prior.npz")


def test_the_list_of_pools_has_every_operator_and_what_is_shipped() -> None:
    documents = [json.loads((EXAMPLES / f"{name}.json").read_text()) for name in (*FIGURES, *OTHERS)]
    keys = [Subgraph.from_dict(document).key for document in documents]
    prior = shipped()
    assert prior is not None and set(prior.keys) <= set(keys) and len(set(keys)) == len(keys)
    assert {name.split("/")[-1][:3] for name in (*FIGURES, *OTHERS)} > set(PAPER)


def test_a_prior_is_judged(tmp_path: Path) -> None:
    made.write(POOLS, tmp_path / "prior.npz")
    said: list[str] = []
    (found,) = judging.judge(POOLS, tmp_path / "prior.npz", ["c2d_2"], said.append)
    assert found.after.in_prior and found.blind.programs > 200
    assert 0.5 < found.blind.pairwise < found.after.best.pairwise
    assert said[-1].startswith("median      ceiling")


def test_what_is_shipped_is_whole_and_small() -> None:
    prior = shipped()
    assert prior is not None and len(prior.samples) > 500
    assert len(prior.to_bytes()) < 300 << 10
    assert np.isfinite(prior.samples.features).all() and np.isfinite(prior.samples.actual).all()
