"""Which subgraphs a model becomes: channels last inside, groups as Relay forms them, patterns as one op."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

from ansord_client.models import Call, Plan, View
from ansord_client.models.lowering.movement import held_reshape, runs
from tests.client.models.networks import answers, check, drawn, model, ops, planned

node = helper.make_node
RNG = np.random.default_rng(7)


def w(*shape: int) -> Any:
    return RNG.standard_normal(shape).astype(np.float32)


def cut(
    folder: Path, nodes: list[onnx.NodeProto], shapes: dict[str, Any], held: Any = None, **more: Any
) -> Plan:
    """The plan, which answers as ONNX does."""
    plan, path = planned(model(nodes, shapes, held=held, **more), folder)
    check(plan, path)
    return plan


CONV = {"pads": [1, 1, 1, 1]}


def test_a_convolution_takes_its_norm_bias_and_activation(tmp_path: Path) -> None:
    nodes = [
        node("Conv", ["x", "w", "b"], ["c"], **CONV),
        node("BatchNormalization", ["c", "s", "t", "m", "v"], ["n"]),
        node("Relu", ["n"], ["y"]),
    ]
    held = {"w": w(8, 4, 3, 3), "b": w(8), "s": w(8), "t": w(8), "m": w(8), "v": np.abs(w(8))}
    plan = cut(tmp_path, nodes, {"x": [1, 4, 5, 5]}, held)
    assert ops(plan) == [["transpose", "conv2d", "add", "relu"], ["transpose"]]


def test_two_heavy_ops_never_merge(tmp_path: Path) -> None:
    """A sum of two convolutions goes with one of them."""
    nodes = [
        node("Conv", ["x", "a"], ["p"], **CONV),
        node("Conv", ["x", "b"], ["q"], **CONV),
        node("Add", ["p", "q"], ["s"]),
        node("Relu", ["s"], ["y"]),
    ]
    plan = cut(tmp_path, nodes, {"x": [1, 4, 5, 5]}, {"a": w(4, 4, 3, 3), "b": w(4, 4, 3, 3)})
    assert sorted(ops(plan)) == [["conv2d"], ["conv2d", "add", "relu"], ["transpose"], ["transpose"]]


def test_a_reduction_takes_what_is_before_it_and_nothing_after(tmp_path: Path) -> None:
    nodes = [
        node("Exp", ["x"], ["e"]),
        node("ReduceSum", ["e", "axes"], ["s"], keepdims=1),
        node("Log", ["s"], ["y"]),
    ]
    plan = cut(tmp_path, nodes, {"x": [3, 7]}, {"axes": np.array([1])})
    assert ops(plan) == [["exp", "reduce_sum"], ["log"]]


def test_a_diamond_is_one_task(tmp_path: Path) -> None:
    nodes = [
        node("Exp", ["x"], ["e"]),
        node("Tanh", ["e"], ["a"]),
        node("Neg", ["e"], ["b"]),
        node("Mul", ["a", "b"], ["y"]),
    ]
    assert ops(cut(tmp_path, nodes, {"x": [3, 7]})) == [["exp", "tanh", "neg", "mul"]]


def test_a_value_with_two_tasks_behind_it_stands_alone(tmp_path: Path) -> None:
    nodes = [
        node("Relu", ["x"], ["r"]),
        node("MatMul", ["r", "a"], ["p"]),
        node("MatMul", ["r", "b"], ["q"]),
        node("Add", ["p", "q"], ["y"]),
    ]
    plan = cut(tmp_path, nodes, {"x": [3, 7]}, {"a": w(7, 2), "b": w(7, 2)})
    assert ops(plan)[0] == ["relu"] and sorted(ops(plan)[1:]) == [["matmul"], ["matmul", "add"]]


def test_an_output_in_the_middle_is_written(tmp_path: Path) -> None:
    nodes = [node("Exp", ["x"], ["e"]), node("Tanh", ["e"], ["y"])]
    assert ops(cut(tmp_path, nodes, {"x": [3]}, outputs=("e", "y"))) == [["exp"], ["tanh"]]


def test_outputs_that_are_inputs_constants_or_one_value(tmp_path: Path) -> None:
    nodes = [
        node("Identity", ["x"], ["a"]),
        node("Identity", ["w"], ["b"]),
        node("Relu", ["x"], ["r"]),
        node("Identity", ["r"], ["c"]),
        node("Identity", ["r"], ["d"]),
    ]
    plan = cut(tmp_path, nodes, {"x": [3]}, {"w": w(3)}, outputs=("a", "b", "c", "d"))
    assert plan.outputs == ("a", "b", "c", "d") and len(plan.calls) == 1


def test_a_foreign_node_ends_groups(tmp_path: Path) -> None:
    nodes = [node("Exp", ["x"], ["e"]), node("Det", ["e"], ["d"]), node("Tanh", ["d"], ["y"])]
    plan = cut(tmp_path, nodes, {"x": [2, 3, 3]})
    assert [type(step).__name__ for step in plan.steps] == ["Call", "Foreign", "Call"]


def test_softmax_takes_its_mask(tmp_path: Path) -> None:
    nodes = [node("Add", ["x", "m"], ["s"]), node("Softmax", ["s"], ["y"])]
    assert ops(cut(tmp_path, nodes, {"x": [2, 5], "m": [1, 5]})) == [["add", "softmax"]]


@pytest.mark.parametrize("name", ["InstanceNormalization", "GroupNormalization"])
def test_a_norm_is_one_task(name: str, tmp_path: Path) -> None:
    attrs = {"num_groups": 2} if name[0] == "G" else {}
    nodes = [node(name, ["x", "s", "t"], ["n"], **attrs), node("Relu", ["n"], ["y"])]
    plan = cut(tmp_path, nodes, {"x": [1, 4, 3, 5]}, {"s": w(4), "t": w(4)}, opset=21)
    assert sum("reduce_mean" in call for call in ops(plan)) == 1
    assert [op for call in ops(plan) for op in call if op in ("reduce_mean", "relu")][-2:] == [
        "reduce_mean",
        "relu",
    ]


def test_a_shuffle_of_channels_stays_channels_last(tmp_path: Path) -> None:
    """Reshape to groups, transpose, reshape: it moves channels among themselves, and no picture."""
    nodes = [
        node("Conv", ["x", "a"], ["c"], **CONV),
        node("Reshape", ["c", "split"], ["g"]),
        node("Transpose", ["g"], ["t"], perm=[0, 2, 1, 3, 4]),
        node("Reshape", ["t", "whole"], ["s"]),
        node("Conv", ["s", "b"], ["y"], **CONV),
    ]
    held = {"a": w(6, 4, 3, 3), "b": w(4, 6, 3, 3), "split": np.array([1, 2, 3, 5, 5])}
    plan = cut(tmp_path, nodes, {"x": [1, 4, 5, 5]}, held | {"whole": np.array([1, 6, 5, 5])})
    assert ops(plan) == [["transpose", "conv2d"], ["transpose", "reshape", "conv2d"], ["transpose"]]
    inner = plan.calls[1].subgraph
    assert inner.inputs[0].shape == (1, 5, 5, 2, 3)


def test_flattening_after_a_mean_costs_nothing(tmp_path: Path) -> None:
    nodes = [
        node("Conv", ["x", "a"], ["c"], **CONV),
        node("GlobalAveragePool", ["c"], ["p"]),
        node("Flatten", ["p"], ["f"]),
        node("Gemm", ["f", "b"], ["y"], transB=1),
    ]
    plan = cut(tmp_path, nodes, {"x": [2, 4, 5, 5]}, {"a": w(6, 4, 3, 3), "b": w(3, 6)})
    assert ops(plan) == [["transpose", "conv2d"], ["reduce_mean"], ["matmul"]]
    assert any(isinstance(step, View) for step in plan.steps)


def test_padding_before_a_convolution_is_its_own(tmp_path: Path) -> None:
    nodes = [node("Pad", ["x", "p"], ["q"]), node("Conv", ["q", "w"], ["y"], pads=[0, 1, 0, 1])]
    plan = cut(
        tmp_path, nodes, {"x": [1, 2, 5, 5]}, {"w": w(4, 2, 3, 3), "p": np.array([0, 0, 1, 2, 0, 0, 0, 1])}
    )
    (conv,) = (one for call in plan.calls for one in call.subgraph.nodes if one.op == "conv2d")
    assert conv.attrs["padding"] == ((1, 0), (3, 2)) and all("pad" not in call for call in ops(plan))


def _gelu(order: int) -> list[onnx.NodeProto]:
    inner = [
        node("Mul", ["x", "r"], ["i"]),
        node("Erf", ["i"], ["e"]),
        node("Add", ["one", "e"], ["f"]),
    ]
    last = (
        [node("Mul", ["x", "f"], ["g"]), node("Mul", ["half", "g"], ["y"])],
        [node("Mul", ["x", "half"], ["g"]), node("Mul", ["g", "f"], ["y"])],
        [node("Mul", ["f", "half"], ["g"]), node("Mul", ["g", "x"], ["y"])],
    )
    return inner + last[order]


@pytest.mark.parametrize("order", [0, 1, 2])
def test_a_gelu_spelled_out_is_a_gelu(order: int, tmp_path: Path) -> None:
    held = {"r": np.float32(math.sqrt(0.5)), "one": np.float32(1), "half": np.float32(0.5)}
    assert ops(cut(tmp_path, _gelu(order), {"x": [3, 4]}, held)) == [["gelu"]]
    held["half"] = np.float32(0.6)
    assert ["gelu"] not in ops(cut(tmp_path, _gelu(order), {"x": [3, 4]}, held))


def test_other_activations_spelled_out(tmp_path: Path) -> None:
    swish = [node("Sigmoid", ["x"], ["s"]), node("Mul", ["x", "s"], ["y"])]
    assert ops(cut(tmp_path, swish, {"x": [4]})) == [["silu"]]
    hard = [node("HardSigmoid", ["x"], ["s"], alpha=1 / 6), node("Mul", ["s", "x"], ["y"])]
    assert ops(cut(tmp_path, hard, {"x": [4]})) == [["hard_swish"]]
    other = [node("HardSigmoid", ["x"], ["s"], alpha=0.3), node("Mul", ["s", "x"], ["y"])]
    assert ops(cut(tmp_path, other, {"x": [4]})) == [["mul", "add", "clip", "mul"]]


def test_equal_work_has_one_key_however_it_is_written(tmp_path: Path) -> None:
    first = [node("MatMul", ["x", "w"], ["m"]), node("Add", ["m", "b"], ["y"])]
    second = [node("MatMul", ["x", "w"], ["m"]), node("Add", ["b", "m"], ["y"])]
    held = {"w": w(5, 3), "b": w(3)}
    keys = {cut(tmp_path, nodes, {"x": [2, 5]}, held).tasks[0].subgraph.key for nodes in (first, second)}
    assert len(keys) == 1


def test_attention_reads_through_its_transposes(tmp_path: Path) -> None:
    nodes = [
        node("Transpose", ["q"], ["a"], perm=[0, 2, 1, 3]),
        node("Transpose", ["k"], ["b"], perm=[0, 2, 3, 1]),
        node("MatMul", ["a", "b"], ["y"]),
    ]
    plan = cut(tmp_path, nodes, {"q": [1, 6, 2, 4], "k": [1, 6, 2, 4]})
    (call,) = plan.calls
    assert isinstance(call, Call) and [one.op for one in call.subgraph.nodes][-1] == "matmul"
    assert call.subgraph.nodes[-1].attrs["transpose_b"] and len(call.subgraph.nodes) == 3


def test_runs_of_axes() -> None:
    assert runs((2, 6, 5), (2, 2, 3, 5)) == [([0], [0]), ([1], [1, 2]), ([2], [3])]
    pictures = (1, 4, 4, 6), (0, 3, 1, 2)
    assert held_reshape(*pictures, (1, 2, 3, 4, 4)) == ((0, 1, 2, 3), (1, 4, 4, 2, 3), (0, 3, 4, 1, 2))
    assert held_reshape(*pictures, (1, 96)) == ((0, 3, 1, 2), (1, 96), (0, 1))
    heads = (2, 4, 7, 8), (0, 2, 1, 3)
    assert held_reshape(*heads, (2, 7, 32)) == ((0, 2, 1, 3), (2, 7, 32), (0, 1, 2))
    assert held_reshape((1, 5, 5, 2, 3), (0, 4, 3, 1, 2), (1, 6, 5, 5))[0] == (0, 1, 2, 4, 3)


def test_an_old_batch_norm_is_one_of_inference(tmp_path: Path) -> None:
    """ONNX's reference implementation mixes the batch's statistics in before operator set 14."""
    held = {"s": w(3), "t": w(3), "m": w(3), "v": np.abs(w(3)) + 0.5}
    proto = model(
        [node("BatchNormalization", ["x", "s", "t", "m", "v"], ["y"])], {"x": [2, 3, 4]}, held=held, opset=13
    )
    plan, path = planned(proto, tmp_path)
    (x,) = drawn(plan)
    s, t, m, v = (held[name][:, None] for name in "stmv")
    (got,) = answers(plan, path, [x])
    np.testing.assert_allclose(got, (x - m) / np.sqrt(v + 1e-5) * s + t, rtol=1e-4, atol=1e-5)
