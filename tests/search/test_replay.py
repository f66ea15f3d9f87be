"""Strategies on recorded pools: reproducible, inside the pool, better than chance; and the curves drawn."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from ansord.search import Knowledge
from benchmarks.search.plot import curves_svg
from benchmarks.search.prior import prior
from benchmarks.search.replay import Pooled, Recorded, Shuffled, loaded, others, replayed

POOLS = Path(__file__).with_name("pools")


@pytest.fixture(scope="module")
def pools() -> list[Recorded]:
    found = loaded(POOLS)
    assert [one.name for one in found] == ["c1d_3", "c2d_2", "nrm_3"]
    return found


def test_a_seed_reproduces_a_run(pools: list[Recorded]) -> None:
    runs = [replayed(pools[0], Pooled, None, seed, 24, 8) for seed in (1, 1)]
    assert runs[0] == runs[1]
    assert replayed(pools[0], Shuffled, None, 1, 24, 8) != replayed(pools[0], Shuffled, None, 2, 24, 8)
    assert runs[0] == sorted(runs[0], reverse=True)
    assert runs[0][-1] in pools[0].seconds.values()


def test_learning_beats_chance_on_a_pool(pools: list[Recorded]) -> None:
    """By the area under the curve of 24 trials, the median of 3 seeds."""
    of = pools[1]
    knowledge = others(pools, of.name)

    def gap(kind: type[Pooled], known: Knowledge | None) -> float:
        curves = np.array([replayed(of, kind, known, seed, 24, 8) for seed in range(3)])
        return float(np.median(np.log(curves / of.best).mean(1)))

    assert gap(Pooled, knowledge) < gap(Shuffled, None)


def test_a_pool_ends(pools: list[Recorded]) -> None:
    of = pools[0]
    curve = replayed(of, Shuffled, None, 0, len(of.seconds), 16)
    assert curve[-1] == of.best


def test_the_prior_is_written_whole(pools: list[Recorded], tmp_path: Path) -> None:
    assert 1000 < prior(pools, tmp_path / "prior.npz") < 100_000


def test_curves_are_drawn(tmp_path: Path) -> None:
    full, late = [(1.0, 90.0), (2.0, 60.0), (8.0, 50.0)], [(1.0, float("inf")), (4.0, 80.0)]
    runs = {"full": [full, full], "a < b": [late]}
    picture = ElementTree.fromstring(curves_svg("gmm & co", "trials", runs))
    kinds = [element.tag.rpartition("}")[2] for element in picture]
    assert kinds.count("polyline") == 2 and kinds.count("polygon") == 2
