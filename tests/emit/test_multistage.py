"""Subgraphs of many stages become one kernel: one function, one parallel region, as few nests as the rules
allow, and right for whole and odd extents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from ansord.emit import emit
from ansord.nest import Program, Space
from ansord_client.subgraph import Subgraph
from tests.dag.graphs import node, subgraph
from tests.emit.equality import TARGETS, Checker, programs, space_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@dataclass(frozen=True)
class Many:
    """A subgraph, and the nests of its most fused sketch; what runs at packing does not count."""

    graph: Subgraph
    nests: int


def softmax(*shape: int, axis: int = -1) -> Subgraph:
    return subgraph({"x": shape}, node("y", "softmax", "x", axis=axis))


def layer_norm(rows: int, width: int) -> Subgraph:
    return subgraph(
        {"x": (rows, width), "s": (width,), "b": (width,)}, node("y", "layer_norm", "x", "s", "b"),
        constant=("s", "b"),
    )  # fmt: skip


def nrm(batch: int, width: int) -> Subgraph:
    return subgraph(
        {"x": (batch, width, width)},
        node("xx", "mul", "x", "x"), node("s", "reduce_sum", "xx", axes=[1, 2]), node("y", "sqrt", "s"),
    )  # fmt: skip


def tbg(length: int, heads: int, width: int) -> Subgraph:
    return subgraph(
        {"q": (1, length, heads, width), "k": (1, length, heads, width)},
        node("qt", "transpose", "q", perm=[0, 2, 1, 3]), node("kt", "transpose", "k", perm=[0, 2, 1, 3]),
        node("y", "matmul", "qt", "kt", transpose_b=True),
    )  # fmt: skip


def matmul_softmax(rows: int, inner: int, width: int) -> Subgraph:
    return subgraph(
        {"a": (rows, inner), "b": (inner, width)},
        node("y", "matmul", "a", "b"), node("z", "softmax", "y"), constant=("b",),
    )  # fmt: skip


def attention(heads: int, length: int, width: int) -> Subgraph:
    return subgraph(
        {"q": (heads, length, width), "k": (heads, width, length), "v": (heads, length, width)},
        node("s", "matmul", "q", "k"), node("t", "mul", "s", 0.5), node("p", "softmax", "t"),
        node("y", "matmul", "p", "v"),
    )  # fmt: skip


def conv_pool(size: int, channels: int, out: int) -> Subgraph:
    vectors = ("s", "b", "m", "v")
    return subgraph(
        {"x": (1, size, size, channels), "w": (3, 3, channels, out), **dict.fromkeys(vectors, (out,))},
        node("y", "conv2d", "x", "w", padding=1), node("n", "batch_norm", "y", *vectors),
        node("r", "relu", "n"), node("z", "max_pool", "r", kernel=3, stride=2, padding=1),
        constant=("w", *vectors),
    )  # fmt: skip


def readers(rows: int, inner: int, width: int, *outputs: str) -> Subgraph:
    """A product and what is made of it point by point, in two branches; a sum that reads one of them, and
    comes before what the other needs beside the product."""
    return subgraph(
        {"a": (rows, inner), "b": (inner, width), "c": (rows, width)},
        node("y", "matmul", "a", "b"), node("s", "sigmoid", "y"), node("t", "mul", "y", "s"),
        node("n", "reduce_sum", "s", axes=[1]), node("e", "reduce_max", "c", axes=[1], keepdims=True),
        node("z", "sub", "y", "e"), outputs=outputs, constant=("b",),
    )  # fmt: skip


MANY = {
    "softmax": Many(softmax(8, 64), 1),
    "softmax, odd": Many(softmax(5, 33), 1),
    "softmax, one row": Many(softmax(1, 101), 1),
    "softmax, inner axis": Many(softmax(2, 3, 17, axis=1), 1),
    "layer norm": Many(layer_norm(8, 64), 1),
    "layer norm, odd": Many(layer_norm(7, 37), 1),
    "nrm": Many(nrm(2, 32), 1),
    "nrm, odd": Many(nrm(1, 19), 1),
    "tbg": Many(tbg(32, 2, 16), 1),
    "tbg, odd": Many(tbg(17, 3, 7), 1),
    "matmul, softmax": Many(matmul_softmax(16, 8, 32), 1),
    "matmul, softmax, odd": Many(matmul_softmax(9, 7, 13), 1),
    "attention": Many(attention(2, 16, 8), 1),
    "attention, odd": Many(attention(3, 11, 5), 1),
    "diamond": Many(readers(16, 8, 32, "t"), 1),
    "diamond, odd, all of it": Many(readers(9, 7, 13, "y", "s", "t"), 1),
    "two branches": Many(readers(16, 8, 32, "s", "z"), 1),
    "two branches, odd, and a sum": Many(readers(9, 7, 13, "n", "t", "z"), 2),
    "conv, bn, relu, pool": Many(conv_pool(8, 4, 16), 1),
    "conv, bn, relu, pool, odd": Many(conv_pool(9, 3, 5), 1),
}


@pytest.fixture(scope="module")
def checker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checker]:
    with Checker(tmp_path_factory.mktemp("kernels")) as made:
        yield made


def nests(space: Space) -> list[int]:
    """Of each sketch."""
    return [sum(not group.prepared for group in sketch.groups) for sketch in space.sketches]


def spread(found: list[Program], count: int) -> list[Program]:
    """At most so many of them."""
    return found[:: max(1, -(-len(found) // count))]


@pytest.mark.parametrize("name", MANY)
def test_many_stages_are_one_kernel(checker: Checker, name: str) -> None:
    for place, target in enumerate(TARGETS[:2]):
        graph, space = MANY[name].graph, space_of(MANY[name].graph, target)
        counts = nests(space)
        assert min(counts) == MANY[name].nests
        found = programs(space, 1, place)
        fused = [one for one in found if counts[space.sketches.index(one.sketch)] == MANY[name].nests]
        assert fused, "no numbers were legal for the most fused sketches"
        others = [one for one in found if one not in fused]
        chosen = [*spread(fused, 4), *spread(others, 3)]
        for program in chosen:
            source = emit(program)
            assert source.text.count("ansord_run(") == 1
            assert source.text.count("#pragma omp parallel") == source.needs_openmp
        faults = checker.faults(graph, chosen, place)
        assert not faults, "\n\n".join(map(str, faults))
