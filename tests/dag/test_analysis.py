"""The analyses, by value: the truth table of Ansor's predicates, and where ours differ."""

from __future__ import annotations

from typing import Any

import pytest

from ansord.dag import Dag, Stage, Tensor, analysis
from ansord_client.expr import Load, walk
from ansord_client.index import Index
from tests.dag.graphs import call, dag, load, node, stage

X: dict[str, tuple[int, ...]] = {"x": (1, 14, 14, 32), "w": (3, 3, 32, 64)}


def heavy(dag: Dag) -> Stage:
    """The one stage that reduces."""
    (found,) = (stage for stage in dag.stages if stage.reduce)
    return found


def producer(op: str, **attrs: Any) -> Dag:
    """The op, then a neg, so that it is no output."""
    return dag({"x": (6, 8)}, node("y", op, "x", **attrs), node("z", "neg", "y"))


CASES = [
    # inputs, op, attrs, reuse, rfactor at 18 threads
    ({"a": (128, 128), "b": (128, 128)}, "matmul", {}, True, False),
    ({"a": (8, 512), "b": (512, 8)}, "matmul", {}, True, True),
    ({"a": (1, 2048), "b": (2048, 1000)}, "matmul", {}, True, False),
    ({"a": (12, 64, 64), "b": (12, 64, 64)}, "matmul", {"transpose_b": True}, True, False),
    ({"a": (64, 64), "b": (64,)}, "matmul", {}, True, True),
    ({"x": (1, 14, 14, 32), "w": (3, 3, 32, 64)}, "conv2d", {"padding": 1}, True, False),
    ({"x": (1, 14, 14, 32), "w": (3, 3, 8, 64)}, "conv2d", {"groups": 4}, True, False),
    ({"x": (1, 14, 14, 32), "w": (3, 3, 1, 32)}, "conv2d", {"groups": 32}, True, False),
    ({"x": (1, 8, 8, 32), "w": (4, 4, 32, 16)}, "conv2d_transpose", {"stride": 2, "padding": 1}, True, False),
    ({"x": (1, 112, 112, 64)}, "max_pool", {"kernel": 3, "stride": 2, "padding": 1}, False, False),
    ({"x": (1, 7, 7, 2048)}, "avg_pool", {"kernel": 7}, False, True),
    ({"x": (1536, 128)}, "reduce_sum", {"axes": 1}, False, True),
    ({"x": (1536, 16)}, "reduce_sum", {"axes": 1}, False, False),
    ({"x": (512, 512)}, "reduce_max", {}, False, True),
]


@pytest.mark.parametrize(("inputs", "op", "attrs", "reuse", "rfactor"), CASES)
def test_reductions(
    inputs: dict[str, tuple[int, ...]], op: str, attrs: dict[str, Any], reuse: bool, rfactor: bool
) -> None:
    graph = dag(inputs, node("y", op, *inputs, **attrs), node("z", "relu", "y"))
    found = heavy(graph)
    assert analysis.has_reuse(graph, found) is reuse
    assert analysis.needs_rfactor(graph, found, 18) is rfactor
    assert not analysis.inlineable(graph, found)
    assert not analysis.movable(graph, found)
    follower = graph.by_name[graph.readers[found.name][0]]
    assert analysis.fusible_consumers(graph, found) == (follower.name,)


def test_rfactor_depends_on_the_threads() -> None:
    graph = dag({"a": (1, 2048), "b": (2048, 1000)}, node("y", "matmul", "a", "b"))
    assert [analysis.needs_rfactor(graph, graph.stages[0], threads) for threads in (18, 62, 63, 64)] == [
        False, False, True, True,
    ]  # fmt: skip


def test_maps_have_no_reuse_and_no_rfactor() -> None:
    vectors = {"m": (64,), "s": (64,)}
    graph = dag({"x": (64, 64), **vectors}, node("y", "sub", "x", "m"), node("z", "mul", "y", "s"))
    outer = dag({"a": (64, 1), "b": (64,)}, node("y", "mul", "a", "b"))
    for each in (graph, outer):
        assert not any(analysis.has_reuse(each, found) for found in each.stages)
        assert not any(analysis.needs_rfactor(each, found, 2) for found in each.stages)


def test_what_a_reduction_does_not_move_is_no_reuse() -> None:
    """The mean of a row, subtracted inside a sum over the row; a scalar factor."""
    x, mean = Tensor("x", (8, 9, 64), "float32"), Tensor("m", (8,), "float32")
    body = call("mul", call("sub", load("x", "i", "j", "k"), load("m", "i")), load("c"))
    found = stage("s", {"i": 8, "j": 9}, body, reduce=(stage("k", {"k": 64}, body).axes[0],), combiner="add")
    graph = Dag((x, mean, Tensor("c", (), "float32")), (found,), ("s",))
    assert not analysis.has_reuse(graph, found)


@pytest.mark.parametrize("op", ["relu", "neg", "abs", "tanh", "exp", "sigmoid", "gelu", "hard_swish", "sqrt"])
def test_a_map_read_once_per_element_is_inlined_whatever_it_costs(op: str) -> None:
    graph = dag({"x": (6, 8), "y": (6, 8)}, node("a", op, "x"), node("z", "add", "a", "y"))
    assert analysis.inlineable(graph, graph.stages[0])
    assert not analysis.inlineable(graph, graph.stages[1]), "an output"


@pytest.mark.parametrize(("op", "inlined"), [("relu", True), ("neg", True), ("exp", False), ("tanh", False)])
def test_dear_arithmetic_is_not_repeated(op: str, inlined: bool) -> None:
    """Read by two stages: cheap is computed twice, dear is kept."""
    readers = node("y", "neg", "a"), node("z", "abs", "a")
    graph = dag({"x": (6, 8)}, node("a", op, "x"), *readers, outputs=["y", "z"])
    assert analysis.inlineable(graph, graph.stages[0]) is inlined
    assert not analysis.movable(graph, graph.stages[0])


def test_softmax() -> None:
    graph = dag({"x": (6, 128)}, node("y", "softmax", "x"), node("z", "neg", "y"))
    largest, power, total, factor, product, _ = graph.stages
    assert [each for each in graph.stages if analysis.inlineable(graph, each)] == [product]
    assert not any(analysis.has_reuse(graph, each) for each in graph.stages)
    assert analysis.needs_rfactor(graph, largest, 2) and analysis.needs_rfactor(graph, total, 2)
    assert not analysis.fusible_consumers(graph, largest), "of another shape"
    assert not analysis.fusible_consumers(graph, power), "read twice"
    assert analysis.fusible_consumers(graph, total) == (factor.name,)
    assert analysis.fusible_consumers(graph, product) == (graph.stages[-1].name,)
    assert not analysis.movable(graph, power), "dear"
    assert not analysis.movable(graph, factor), "a division"


def test_padding_is_neither_inlined_nor_moved() -> None:
    graph = dag(X, node("y", "conv2d", "x", "w", padding=1))
    padded, convolved = graph.stages
    assert analysis.chooses_by_place(padded)
    assert not analysis.inlineable(graph, padded) and not analysis.movable(graph, padded)
    assert not analysis.has_reuse(graph, padded)
    assert not analysis.fusible_consumers(graph, padded)
    assert convolved.name in graph.outputs


@pytest.mark.parametrize(
    ("inputs", "op", "attrs", "once"),
    [
        ({"x": (1, 14, 14, 32), "w": (3, 3, 32, 64)}, "conv2d", {"padding": 1}, False),
        ({"x": (1, 14, 14, 32), "w": (3, 3, 1, 32)}, "conv2d", {"padding": 1, "groups": 32}, True),
        ({"x": (1, 14, 14, 32)}, "max_pool", {"kernel": 3, "stride": 2, "padding": 1}, True),
    ],
)
def test_padding_that_is_read_for_one_result_at_a_time_may_be_inlined(
    inputs: dict[str, tuple[int, ...]], op: str, attrs: dict[str, Any], once: bool
) -> None:
    graph = dag(inputs, node("y", op, *inputs, **attrs))
    padded = graph.stages[0]
    assert analysis.chooses_by_place(padded) and not analysis.inlineable(graph, padded)
    assert analysis.movable(graph, padded) is once


def test_a_choice_on_data_is_arithmetic() -> None:
    graph = dag(
        {"c": (6, 8), "x": (6, 8)},
        node("a", "where", "c", "x", 0.0),
        node("z", "neg", "a"),
        dtypes={"c": "bool"},
    )
    assert not analysis.chooses_by_place(graph.stages[0])
    assert analysis.inlineable(graph, graph.stages[0])


def test_batch_norm_after_a_convolution() -> None:
    vectors = {name: (64,) for name in ("s", "b", "m", "v")}
    graph = dag(
        {**X, **vectors},
        node("y", "conv2d", "x", "w"),
        node("n", "batch_norm", "y", "s", "b", "m", "v"),
        node("z", "relu", "n"),
        constant=["w", "s", "b", "v"],
    )
    convolved, factor, normal, _ = graph.stages
    assert analysis.fusible_consumers(graph, convolved) == (normal.name,)
    assert analysis.inlineable(graph, normal)
    assert not analysis.inlineable(graph, factor), "a root and a division per channel, not per pixel"
    assert analysis.from_constants(graph) == {factor.name}


def test_arithmetic_before_a_reduction_with_reuse_is_a_choice() -> None:
    graph = dag({"a": (64, 64), "b": (64, 64)}, node("r", "relu", "a"), node("y", "matmul", "r", "b"))
    assert not analysis.inlineable(graph, graph.stages[0])
    assert analysis.movable(graph, graph.stages[0])
    pooled = dag({"x": (1, 9, 9, 4)}, node("r", "relu", "x"), node("y", "max_pool", "r", kernel=3, stride=1))
    assert analysis.inlineable(pooled, pooled.stages[0]), "no reuse"


def test_cost_is_seen_through_what_is_inlined_between() -> None:
    """exp, its transpose read in place, and a matmul: exp would run once per product."""
    inputs = {"a": (64, 32), "b": (64, 16)}
    graph = dag(
        inputs, node("e", "exp", "a"), node("t", "transpose", "e", perm=[1, 0]), node("y", "matmul", "t", "b")
    )
    power, turned, _ = graph.stages
    assert analysis.movable(graph, turned)
    assert not analysis.inlineable(graph, power) and not analysis.movable(graph, power)


def test_copies() -> None:
    turned = producer("transpose", perm=[1, 0])
    assert analysis.pure_copy(turned.stages[0])
    assert not analysis.in_order(turned.stages[0])
    assert not analysis.inlineable(turned, turned.stages[0])
    assert analysis.movable(turned, turned.stages[0])
    front = producer("slice", starts=[1, 2], ends=[5, 6])
    assert analysis.in_order(front.stages[0]) and analysis.inlineable(front, front.stages[0])
    strided = producer("slice", steps=[1, 2])
    assert not analysis.inlineable(strided, strided.stages[0])
    assert analysis.movable(strided, strided.stages[0])
    assert not analysis.pure_copy(producer("relu").stages[0])


def test_a_reshape_is_inlined_whatever_its_indices() -> None:
    graph = dag({"x": (6, 8)}, node("y", "reshape", "x", shape=[4, 12]), node("z", "softmax", "y"))
    flat = graph.stages[0]
    assert str(flat.body) == "a0[(i*12+j)//8, (i*12+j)%8]"
    assert analysis.reshape(graph, flat) and analysis.inlineable(graph, flat)
    assert not analysis.in_order(flat)


def test_in_order() -> None:
    axes = {"i": 4, "j": 4}
    i, j = Index.of("i"), Index.of("j")
    good = [("i", "j"), (i + 1, j - 2), (0, "j"), ("i", 3), (0, 0)]
    bad = [("j", "i"), ("i", "i"), (i * 2, "j"), (i + j, 0), (i // 2, "j"), (i % 2, "j")]
    for index in good:
        assert analysis.in_order(stage("s", axes, load("x", *index))), index
    for index in bad:
        assert not analysis.in_order(stage("s", axes, load("x", *index))), index


def test_fusion_needs_the_same_element() -> None:
    a, b = Tensor("a", (8, 8), "float32"), Tensor("b", (8, 8), "float32")
    made = stage("s", {"i": 8, "j": 8}, call("neg", load("a", "i", "j")))

    def consumers(*parts: Any, shape: dict[str, int] | None = None) -> tuple[str, ...]:
        reader = stage("t", shape or {"i": 8, "j": 8}, call("add", *parts))
        return analysis.fusible_consumers(Dag((a, b), (made, reader), ("t",)), made)

    here = load("s", "i", "j")
    assert consumers(here, load("b", "j", "i")) == ("t",)
    assert consumers(here, here) == ("t",), "one element, read twice"
    assert not consumers(here, load("s", "j", "i"))
    assert not consumers(here, load("s", "i", 0))
    assert not consumers(load("s", "j", "i"), load("b", "i", "j"))
    assert not consumers(load("s", Index.of("i") + 1, "j"), load("b", "i", "j"), shape={"i": 7, "j": 8})


def test_all_readers_or_none_fuse() -> None:
    """Side by side, and one reading another; none beside a reduction, which would need the tensor stored."""
    inputs = {"x": (6, 8), "w": (8, 5)}
    matmul, sigmoid = node("y", "matmul", "x", "w"), node("s", "sigmoid", "y")
    pair = dag(inputs, matmul, sigmoid, node("t", "tanh", "y"), outputs=["s", "t"])
    made, *others = pair.stages
    assert analysis.fusible_consumers(pair, made) == tuple(other.name for other in others)
    diamond = dag(inputs, matmul, sigmoid, node("t", "mul", "y", "s"), outputs=["s", "t"])
    made, *others = diamond.stages
    assert analysis.fusible_consumers(diamond, made) == tuple(other.name for other in others)
    total = node("t", "reduce_sum", "y", axes=[1])
    beside = dag(inputs, matmul, sigmoid, total, outputs=["s", "t"])
    assert not analysis.fusible_consumers(beside, beside.stages[0])


def test_outputs_may_have_readers() -> None:
    graph = dag({"x": (6, 8)}, node("y", "relu", "x"), node("z", "neg", "y"), outputs=["y", "z"])
    first, second = graph.stages
    assert analysis.is_output(graph, first) and analysis.is_output(graph, second)
    assert not analysis.inlineable(graph, first)
    assert analysis.fusible_consumers(graph, first) == (second.name,)


def test_flops_and_bytes() -> None:
    graph = dag({"a": (4, 5), "b": (5, 6)}, node("y", "matmul", "a", "b"), node("z", "relu", "y"))
    assert analysis.flops(graph) == 2 * 4 * 5 * 6 + 4 * 6
    assert analysis.bytes_touched(graph) == 4 * (4 * 5 + 5 * 6 + 4 * 6)
    unused = dag({"a": (4,), "b": (7,)}, node("y", "less", "a", 0.5))
    assert analysis.flops(unused) == 0
    assert analysis.bytes_touched(unused) == 4 * 4 + 4
    twice = dag({"a": (4,)}, node("y", "mul", "a", "a"))
    assert analysis.bytes_touched(twice) == 2 * 16


def test_a_transposed_convolution_multiplies_no_inserted_zeros() -> None:
    graph = dag(
        {"x": (1, 8, 8, 16), "w": (4, 4, 16, 8)}, node("y", "conv2d_transpose", "x", "w", stride=2, padding=1)
    )
    assert analysis.flops(graph) == 2 * 16 * 16 * 8 * 2 * 2 * 16


def test_cost() -> None:
    x = load("x", "i")
    assert analysis.cost(x) == 0
    assert analysis.cost(call("add", x, call("mul", x, x))) == 2
    assert analysis.cost(call("exp", call("sub", x, x))) == 17


def written_out(graph: Dag) -> dict[str, int]:
    """Parts of each body once everything that may be is written out inside it."""
    sizes: dict[str, int] = {}
    for each in graph.stages:
        inside = [part.tensor for part in walk(each.body) if isinstance(part, Load)]
        made = [graph.by_name[name] for name in inside if name in graph.by_name]
        gone = [one for one in made if analysis.inlineable(graph, one) or analysis.movable(graph, one)]
        sizes[each.name] = len(list(walk(each.body))) + sum(sizes[one.name] - 1 for one in gone)
    return sizes


def test_long_chains_are_cut() -> None:
    """256 nodes are legal, and later passes walk expressions recursively."""
    nodes = [node("n0", "neg", "x")] + [node(f"n{p}", "abs", f"n{p - 1}") for p in range(1, 256)]
    graph = dag({"x": (4, 4)}, *nodes)
    kept = [each.name for each in graph.stages if not analysis.inlineable(graph, each)]
    assert 4 <= len(kept) <= 6
    assert all(analysis.fusible_consumers(graph, each) for each in graph.stages[:-1])
    assert max(written_out(graph).values()) <= analysis.WRITTEN_OUT


def test_doubling_is_cut() -> None:
    """x + x, again and again: 80 stages, 2^80 reads if all were written out."""
    nodes = [node("n0", "neg", "x")]
    for place in range(1, 81):
        nodes.append(node(f"n{place}", "add", f"n{place - 1}", f"n{place - 1}"))
    nodes.append(node("y", "matmul", "n80", "x"))
    graph = dag({"x": (4, 4)}, *nodes)
    assert analysis.inlineable(graph, graph.stages[1])
    assert max(written_out(graph).values()) <= analysis.WRITTEN_OUT
