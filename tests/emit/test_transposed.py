"""Kernels of transposed convolutions equal the reference: phases with as many taps and with fewer, with none,
cut off at the end, put together in one stage or written where they belong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansord.dag import expand
from ansord_client.subgraph import Subgraph
from tests.dag.graphs import node, subgraph
from tests.emit.equality import TARGETS, Checker, programs, space_of
from tests.emit.sanitized import Sanitized

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def checker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checker]:
    with Checker(tmp_path_factory.mktemp("kernels")) as made:
        yield made


def transposed(
    shape: tuple[int, ...], weight: tuple[int, ...], tail: bool = False, **attrs: Any
) -> Subgraph:
    """With bias and relu behind it where there is a `tail`."""
    nodes = [node("y", f"conv{len(shape) - 2}d_transpose", "x", "w", **attrs)]
    if tail:
        nodes += [node("z", "add", "y", "b"), node("out", "relu", "z")]
    inputs = {"x": shape, "w": weight, **({"b": weight[-1:]} if tail else {})}
    return subgraph(inputs, *nodes, constant=("w", "b") if tail else ("w",))


CASES = {
    "three taps, its tail": (4, transposed(
        (1, 6, 5, 12), (3, 3, 12, 20), True, stride=2, padding=1, output_padding=1)),
    "three taps, odd": (4, transposed((2, 5, 5, 7), (3, 3, 7, 16), stride=2, padding=1)),
    "five by three taps": (2, transposed((1, 4, 7, 8), (5, 3, 8, 17), stride=[2, 3], padding=1)),
    "cut off": (1, transposed((1, 5, 4, 9), (4, 4, 9, 18), True, stride=2, padding=1, output_padding=1)),
    "phases without taps": (1, transposed((1, 5, 6, 8), (1, 1, 8, 16), True, stride=2, output_padding=1)),
    "one dimension": (2, transposed((2, 11, 16), (3, 16, 24), True, stride=2, padding=1)),
    "three dimensions": (8, transposed(
        (1, 3, 4, 3, 8), (3, 3, 3, 8, 8), stride=2, padding=1, output_padding=1)),
    "dilated": (9, transposed((1, 5, 5, 8), (4, 4, 8, 16), stride=3, dilation=2, padding=2)),
    "holes": (2, transposed((1, 9, 16), (3, 16, 16), stride=4, dilation=2)),
    "large strides": (1, transposed((1, 3, 3, 8), (10, 10, 8, 8), stride=7, dilation=2, padding=1)),
    "large strides with holes": (1, transposed((1, 2, 2, 5), (10, 10, 5, 6), stride=14, dilation=4)),
}  # fmt: skip
"""With the number of convolutions that each becomes."""


@pytest.mark.parametrize("name", CASES)
def test_random_programs(checker: Checker, name: str) -> None:
    count, graph = CASES[name]
    assert sum(bool(stage.reduce) for stage in expand(graph).stages) == count
    for place in range(2):
        found = programs(space_of(graph, TARGETS[place]), 1, place)
        faults = checker.faults(graph, found[:: -(-len(found) // 6)], place)
        assert not faults, "\n\n".join(map(str, faults))


def test_under_sanitizers(tmp_path: Path) -> None:
    for name in ("three taps, odd", "large strides"):
        _, graph = CASES[name]
        faults = Sanitized(tmp_path).faults(graph, programs(space_of(graph, TARGETS[0]), 1, 0)[-1:], 0)
        assert not faults, "\n\n".join(map(str, faults))
