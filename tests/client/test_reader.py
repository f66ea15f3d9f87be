"""The strict reader: one row per rule, each a small change to a valid file."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from ansord_client.errors import BadSubgraph
from ansord_client.limits import Limits
from ansord_client.subgraph import Subgraph, Tuning, Use, load_subgraph
from tests.client.graphs import graph, obj

CONV = {
    "ansord": 1,
    "name": "conv_bn_relu_56x56x64_128",
    "inputs": [
        {"name": "x", "shape": [1, 56, 56, 64], "dtype": "float32"},
        {"name": "w", "shape": [3, 3, 64, 128], "dtype": "float32", "constant": True},
        {"name": "b", "shape": [128], "dtype": "float32", "constant": True},
    ],
    "nodes": [
        {"name": "y", "op": "conv2d", "args": ["x", "w"], "attrs": {"stride": 2, "padding": 1}},
        {"name": "z", "op": "add", "args": ["y", "b"]},
        {"name": "out", "op": "relu", "args": ["z"]},
    ],
    "outputs": ["out"],
    "numerics": "fast",
    "weight": 1.0,
    "tuning": {"trials": 256, "seconds": 600},
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """The file with the member at a path such as "nodes.0.op" replaced, or removed by ...."""
    made: Any = copy.deepcopy(CONV)
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    place = made
    for step in way:
        place = place[step]
    if value is ...:
        del place[last]
    elif isinstance(place, list) and last == len(place):
        place.append(value)
    else:
        place[last] = value
    return made  # type: ignore[no-any-return]


REFUSALS = [
    ("ansord", ..., "$", "missing field"),
    ("ansord", 2, "$.ansord", "unknown version"),
    ("ansord", True, "$.ansord", "wrong type"),
    ("colour", 1, "$.colour", "unknown field"),
    ("inputs", ..., "$", "missing field"),
    ("inputs", {}, "$.inputs", "wrong type"),
    ("inputs.0", 3, "$.inputs[0]", "wrong type"),
    ("inputs.0.name", ..., "$.inputs[0]", "missing field"),
    ("inputs.0.name", "w", "$.inputs[1].name", "repeated name"),
    ("inputs.0.name", "out", "$.nodes[2].name", "repeated name"),
    ("inputs.0.name", "1x", "$.inputs[0].name", "bad name"),
    ("inputs.0.name", "x" * 65, "$.inputs[0].name", "bad name"),
    ("inputs.0.name", "x\n", "$.inputs[0].name", "bad name"),
    ("inputs.0.name", "select", "$.inputs[0].name", "bad name"),
    ("inputs.0.name", "é", "$.inputs[0].name", "bad name"),
    ("inputs.0.shape", ..., "$.inputs[0]", "missing field"),
    ("inputs.0.shape.1", 0, "$.inputs[0].shape[1]", "out of range"),
    ("inputs.0.shape.1", -1, "$.inputs[0].shape[1]", "out of range"),
    ("inputs.0.shape.1", 1.5, "$.inputs[0].shape[1]", "wrong type"),
    ("inputs.0.shape.1", True, "$.inputs[0].shape[1]", "wrong type"),
    ("inputs.0.shape.1", "56", "$.inputs[0].shape[1]", "wrong type"),
    ("inputs.0.shape.1", 2**31, "$.inputs[0].shape[1]", "out of range"),
    ("inputs.0.shape", [1] * 9, "$.inputs[0].shape", "limit"),
    ("inputs.0.shape", [2**17, 2**17, 2], "$.inputs[0].shape", "limit"),
    ("inputs.0.shape", [2**20, 2**10], "$.nodes[0].args[0]", "shape"),
    ("inputs.0.dtype", "float16", "$.inputs[0].dtype", "unknown dtype"),
    ("inputs.0.dtype", "complex64", "$.inputs[0].dtype", "unknown dtype"),
    ("inputs.0.dtype", ["float32"], "$.inputs[0].dtype", "wrong type"),
    ("inputs.0.dtype", "float64", "$.nodes[0].args[1]", "dtype"),
    ("inputs.0.constant", 1, "$.inputs[0].constant", "wrong type"),
    ("inputs.0.layout", "NHWC", "$.inputs[0].layout", "unknown field"),
    ("nodes", [], "$.outputs[0]", "unknown name"),
    ("nodes.0.op", "conv2", "$.nodes[0].op", "unknown op"),
    ("nodes.0.op", None, "$.nodes[0].op", "wrong type"),
    ("nodes.0.op", ..., "$.nodes[0]", "missing field"),
    ("nodes.0.args", ["x"], "$.nodes[0].args", "wrong length"),
    ("nodes.0.args", ["x", "w", "b"], "$.nodes[0].args", "wrong length"),
    ("nodes.0.args", ["x", "ww"], "$.nodes[0].args[1]", "unknown name"),
    ("nodes.0.args", ["x", 1], "$.nodes[0].args[1]", "wrong type"),
    ("nodes.0.args", ["x", ["w"]], "$.nodes[0].args[1]", "wrong type"),
    ("nodes.0.args", ["x", "out"], "$.nodes[0]", "cycle"),
    ("nodes.1.args", ["z", "b"], "$.nodes[1]", "cycle"),
    ("nodes.1.args", [1, 2], "$.nodes[1].args[1]", "wrong type"),
    ("nodes.1.args", ["y", True], "$.nodes[1].args[1]", "wrong type"),
    ("nodes.1.args", ["y", 1e300], "$.nodes[1].args[1]", "out of range"),
    ("nodes.0.attrs", [], "$.nodes[0].attrs", "wrong type"),
    ("nodes.0.attrs.strides", 2, "$.nodes[0].attrs.strides", "unknown field"),
    ("nodes.0.attrs.stride", 0, "$.nodes[0].attrs.stride", "out of range"),
    ("nodes.0.attrs.stride", None, "$.nodes[0].attrs.stride", "wrong type"),
    ("nodes.0.attrs.stride", [1, 2, 3], "$.nodes[0].attrs.stride", "wrong length"),
    ("nodes.0.attrs.padding", [1, [1]], "$.nodes[0].attrs.padding[1]", "wrong length"),
    ("nodes.0.attrs.padding", [1, [1, -1]], "$.nodes[0].attrs.padding[1][1]", "out of range"),
    ("nodes.0.attrs.groups", 3, "$.nodes[0].args[0]", "shape"),
    ("nodes.0.attrs.groups", 2, "$.nodes[0].args[1]", "shape"),
    ("nodes.0.attrs.dilation", 60, "$.nodes[0]", "shape"),
    ("nodes.2.attrs", {"x": 1}, "$.nodes[2].attrs.x", "unknown field"),
    ("nodes.0", 3, "$.nodes[0]", "wrong type"),
    ("nodes.3", {"name": "out", "op": "relu", "args": ["x"]}, "$.nodes[3].name", "repeated name"),
    ("outputs", [], "$.outputs", "wrong length"),
    ("outputs", ["x"], "$.outputs[0]", "bad output"),
    ("outputs", ["out", "out"], "$.outputs[1]", "repeated name"),
    ("outputs", ["nothing"], "$.outputs[0]", "unknown name"),
    ("outputs", "out", "$.outputs", "wrong type"),
    ("numerics", "exact", "$.numerics", "unknown numerics"),
    ("name", "a\nb", "$.name", "bad name"),
    ("name", "x" * 201, "$.name", "bad name"),
    ("weight", 0, "$.weight", "out of range"),
    ("weight", "1", "$.weight", "wrong type"),
    ("for", [], "$.for", "wrong length"),
    ("for", [{"weight": 1}], "$.for[0]", "missing field"),
    ("for", [{"model": "a"}, {"model": "a"}], "$.for[1].model", "repeated name"),
    ("for", [{"model": "a", "target_ms": -1}], "$.for[0].target_ms", "out of range"),
    ("tuning.trials", 0, "$.tuning.trials", "out of range"),
    ("tuning.trials", 100_001, "$.tuning.trials", "out of range"),
    ("tuning.seconds", 0, "$.tuning.seconds", "out of range"),
    ("tuning.cold", 1, "$.tuning.cold", "wrong type"),
    ("tuning.priority", 0.5, "$.tuning.priority", "wrong type"),
    ("tuning.speed", 1, "$.tuning.speed", "unknown field"),
]


@pytest.mark.parametrize(("path", "value", "where", "cause"), REFUSALS)
def test_what_is_refused_and_where(path: str, value: Any, where: str, cause: str) -> None:
    text = json.dumps(changed(path, value))
    with pytest.raises(BadSubgraph) as caught:
        Subgraph.from_json(text, Limits(bytes=2**40))
    error = caught.value
    assert (error.path, error.cause) == (where, cause)
    assert error.found and error.wanted


def test_a_conv_file(tmp_path: Path) -> None:
    path = tmp_path / "conv.json"
    path.write_text(json.dumps(CONV))
    sg = load_subgraph(path)
    assert [one.name for one in sg.inputs] == ["x", "w", "b"]
    assert [one.constant for one in sg.inputs] == [False, True, True]
    assert [node.name for node in sg.nodes] == ["y", "z", "out"]
    assert sg.tensor("y").shape == (1, 28, 28, 128)
    assert sg.tensor("y").attrs == {  # type: ignore[union-attr]
        "stride": (2, 2),
        "padding": ((1, 1), (1, 1)),
        "dilation": (1, 1),
        "groups": 1,
    }
    assert sg.tensor("out").dtype == "float32"
    assert sg.flops == 28 * 28 * 128 * (2 * 9 * 64 + 1)
    assert sg.reductions == {"x": 1, "w": 1, "b": 1, "y": 576, "z": 576, "out": 576}
    assert (sg.name, sg.uses, sg.tuning) == (CONV["name"], (Use(None, 1.0),), Tuning())


def test_nodes_may_come_in_any_order_and_keep_it_where_they_can() -> None:
    sg = graph(
        {"x": [4]}, ("d", "add", ["b", "c"]), ("b", "relu", ["a"]), ("c", "neg", ["a"]), ("a", "exp", ["x"])
    )
    assert [node.name for node in sg.nodes] == ["a", "b", "c", "d"]


def test_dead_nodes_are_checked_and_kept_out_of_the_live() -> None:
    sg = graph({"x": [4]}, ("a", "exp", ["x"]), ("dead", "relu", ["a"]), outputs=["a"])
    assert [node.name for node in sg.nodes] == ["a", "dead"]
    assert [node.name for node in sg.live] == ["a"]
    with pytest.raises(BadSubgraph):
        graph({"x": [4]}, ("a", "exp", ["x"]), ("dead", "relu", ["a"], {"x": 1}), outputs=["a"])


def test_a_cycle_is_shown() -> None:
    with pytest.raises(BadSubgraph, match="a → c → b → a"):
        graph({"x": [4]}, ("a", "relu", ["c"]), ("b", "relu", ["a"]), ("c", "relu", ["b"]))
    with pytest.raises(BadSubgraph, match="cycle"):
        graph({"x": [4]}, *((f"n{i}", "relu", [f"n{(i + 1) % 256}"]) for i in range(256)))


def test_the_limits_of_nodes_and_bytes() -> None:
    chain = [("n0", "relu", ["x"]), *((f"n{i}", "relu", [f"n{i - 1}"]) for i in range(1, 256))]
    assert len(graph({"x": [4]}, *chain).live) == 256
    with pytest.raises(BadSubgraph, match="256 nodes"):
        graph({"x": [4]}, *chain, ("more", "relu", ["n255"]))
    small = Limits(bytes=2 * 4 * 1000)
    assert Subgraph.from_dict(obj({"x": [1000]}, ("y", "relu", ["x"])), small)
    with pytest.raises(BadSubgraph, match=r"limits\.bytes"):
        Subgraph.from_dict(obj({"x": [1001]}, ("y", "relu", ["x"])), small)
    with pytest.raises(BadSubgraph, match="limits.bytes"):
        graph({"x": [2**31 - 1, 8]}, ("y", "reduce_sum", ["x"]))


def test_results_have_the_limits_of_inputs() -> None:
    big = {"a": [2**20, 1], "b": [1, 2**20]}
    with pytest.raises(BadSubgraph, match="elements"):
        graph(big, ("y", "add", ["a", "b"]))
    with pytest.raises(BadSubgraph, match="rank"):
        graph({"x": [1] * 8}, ("y", "expand_dims", ["x"], {"axes": [0]}))


def test_names_of_models() -> None:
    uses = [{"model": "resnet50", "weight": 3, "target_ms": 20}, {"model": "vgg"}]
    made = obj({"x": [4]}, ("y", "relu", ["x"]), weight=2)
    assert Subgraph.from_dict(made).uses == (Use(None, 2.0),)
    made["for"] = uses
    assert Subgraph.from_dict(made).uses == (Use("resnet50", 3.0, 20.0), Use("vgg", 2.0))


def test_whole_floats_are_integers() -> None:
    sg = Subgraph.from_json(
        '{"ansord": 1.0, "inputs": [{"name": "x", "shape": [4.0]}], "outputs": ["y"], '
        '"nodes": [{"name": "y", "op": "softmax", "args": ["x"], "attrs": {"axis": -1.0}}]}'
    )
    assert sg.inputs[0].shape == (4,) and sg.nodes[0].attrs == {"axis": 0}


def test_numbers_take_the_type_of_the_tensors() -> None:
    assert graph({"x": [4]}, ("y", "add", ["x", 0.1])).nodes[0].args == ("x", 0.10000000149011612)
    assert graph({"x": ([4], "int8")}, ("y", "add", [2.0, "x"])).nodes[0].args == (2, "x")
    assert graph({"x": ([4], "bool")}, ("y", "logical_or", [True, "x"])).nodes[0].args == (True, "x")
    for number, dtype in (
        (0.5, "int32"),
        (128, "int8"),
        (-1, "uint8"),
        (2**31, "int32"),
        (3.5e38, "float32"),
    ):
        with pytest.raises(BadSubgraph, match="holds"):
            graph({"x": ([4], dtype)}, ("y", "add", ["x", number]))


def test_types_of_ops() -> None:
    assert graph({"x": ([4], "int8")}, ("y", "less", ["x", 3])).nodes[0].dtype == "bool"
    assert graph({"a": ([4, 4], "uint8")}, ("y", "matmul", ["a", "a"])).nodes[0].dtype == "int32"
    assert graph({"a": ([4, 4], "int64")}, ("y", "matmul", ["a", "a"])).nodes[0].dtype == "int64"
    assert graph({"a": ([4], "int8")}, ("y", "cast", ["a"], {"dtype": "float64"})).nodes[0].dtype == "float64"
    masked = graph({"c": ([4], "bool"), "x": [2, 4]}, ("y", "where", ["c", "x", 0]))
    assert (masked.nodes[0].dtype, masked.nodes[0].shape) == ("float32", (2, 4))
    for dtype, op in (
        ("int32", "exp"),
        ("int32", "div"),
        ("bool", "add"),
        ("float32", "logical_not"),
        ("bool", "reduce_sum"),
        ("int32", "reduce_mean"),
        ("int32", "softmax"),
        ("bool", "relu"),
    ):
        args = ["x", "x"] if op in ("div", "add") else ["x"]
        with pytest.raises(BadSubgraph, match="takes"):
            graph({"x": ([4], dtype)}, ("y", op, args))
    with pytest.raises(BadSubgraph, match="bool tensor"):
        graph({"x": [4]}, ("y", "where", ["x", "x", "x"]))
    with pytest.raises(BadSubgraph, match="int8, as a has"):
        graph({"a": ([4], "int8"), "b": ([4], "uint8")}, ("y", "add", ["a", "b"]))


def test_a_written_subgraph_reads_back() -> None:
    sg = Subgraph.from_dict(CONV | {"for": [{"model": "m"}], "tuning": {"deadline_s": 3, "trials": 7}})
    assert Subgraph.from_dict(sg.to_dict()) == sg
    assert Subgraph.from_json(json.dumps(sg.to_dict())).key == sg.key
