"""Strategies on recorded pools: reproducible, inside the pool, better than chance; and the curves drawn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from ansord.measure.recorded import Pool
from ansord.search import Knowledge
from benchmarks.search.plot import curves_svg
from benchmarks.search.recorded import Recorded, loaded, others
from benchmarks.search.replay import curves, replay, replayed
from benchmarks.search.strategies import STRATEGIES, Strategy

POOLS = Path(__file__).with_name("pools")


@pytest.fixture(scope="module")
def pools() -> list[Recorded]:
    found = loaded(POOLS)
    assert [one.name for one in found] == ["c1d_3", "c2d_2", "nrm_3"]
    return found


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_seed_reproduces_a_run_within_the_pool(pools: list[Recorded], name: str) -> None:
    of, strategy = pools[1], STRATEGIES[name]
    knowledge = others(pools, of.name)
    runs = [replayed(of, strategy, knowledge, seed, 24) for seed in (1, 2, 1)]
    assert runs[0].tolist() == runs[2].tolist()
    assert set(runs[0]) <= set(of.seconds) and (np.diff(runs[0]) <= 0).all()
    assert len(runs[0]) == (min(24, of.limited.sum()) if strategy.limited else 24)


def test_nothing_is_tried_twice_and_a_pool_ends(pools: list[Recorded]) -> None:
    of = pools[0]
    for name in ("no fine-tuning", "no model", "descent", "random"):
        search = STRATEGIES[name].opened(of, np.random.default_rng(0), None)
        while len(places := search.next(16)):
            search.told(places)
        assert sorted(search.tried) == list(range(len(of.rows)))
    assert replayed(of, STRATEGIES["random"], None, 0, 10**6)[-1] == of.best


def test_learning_beats_chance_on_a_pool(pools: list[Recorded]) -> None:
    """By the area under the curve of 24 trials, the median of 3 seeds."""
    of = pools[1]
    knowledge = others(pools, of.name)

    def gap(strategy: Strategy) -> float:
        found = np.array([replayed(of, strategy, knowledge, seed, 24) for seed in range(3)])
        return float(np.median(np.log(found / of.best).mean(1)))

    assert gap(STRATEGIES["full"]) < gap(STRATEGIES["random"])


def test_what_is_told_does_not_depend_on_the_rest_of_the_pool(pools: list[Recorded]) -> None:
    """The scale of targets and weights comes of what was tried, not of the pool's best."""
    of = pools[1]
    slow = np.argsort(of.seconds)[20:60].tolist()
    told = of.told(slow)
    assert told.weight.max() == 1.0 and of.samples.some(np.array(sorted(slow))).weight.max() < 1.0
    order = np.argsort(told.actual, kind="stable")
    np.testing.assert_array_equal(order, np.argsort(of.seconds[slow], kind="stable"))


def test_the_limited_part_of_a_pool(pools: list[Recorded]) -> None:
    of = pools[1]
    for place in np.flatnonzero(of.limited):
        program = of.space.program(of.rows[place])
        assert all(value == 1 for knob, value in program.values if ".middle" in knob)
    assert 0 < of.limited.sum() < len(of.rows)


def test_distances_by_value(pools: list[Recorded]) -> None:
    of = pools[0]
    for one, two in ((0, 1), (3, 40)):
        assert of.apart[one, two] == (of.rows[one] != of.rows[two]).sum() == of.apart[two, one]
    assert (np.diag(of.apart) == 0).all()


def test_seeds_do_not_depend_on_who_shares_them(pools: list[Recorded]) -> None:
    of = pools[0]
    one, two = (dict(curves(of, others(pools, of.name), 3, 20, workers)) for workers in (1, 2))
    assert one.keys() == two.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], two[name])


def test_knowledge_of_others_stays_what_it_was(pools: list[Recorded]) -> None:
    knowledge: Knowledge = others(pools, "c1d_3")
    replayed(pools[0], STRATEGIES["full"], knowledge, 0, 24)
    assert list(knowledge.tasks) == ["c2d_2", "nrm_3"]


def test_the_table_and_the_pictures(tmp_path: Path) -> None:
    said: list[str] = []
    found = replay(POOLS, ["nrm_3"], 2, 16, tmp_path, said.append)
    assert all(table.shape == (2, 16) and table.min() >= 0 for table in found["nrm_3"].values())
    assert sum(line.startswith("nrm_3 ") for line in said) == len(found["nrm_3"])
    assert [path.name for path in tmp_path.iterdir()] == ["nrm_3-replay.svg"]


def test_a_pool_of_another_space_is_refused(pools: list[Recorded]) -> None:
    pool: Pool = replace(pools[0].pool, texts=(), seconds=np.empty(0))
    with pytest.raises(ValueError, match="c1d_3: .* record it anew"):
        _ = Recorded("c1d_3", pool).rows


def test_curves_are_drawn(tmp_path: Path) -> None:
    full, late = [(1.0, 90.0), (2.0, 60.0), (8.0, 50.0)], [(1.0, float("inf")), (4.0, 80.0)]
    runs = {"full": [full, full], "a < b": [late]}
    picture = ElementTree.fromstring(curves_svg("gmm & co", "trials", runs))
    kinds = [element.tag.rpartition("}")[2] for element in picture]
    assert kinds.count("polyline") == 2 and kinds.count("polygon") == 2
    every = ElementTree.fromstring(curves_svg("gmm", "trials", dict.fromkeys(STRATEGIES, [full])))
    strokes = [one.get("stroke") for one in every if one.tag.endswith("polyline")]
    assert len(set(strokes)) == len(STRATEGIES), "each has a colour of its own"
