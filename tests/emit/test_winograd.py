"""Kernels of rewritten convolutions equal the reference by the rule for relaxed definitions; what depends on
constants alone is computed when they are laid out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansord.emit import emit
from ansord.nest import Program
from ansord_client.subgraph import Subgraph
from tests.dag.graphs import node, subgraph
from tests.emit.equality import TARGETS, Checker, programs, space_of
from tests.emit.sanitized import Sanitized

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def checker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checker]:
    with Checker(tmp_path_factory.mktemp("kernels")) as made:
        yield made


def convolution(
    shape: tuple[int, ...], weight: tuple[int, ...], tail: bool = False, kind: str = "", **attrs: Any
) -> Subgraph:
    """With batch norm and relu behind it where there is a `tail`."""
    nodes, statistics = [node("y", f"conv{len(shape) - 2}d{kind}", "x", "w", **attrs)], "sbmv" if tail else ""
    if tail:
        nodes += [node("z", "batch_norm", "y", "s", "b", "m", "v"), node("out", "relu", "z")]
    inputs = {"x": shape, "w": weight, **dict.fromkeys(statistics, weight[-1:])}
    return subgraph(inputs, *nodes, constant=("w", *statistics))


CONVOLUTIONS = {
    "with its tail": convolution((1, 14, 14, 16), (3, 3, 16, 32), True, padding=1),
    "batch, odd channels": convolution((3, 7, 9, 17), (3, 3, 17, 20)),
    "whole tiles": convolution((1, 10, 6, 24), (3, 3, 24, 24)),
    "five by three taps": convolution((2, 13, 6, 16), (5, 3, 16, 16), True, padding=1),
    "three dimensions": convolution((1, 5, 8, 6, 12), (3, 3, 3, 12, 16), padding=1),
    "one dimension": convolution((2, 19, 48), (3, 48, 40), padding=1),
    "dilated": convolution((1, 16, 14, 16), (3, 3, 16, 32), True, padding=2, dilation=2),
    "dilated, odd": convolution((2, 15, 17, 16), (3, 3, 16, 20), True, padding=1, dilation=[3, 2]),
    "dilated, one dimension": convolution((2, 40, 48), (3, 48, 40), padding=4, dilation=4),
    "transposed": convolution((2, 8, 8, 32), (4, 4, 32, 32), True, "_transpose", padding=1, stride=2),
    "transposed, odd": convolution(
        (3, 7, 10, 33), (4, 6, 33, 20), True, "_transpose", padding=1, stride=[2, 3]),
    "transposed, of one and two taps": convolution(
        (2, 12, 11, 32), (3, 3, 32, 40), True, "_transpose", padding=1, stride=2, output_padding=1),
}  # fmt: skip


def rewritten(graph: Subgraph, place: int) -> list[Program]:
    """One program of every sketch that is a rewrite."""
    found = programs(space_of(graph, TARGETS[place % len(TARGETS)]), 1, place)
    return [program for program in found if program.sketch.relaxed]


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_random_programs(checker: Checker, name: str) -> None:
    for place in range(2):
        found = rewritten(CONVOLUTIONS[name], place)
        assert len(found) > 1
        faults = checker.faults(CONVOLUTIONS[name], found, place)
        assert not faults, "\n\n".join(map(str, faults))


def test_under_sanitizers(tmp_path: Path) -> None:
    graph = CONVOLUTIONS["batch, odd channels"]
    faults = Sanitized(tmp_path).faults(graph, rewritten(graph, 0)[-1:], 0)
    assert not faults, "\n\n".join(map(str, faults))


def test_constants_are_computed_once(checker: Checker) -> None:
    """Sums and dear functions of weights, one of them packed behind that, one of them an output."""

    def graph(*outputs: str) -> Subgraph:
        return subgraph(
            {"x": (9, 20), "w": (20, 24), "s": (24, 5)},
            node("e", "exp", "w"), node("f", "add", "e", 1), node("t", "reduce_sum", "s", axes=1),
            node("q", "sqrt", "f"), node("y", "matmul", "x", "q"), node("z", "mul", "y", "t"),
            constant=("w", "s"), outputs=outputs,
        )  # fmt: skip

    for outputs in (("z",), ("z", "e")):
        found = programs(space_of(graph(*outputs), TARGETS[0]), 2, 0)
        assert len(found) > 2
        for program in found:
            run, pack = emit(program).text.split("ansord_run(")[1].split("ansord_pack(")
            # What an output leads to is computed with it.
            assert ("sqrt" in run, "sqrt" in pack) == ("e" in outputs, "e" not in outputs)
        faults = checker.faults(graph(*outputs), found, 0)
        assert not faults, "\n\n".join(map(str, faults))
