"""Emitted kernels equal the reference, whatever the subgraph, the sketch and the numbers.

A fixed draw; `benchmarks/accept/equality.py` makes a large one. Nothing is shrunk: a fault prints all.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ansord.dag import expand
from ansord.emit import emit
from ansord.nest import parse_program
from tests.dag.graphs import node, subgraph
from tests.emit.drawn import drawn
from tests.emit.equality import TARGETS, Checker, programs, space_of
from tests.emit.sanitized import Sanitized
from tests.subjects import SUBJECTS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def checker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checker]:
    with Checker(tmp_path_factory.mktemp("kernels")) as made:
        yield made


@pytest.mark.parametrize("number", range(4))
def test_drawn_subgraphs(checker: Checker, number: int) -> None:
    for place, graph in enumerate(drawn(number, 9)):
        found = programs(space_of(graph, TARGETS[(place + number) % len(TARGETS)]), 1, place)
        faults = checker.faults(graph, found[:: -(-len(found) // 4)], place)
        assert not faults, "\n\n".join(map(str, faults))


def test_golden_programs(checker: Checker) -> None:
    for subject in SUBJECTS.values():
        faults = checker.faults(subject.graph, [subject.program], 1)
        assert not faults, "\n\n".join(map(str, faults))


@pytest.mark.parametrize("name", ["conv_bn_relu", "transposed", "softmax", "odd"])
def test_random_programs_of_subjects(checker: Checker, name: str) -> None:
    graph = SUBJECTS[name].graph
    for place, target in enumerate(TARGETS[:3:2]):
        found = programs(space_of(graph, target), 1, place)
        faults = checker.faults(graph, found[:: -(-len(found) // 6)], place)
        assert not faults, "\n\n".join(map(str, faults))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_pinned_windows(checker: Checker, dtype: str) -> None:
    """Vectors of a window that several points share, kept in registers: whole and partial blocks."""
    graph = subgraph(
        {"x": (1, 9, 9, 24), "w": (3, 3, 1, 24)}, node("y", "conv2d", "x", "w", groups=24),
        dtypes=dict.fromkeys("xw", dtype),
    )  # fmt: skip
    text = "tile s0 | s0.vector=2 s0.shift=1 s0.block.h=4 s0.block.kh=3 s0.block.kw=3 s0.block.w=2 s0.pin=1"
    found = [parse_program(text, expand(graph), target) for target in TARGETS]
    assert not (faults := checker.faults(graph, found, 1)), "\n\n".join(map(str, faults))


@pytest.mark.parametrize("dtype", ["float32", "float64", "int8", "int32"])
def test_stores_past_the_caches(checker: Checker, dtype: str) -> None:
    """Rows that are whole pieces and rows that are not, two outputs, tails, each number of lanes."""
    for shape in ((6, 96), (5, 37), (257,)):
        graph = subgraph(
            {"x": shape, "y": shape}, node("s", "add", "x", "y"), node("r", "relu", "s"),
            outputs=("s", "r"), dtypes=dict.fromkeys("xy", dtype),
        )  # fmt: skip
        last = len(shape) - 1
        text = f"loops s0; fuse s1 into s0 | s0.vector={last} s0.parallel=1 s0.stream=1 s0.shift="
        found = [parse_program(text + str(shift), expand(graph), one) for one in TARGETS for shift in (0, 1)]
        assert all("streamed" in emit(one).text for one in found)
        assert not (faults := checker.faults(graph, found, 1)), "\n\n".join(map(str, faults))


def test_constants_asked_for_ahead(checker: Checker) -> None:
    graph = subgraph({"a": (5, 40), "b": (40, 50)}, node("y", "matmul", "a", "b"), constant=("b",))
    text = "tile s0; pack a1 for s0 | s0.vector=1 s0.block.i=3 s0.block.j=2 s0.prefetch=1 s0.pin="
    found = [parse_program(text + str(pin), expand(graph), one) for one in TARGETS for pin in (0, 1)]
    assert all("__builtin_prefetch" in emit(one).text for one in found)
    assert not (faults := checker.faults(graph, found, 1)), "\n\n".join(map(str, faults))


def test_a_computed_constant_that_is_read_packed_and_as_it_is(checker: Checker) -> None:
    """A matmul packs it, and what is placed in the matmul multiplies by it."""
    graph = subgraph(
        {"x": (24, 24), "w": (24, 24)},
        *(node("v", "exp", "w"), node("e", "mul", "x", "v"), node("f", "exp", "e")),
        node("y", "matmul", "f", "v"),
        constant=("w",),
    )
    found = programs(space_of(graph, TARGETS[0]), 1, 0)
    assert any("place" in str(one) and "pack s0" in str(one) for one in found)
    faults = checker.faults(graph, found, 0)
    assert not faults, "\n\n".join(map(str, faults))


def test_under_sanitizers(tmp_path: Path) -> None:
    check = Sanitized(tmp_path)
    for name in ("odd", "grouped", "capsule"):
        found = programs(space_of(SUBJECTS[name].graph, TARGETS[0]), 1, 0)
        faults = check.faults(SUBJECTS[name].graph, found[-2:], 0)
        assert not faults, "\n\n".join(map(str, faults))
    subject = SUBJECTS["matmul_bias_relu"]
    for more in ("stream=1", "prefetch=1"):
        found = [parse_program(f"{subject.text} s0.{more}", subject.dag, TARGETS[0])]
        assert not (faults := check.faults(subject.graph, found, 0)), "\n\n".join(map(str, faults))
