"""Kernels of grouped convolutions with few channels per group: one vector has lanes of several groups."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ansord.emit import emit
from ansord_client.subgraph import Subgraph
from tests.dag.graphs import node, subgraph
from tests.emit.equality import TARGETS, Checker, programs, space_of
from tests.emit.sanitized import Sanitized

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def checker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checker]:
    with Checker(tmp_path_factory.mktemp("kernels")) as made:
        yield made


def grouped(groups: int, inner: int, outer: int, dtype: str = "float32", stride: int = 1) -> Subgraph:
    return subgraph(
        {"x": (1, 7, 6, groups * inner), "w": (3, 3, inner, groups * outer), "b": (groups * outer,)},
        node("y", "conv2d", "x", "w", groups=groups, padding=1, stride=stride),
        node("z", "add", "y", "b"), node("out", "relu", "z"),
        constant=("w", "b"), dtypes=dict.fromkeys("xwb", dtype),
    )  # fmt: skip


CASES = {
    "four": grouped(8, 4, 4),
    "eight in, six out": grouped(4, 8, 6, stride=2),
    "two in, four out": grouped(9, 2, 4),
    "three": grouped(7, 3, 3),
    "one in, two out": grouped(20, 1, 2),
    "doubles": grouped(6, 2, 2, "float64"),
    "bytes": subgraph(
        {"x": (1, 5, 6, 32), "w": (3, 3, 4, 32)}, node("y", "conv2d", "x", "w", groups=8), constant=("w",),
        dtypes=dict.fromkeys("xw", "int8"),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_random_programs(checker: Checker, name: str) -> None:
    graph, pieces = CASES[name], 0
    for place, target in enumerate(TARGETS[:3:2]):
        found = [one for one in programs(space_of(graph, target), 2, place) if "across" in str(one)]
        pieces += sum("#define join_" in emit(one).text for one in found)
        faults = checker.faults(graph, found[:: -(-len(found) // 8)], place)
        assert not faults, "\n\n".join(map(str, faults))
    assert pieces or name in ("three", "one in, two out"), "vectors are put together"


def test_under_sanitizers(tmp_path: Path) -> None:
    graph = CASES["four"]
    found = [one for one in programs(space_of(graph, TARGETS[0]), 1, 0) if "across" in str(one)]
    faults = Sanitized(tmp_path).faults(graph, found[-2:], 0)
    assert not faults, "\n\n".join(map(str, faults))
