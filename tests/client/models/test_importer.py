"""What the importer makes of single nodes: constants held, ONNX's functions spelled out, flops told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from ansord_client.models import BadModel, Extent, Foreign, Plan, Tensor, fallback
from tests.client.models.networks import check, model, ops, planned

node = helper.make_node
RNG = np.random.default_rng(5)


def cut(folder: Path, nodes: list[onnx.NodeProto], shapes: dict[str, Any], **more: Any) -> Plan:
    """The plan, which answers as ONNX does."""
    plan, path = planned(model(nodes, shapes, **more), folder)
    check(plan, path)
    return plan


def test_a_large_constant_node_is_a_weight(tmp_path: Path) -> None:
    weight = RNG.standard_normal((64, 64, 3, 3)).astype(np.float32)
    assert weight.nbytes > 140_000
    nodes = [
        node("Constant", [], ["w"], value=numpy_helper.from_array(weight)),
        node("Conv", ["x", "w"], ["y"], pads=[1, 1, 1, 1]),
    ]
    plan = cut(tmp_path, nodes, {"x": [1, 64, 5, 5]})
    assert plan.foreign == ()
    (conv,) = [call for call in plan.calls if any(one.op == "conv2d" for one in call.subgraph.nodes)]
    assert [one.constant for one in conv.subgraph.inputs] == [False, True]
    assert any(isinstance(one.data, Extent) for one in plan.constants.values())


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("value_float", 2.0), ("value_floats", [1.0, 2.0, 3.0]), ("value_floats", [0.5] * 20_000)],
)
def test_constants_of_numbers(attribute: str, value: Any, tmp_path: Path) -> None:
    nodes = [node("Constant", [], ["w"], **{attribute: value}), node("Mul", ["x", "w"], ["y"])]
    plan = cut(tmp_path, nodes, {"x": [2, len(value) if isinstance(value, list) else 3]})
    assert ops(plan) == [["mul"]] and plan.foreign == ()


def test_a_constant_of_whole_numbers_is_a_shape(tmp_path: Path) -> None:
    nodes = [node("Constant", [], ["s"], value_ints=[3, 2]), node("Reshape", ["x", "s"], ["y"])]
    assert cut(tmp_path, nodes, {"x": [2, 3]}).calls == ()


HEADS = {name: [1, 2, 5, 8] for name in "qkv"}


@pytest.mark.parametrize("opset", [23, 24])
@pytest.mark.parametrize("attrs", [{}, {"is_causal": 1}, {"softcap": 2.0, "scale": 0.3}])
def test_attention_is_spelled_out(opset: int, attrs: dict[str, Any], tmp_path: Path) -> None:
    plan = cut(tmp_path, [node("Attention", ["q", "k", "v"], ["y"], **attrs)], HEADS, opset=opset)
    done = [op for call in ops(plan) for op in call]
    assert done.count("matmul") == 2 and done.count("softmax") == 1 and plan.foreign == ()


def test_attention_over_joined_heads(tmp_path: Path) -> None:
    attrs = {"q_num_heads": 4, "kv_num_heads": 2}
    shapes = {"q": [1, 5, 32], "k": [1, 6, 16], "v": [1, 6, 16], "m": [5, 6]}
    plan = cut(tmp_path, [node("Attention", ["q", "k", "v", "m"], ["y"], **attrs)], shapes, opset=24)
    assert plan.foreign == ()


@pytest.mark.parametrize("opset", [13, 17, 18, 21])
def test_a_body_keeps_to_the_operator_set_it_is_written_in(opset: int, tmp_path: Path) -> None:
    nodes = [node("MeanVarianceNormalization", ["x"], ["y"], axes=[0, 2, 3])]
    assert cut(tmp_path, nodes, {"x": [2, 3, 4, 5]}, opset=opset).foreign == ()


def test_functions_in_a_row_do_not_mix_their_names(tmp_path: Path) -> None:
    nodes = [
        node("Shrink", ["x"], ["a"], bias=0.1, lambd=0.2),
        node("Shrink", ["a"], ["b"], bias=0.3, lambd=0.4),
        node("MeanVarianceNormalization", ["b"], ["y"], axes=[1]),
    ]
    assert cut(tmp_path, nodes, {"x": [3, 40]}).foreign == ()


def test_all_nodes_that_cannot_be_are_told_at_once(tmp_path: Path) -> None:
    ends = [helper.make_empty_tensor_value_info("z")]
    branch = helper.make_graph([node("Relu", ["x"], ["z"])], "b", [], ends)
    nodes = [
        node("Fuse", ["x"], ["a"], domain="com.example", name="odd"),
        node("Fuse", ["a"], ["b"], domain="com.example"),
        node("Melt", ["b"], ["c"]),
        node("If", ["c"], ["y"], then_branch=branch, else_branch=branch),
    ]
    with pytest.raises(BadModel) as caught:
        planned(model(nodes, {"x": [4]}), tmp_path)
    text = str(caught.value)
    assert "node odd (Fuse), node 1 (Fuse)" in text and "no such op: node 2 (Melt)" in text
    assert "control flow is not supported: node 3 (If)" in text


@pytest.mark.parametrize(
    ("op", "attrs", "reads", "made", "flops"),
    [
        ("Einsum", {"equation": "bik, bkj -> bij"}, [(2, 3, 4), (2, 4, 5)], (2, 3, 5), 240),
        ("Einsum", {"equation": "...k,kj->...j"}, [(2, 3, 4), (4, 5)], (2, 3, 5), 240),
        ("ConvTranspose", {}, [(1, 4, 3, 3), (4, 1, 2, 2)], (1, 2, 4, 4), 2 * 36 * 4),
        ("Attention", {}, [(1, 2, 5, 8), (1, 2, 6, 8), (1, 2, 6, 8)], (1, 2, 5, 8), 2 * 2 * 80 * 6),
        ("CumSum", {}, [(7,), ()], (7,), 7),
        ("Gather", {}, [(7, 3), (2,)], (2, 3), 0),
    ],
)
def test_flops_of_what_stays_foreign(
    op: str, attrs: dict[str, Any], reads: list[tuple[int, ...]], made: tuple[int, ...], flops: int
) -> None:
    one = Foreign(op, tuple("abc"[: len(reads)]), ("y",), b"", 18, attrs)
    told = fallback.counted(one, [Tensor(shape, "float32") for shape in reads], [Tensor(made, "float32")])
    assert told.flops == flops
