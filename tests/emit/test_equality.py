"""Emitted kernels equal the reference, whatever the subgraph, the sketch and the numbers.

A fixed draw; `benchmarks/accept/equality.py` makes a large one. The draw is not shrunk: a fault prints all.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from ansord_client.subgraph import Subgraph
from tests.emit.equality import TARGETS, Checker, programs, space_of
from tests.strategies import subgraphs
from tests.subjects import SUBJECTS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def checker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checker]:
    with Checker(tmp_path_factory.mktemp("kernels")) as made:
        yield made


@pytest.mark.parametrize("number", range(4))
def test_drawn_subgraphs(checker: Checker, number: int) -> None:
    turn = count(number)

    @seed(number)
    @settings(
        max_examples=10, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    @given(subgraphs())
    def draw(obj: dict[str, Any]) -> None:
        graph, place = Subgraph.from_dict(obj), next(turn)
        found = programs(space_of(graph, TARGETS[place % len(TARGETS)]), 1, place)
        faults = checker.faults(graph, found[:8], place)
        assert not faults, "\n\n".join(map(str, faults))

    draw()


def test_golden_programs(checker: Checker) -> None:
    for subject in SUBJECTS.values():
        faults = checker.faults(subject.graph, [subject.program], 1)
        assert not faults, "\n\n".join(map(str, faults))


@pytest.mark.parametrize("name", ["conv_bn_relu", "transposed", "softmax", "odd"])
def test_random_programs_of_subjects(checker: Checker, name: str) -> None:
    graph = SUBJECTS[name].graph
    for place, target in enumerate(TARGETS[:3:2]):
        faults = checker.faults(graph, programs(space_of(graph, target), 1, place)[:8], place)
        assert not faults, "\n\n".join(map(str, faults))
