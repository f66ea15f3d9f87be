"""Reshapes and copies disappear, and what is computed stays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansord.dag import Dag, Stage, Tensor, simplify
from ansord_client.index import Index
from tests.dag.evaluate import Array, evaluate
from tests.dag.graphs import call, dag, load, node, stage

MATMUL = {"x": (2, 6, 4), "w": (4, 6), "b": (6,)}


def arrays(graph: Dag) -> list[Array]:
    rng = np.random.default_rng(0)
    return [rng.integers(-4, 5, tensor.shape).astype(tensor.dtype) for tensor in graph.inputs]


def test_a_reduction_writes_the_shape_that_is_wanted() -> None:
    graph = dag(MATMUL, node("y", "matmul", "x", "w"), node("z", "reshape", "y", shape=[12, 2, 3]))
    (only,) = graph.stages
    assert str(only) == "s0[b*6+i, j//3, j%3] = add(k 4) (a0[b, i, k] * a1[k, j])    (b 2, i 6, j 6)"
    assert only.tensor.offset(only.where) == Index.of("b") * 36 + Index.of("i") * 6 + "j"


def test_phases_that_are_put_together_write_the_shape_that_is_wanted() -> None:
    """They are a choice by the axes of the old shape, and stay one."""
    inputs = {"x": (1, 3, 5, 2), "w": (3, 3, 2, 3)}
    phases = node("y", "conv2d_transpose", "x", "w", stride=2, padding=1)
    direct = dag(inputs, phases)
    for shape in ([1, 5, 27], [45, 3], [3, 5, 9]):
        graph = dag(inputs, phases, node("z", "reshape", "y", shape=shape))
        assert len(graph.stages) == len(direct.stages) and graph.stages[-1].units == (("h", 2), ("w", 2))
        (found,), (wanted,) = evaluate(graph, arrays(graph)), evaluate(direct, arrays(graph))
        assert np.array_equal(found, wanted.reshape(shape))


def test_a_reshape_moves_up_through_an_epilogue() -> None:
    """What stays between the reduction and its epilogue is the element itself, so that they still fuse."""
    graph = dag(
        MATMUL,
        node("y", "matmul", "x", "w"),
        node("a", "add", "y", "b"),
        node("r", "relu", "a"),
        node("z", "reshape", "r", shape=[3, 4, 6]),
    )
    assert [str(each.body) for each in graph.stages[1:]] == ["(s0[i, j, k] + a2[k])", "relu(s1[i, j, k])"]
    assert graph.tensors[graph.outputs[0]].shape == (3, 4, 6)


def test_a_reshape_of_an_input_stays() -> None:
    graph = dag({"x": (6, 8)}, node("y", "reshape", "x", shape=[48]))
    (only,) = graph.stages
    assert str(only.body) == "a0[i//8, i%8]"


def test_a_reshape_of_what_is_read_elsewhere_stays() -> None:
    graph = dag(
        MATMUL,
        node("y", "matmul", "x", "w"),
        node("z", "reshape", "y", shape=[72]),
        node("v", "relu", "y"),
        outputs=["z", "v"],
    )
    assert [each.tensor.shape for each in graph.stages] == [(2, 6, 6), (72,), (2, 6, 6)]


def test_a_reshape_of_an_output_stays() -> None:
    nodes = node("y", "matmul", "x", "w"), node("z", "reshape", "y", shape=[72])
    graph = dag(MATMUL, *nodes, outputs=["z", "y"])
    assert [each.tensor.shape for each in graph.stages] == [(2, 6, 6), (72,)]
    assert graph.outputs == ("s1", "s0")


def test_copies_disappear() -> None:
    for copy in (
        node("c", "cast", "r", dtype="float32"),
        node("c", "transpose", "r", perm=[0, 1]),
        node("c", "slice", "r"),
        node("c", "pad", "r", pads=[[0, 0], [0, 0]]),
        node("c", "concat", "r", axis=0),
        node("c", "reshape", "r", shape=[6, 8]),
    ):
        graph = dag({"x": (6, 8)}, node("r", "relu", "x"), copy)
        assert [str(each.body) for each in graph.stages] == ["relu(a0[i, j])"], copy
        between = dag({"x": (6, 8)}, node("r", "relu", "x"), copy, node("z", "neg", "c"))
        assert [str(each.body) for each in between.stages] == ["relu(a0[i, j])", "neg(s0[i, j])"], copy


def test_a_copy_of_an_input_is_a_stage() -> None:
    graph = dag({"x": (6, 8)}, node("y", "cast", "x", dtype="float32"))
    assert [str(each.body) for each in graph.stages] == ["a0[i, j]"]
    between = dag({"x": (6, 8)}, node("y", "cast", "x", dtype="float32"), node("z", "relu", "y"))
    assert [str(each.body) for each in between.stages] == ["relu(a0[i, j])"]


def test_two_outputs_of_one_value_stay_two() -> None:
    copies = node("y", "slice", "r"), node("z", "slice", "r")
    graph = dag({"x": (6, 8)}, node("r", "relu", "x"), *copies, outputs=["y", "z"])
    assert len(set(graph.outputs)) == 2
    first, second = evaluate(graph, arrays(graph))
    assert np.array_equal(first, second)


def test_dead_stages_go_and_names_close_up() -> None:
    x = Tensor("a0", (4,), "float32")
    stages = (
        stage("s0", {"i": 4}, call("neg", load("a0", "i"))),
        stage("s1", {"i": 4}, call("abs", load("a0", "i"))),
        stage("s2", {"i": 4}, call("relu", load("s1", "i"))),
    )
    graph = simplify(Dag((x,), stages, ("s2",)))
    assert [str(each) for each in graph.stages] == [
        "s0[i] = abs(a0[i])    (i 4)",
        "s1[i] = relu(s0[i])    (i 4)",
    ]
    assert graph.outputs == ("s1",)


def test_a_transposed_read_is_no_view() -> None:
    graph = dag(
        {"x": (4, 4), "w": (4, 4)}, node("y", "matmul", "x", "w"), node("z", "transpose", "y", perm=[1, 0])
    )
    assert [str(each.body) for each in graph.stages[1:]] == ["s0[j, i]"]


FACTORED = {48: [[48], [6, 8], [8, 6], [2, 3, 8], [4, 12], [1, 48], [3, 1, 16], [2, 2, 2, 6]]}


@st.composite
def chains(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Reshapes, transposes, sums and maps in any order, over 48 elements."""
    nodes: list[dict[str, Any]] = []
    shape = [6, 8]
    last = "x"
    for place in range(draw(st.integers(1, 6))):
        kind = draw(st.sampled_from(["reshape", "reshape", "transpose", "map", "sum", "matmul"]))
        name = f"n{place}"
        if kind == "reshape":
            shape = draw(st.sampled_from(FACTORED[48]))
            nodes.append(node(name, "reshape", last, shape=shape))
        elif kind == "transpose":
            perm = draw(st.permutations(range(len(shape))))
            shape = [shape[axis] for axis in perm]
            nodes.append(node(name, "transpose", last, perm=perm))
        elif kind == "map":
            nodes.append(node(name, draw(st.sampled_from(["relu", "neg"])), last))
        elif kind == "sum":
            other = draw(st.sampled_from([last, "x"])) if shape == [6, 8] else last
            nodes.append(node(name, "add", last, other))
        else:
            nodes += [
                node(f"{name}f", "reshape", last, shape=[6, 8]),
                node(name, "matmul", f"{name}f", "w"),
            ]
            shape = [6, 8]
        last = name
    return nodes


def meaning(node: dict[str, Any], args: list[Array], weight: Array) -> Array:
    a = args[0]
    match node["op"]:
        case "reshape":
            return a.reshape(node["attrs"]["shape"])
        case "transpose":
            return a.transpose(node["attrs"]["perm"])
        case "relu":
            return np.maximum(a, 0)
        case "neg":
            return -a
        case "add":
            return a + args[1]
        case _:
            return a @ weight


@given(chains(), st.data())
def test_the_value_stays(nodes: list[dict[str, Any]], data: st.DataObject) -> None:
    names = [each["name"] for each in nodes]
    extra = data.draw(st.sets(st.sampled_from(names), max_size=2))
    outputs = [*sorted(extra - {names[-1]}), names[-1]]
    graph = dag({"x": (6, 8), "w": (8, 8)}, *nodes, outputs=outputs)
    given_arrays = arrays(graph)
    values: dict[str, Array] = {
        "x": given_arrays[0].astype(np.float64),
        "w": given_arrays[1].astype(np.float64),
    }
    for each in nodes:
        values[each["name"]] = meaning(each, [values[name] for name in each["args"]], values["w"])
    for got, name in zip(evaluate(graph, given_arrays), outputs, strict=True):
        assert np.array_equal(got, values[name])
    assert simplify(graph) == graph, "once is enough"


@pytest.mark.parametrize("extent", [1, 5])
def test_axes_of_one_point_are_no_obstacle(extent: int) -> None:
    graph = dag(
        {"x": (1, extent, 4), "w": (4, 1)},
        node("y", "matmul", "x", "w"),
        node("z", "squeeze", "y"),
        node("v", "expand_dims", "z", axes=[0]),
        node("o", "relu", "v"),
    )
    assert len(graph.stages) == 2
    assert isinstance(graph.stages[0], Stage)
    (got,) = evaluate(graph, arrays(graph))
    assert got.shape == tuple(extent for extent in graph.stages[-1].tensor.shape)
