"""The prior: it names its tasks, one can be left out, its best programs are the first seeds."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ansord.nest import Target
from ansord.score import NAMES
from ansord.search import Knowledge, Known, Task, assess, packed, shipped, unpacked
from ansord.search.prior import WIDTHS, name
from ansord_client.subgraph import Subgraph
from benchmarks.search import prior as made
from benchmarks.search import quality as judging
from benchmarks.search.record import EXAMPLES, FIGURES, OTHERS
from examples.make import PAPER
from tests.dag.graphs import node, subgraph
from tests.search.test_knowledge import measured

POOLS = Path(__file__).with_name("pools")
WIDTH = made.loaded(POOLS)[0].pool.target.vector_bytes


def two() -> dict[str, Known]:
    return {"a": Known(measured("odd", 30), ("x", "y")), "b": Known(measured("softmax", 20))}


def test_it_survives_its_bytes() -> None:
    again = unpacked(packed(two()))
    assert list(again) == ["a", "b"] and again["a"].best == ("x", "y") and again["b"].best == ()
    np.testing.assert_array_equal(again["a"].samples.actual, two()["a"].samples.actual)
    assert unpacked(b"none") == {} == unpacked(packed(two())[:-9])


def test_a_task_is_left_out() -> None:
    knowledge = Knowledge(two())
    rest = knowledge.held_out("a")
    assert list(rest.prior) == ["b"] and list(knowledge.prior) == ["a", "b"]
    assert knowledge.held_out("c") is knowledge


def test_a_task_is_not_judged_by_what_the_prior_was_taught_of_it() -> None:
    """A prior that knows the task's programs by heart would look perfect; left out, it says nothing of it."""
    turned = measured("odd", 60, 1, turned=True)
    knowledge = Knowledge({"odd": Known(turned)})
    knowledge.remember("odd", turned, [])
    (one,) = assess(knowledge, noise=0.02)
    assert one.in_prior
    assert one.unseen == one.paper, "nothing is left to learn from"
    assert knowledge.unseen("odd", 0).trees is not None
    knowledge.remember("other", measured("softmax", 60), [])
    assert [found.in_prior for found in assess(knowledge, 0.02, only="other")] == [False]


def test_a_task_learns_from_those_of_the_prior_that_are_like_it() -> None:
    """Of many tasks in a prior, the nearest dozen are shown."""
    prior = {f"{place}": Known(measured("softmax", 30, place)) for place in range(20)}
    prior["same"] = Known(measured("odd", 30, 5))
    (shown,) = Knowledge(prior).fit_parts("new", 0, measured("odd", 30, 6))
    kinds = shown.features[:, NAMES.index("ideal")]
    assert np.isin(prior["same"].samples.features[:, NAMES.index("ideal")], kinds).all()
    assert len(shown) == 12 * 30


def test_its_best_programs_are_seeds() -> None:
    recorded = made.loaded(POOLS)
    one = next(one for one in recorded if one.name == "c2d_2")
    prior = {one.pool.subgraph.key: made.known(one)}
    seeds = Knowledge(prior).seeds(one.pool.subgraph.key, one.space)
    fastest = one.rows[np.argsort(one.seconds)[:3]]
    assert sorted(map(bytes, seeds)) == sorted(map(bytes, fastest))
    assert len(Knowledge(prior).held_out(one.pool.subgraph.key).seeds("new", one.space)) == 0


def test_it_is_made_of_pools_and_of_what_a_host_has_learned(tmp_path: Path) -> None:
    said = made.write(POOLS, tmp_path)
    assert said.startswith(f"{name(WIDTH)}: 3 tasks, {3 * made.EACH} programs")
    found = unpacked((tmp_path / name(WIDTH)).read_bytes())
    pools = made.loaded(POOLS)
    assert list(found) == [one.pool.subgraph.key for one in pools]
    for one, known in zip(pools, found.values(), strict=True):
        assert known.best[0] == str(one.space.program(one.rows[np.argmin(one.seconds)]))
    learned = tmp_path / "learned.bin"
    learned.write_bytes(packed(two()))
    empty = tmp_path / "none"
    assert "2 tasks, 50 programs" in made.write(empty, tmp_path, [learned])


def test_without_anything_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="make pools"):
        made.write(tmp_path, tmp_path)


def test_the_list_of_pools_has_every_operator() -> None:
    documents = [json.loads((EXAMPLES / f"{name}.json").read_text()) for name in (*FIGURES, *OTHERS)]
    keys = [Subgraph.from_dict(document).key for document in documents]
    assert len(set(keys)) == len(keys)
    assert {name.split("/")[-1][:3] for name in (*FIGURES, *OTHERS)} > set(PAPER)


def test_a_prior_is_judged(tmp_path: Path) -> None:
    made.write(POOLS, tmp_path)
    said: list[str] = []
    (found,) = judging.judge(POOLS, tmp_path / name(WIDTH), ["c2d_2"], said.append)
    assert found.after.in_prior and found.blind.programs > 200
    assert 0.5 < found.blind.pairwise < found.after.best.pairwise
    assert said[-1].startswith("median      ceiling")


@pytest.mark.parametrize("width", WIDTHS)
def test_what_is_shipped_is_whole_and_small(width: int) -> None:
    prior = shipped(width)
    assert sum(len(known.samples) for known in prior.values()) > 500
    assert len(packed(prior)) < 500 << 10
    for known in prior.values():
        assert np.isfinite(known.samples.features).all() and np.isfinite(known.samples.actual).all()


def test_a_host_with_other_registers_learns_from_all_but_takes_no_programs() -> None:
    prior = shipped(16)
    assert set(prior) == {key for width in WIDTHS for key in shipped(width)}
    assert not any(known.best for known in prior.values())


@pytest.mark.parametrize(("images", "channels"), [(1, 192), (4, 320)])
def test_what_is_shipped_seeds_a_layer_that_it_has_not_met(images: int, channels: int) -> None:
    graph = subgraph(
        {"x": (images, 10, 10, channels), "w": (1, 1, channels, 640), "b": (640,)},
        node("y", "conv2d", "x", "w"), node("z", "add", "y", "b"), node("r", "relu", "z"),
        constant=("w", "b"),
    )  # fmt: skip
    task = Task(graph, Target(vector_bytes=32, registers=16))
    assert task.key not in shipped(32)
    seeds = Knowledge(shipped(32)).seeds(task.key, task.space)
    assert len(seeds) >= 8 and len(np.unique(seeds, axis=0)) >= 4
