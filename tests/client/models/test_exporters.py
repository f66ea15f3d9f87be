"""Small graphs as exporters and the model zoo write them, without any exporter: one task each, and right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from ansord_client.models import BadModel, coverage, fallback, survey
from ansord_client.models.graph import Foreign
from tests.client.models.networks import answers, check, drawn, model, ops, planned

node = helper.make_node
RNG = np.random.default_rng(0)


def normal(*shape: int) -> Any:
    return RNG.standard_normal(shape).astype(np.float32)


def attention() -> list[Any]:
    """PyTorch divides the scale among q and k, masks by -inf, and guards against rows that are all masked."""
    return [
        *(node("Reshape", [x, "split"], [f"{x}4"]) for x in "qkv"),
        *(node("Transpose", [f"{x}4"], [f"{x}t"], perm=[0, 2, 1, 3]) for x in "qv"),
        node("Transpose", ["k4"], ["kt"], perm=[0, 2, 3, 1]),
        *(node("Mul", [f"{x}t", "root"], [f"{x}s"]) for x in "qk"),
        node("MatMul", ["qs", "ks"], ["scores"]),
        node("Add", ["scores", "mask"], ["masked"]),
        node("Softmax", ["masked"], ["soft"], axis=-1),
        node("IsNaN", ["soft"], ["none"]),
        node("Where", ["none", "zero", "soft"], ["weights"]),
        node("MatMul", ["weights", "vt"], ["y"]),
    ]


def test_attention_splits_heads_as_it_reads_them(tmp_path: Path) -> None:
    held = {
        "split": np.array([1, 5, 2, 8]),
        "root": np.float32(0.6),
        "zero": np.float32(0),
        "mask": np.where(np.arange(5) < 3, 0, -np.inf).astype(np.float32).reshape(1, 1, 1, 5),
    }
    plan, path = planned(model(attention(), dict.fromkeys("qkv", [1, 5, 16]), held=held), tmp_path)
    check(plan, path)
    assert ops(plan) == [
        ["transpose", "transpose", "matmul", "mul", "add"],
        ["softmax", "equal", "logical_not", "where"],
        ["transpose", "matmul"],
    ]


def test_a_scale_behind_arithmetic_stays_there(tmp_path: Path) -> None:
    nodes = [node("Relu", ["x"], ["a"]), node("Mul", ["a", "c"], ["b"]), node("MatMul", ["b", "w"], ["y"])]
    proto = model(nodes, {"x": [4, 8]}, held={"c": np.float32(3), "w": normal(8, 8)})
    plan, path = planned(proto, tmp_path)
    check(plan, path)
    assert ops(plan) == [["relu", "mul"], ["matmul"]]


def test_weights_are_scaled_once(tmp_path: Path) -> None:
    nodes = [node("Reshape", ["v", "s"], ["w"]), node("Mul", ["w", "c"], ["b"])]
    nodes.append(node("MatMul", ["x", "b"], ["y"]))
    held = {"v": normal(16 * 32), "s": np.array([16, 32]), "c": np.float32(3)}
    plan, path = planned(model(nodes, {"x": [4, 16]}, held=held), tmp_path)
    check(plan, path)
    assert ops(plan) == [["matmul"]]


def lookup(op: str, **attrs: Any) -> Foreign:
    proto = node(op, ["a", "b"], ["y"], **attrs)
    return Foreign(op, ("a", "b"), ("y",), proto.SerializeToString(), 18, attrs)


def test_an_index_may_be_shorter_than_its_table(tmp_path: Path) -> None:
    """BERT's token types: a row of zeros that is looked up for the positions in use."""
    table, index = RNG.integers(0, 9, (2, 32)), np.arange(5)[None]
    (got,) = fallback.run(lookup("GatherElements", axis=1), [table, index])
    assert np.array_equal(got, table[:1, :5])
    (got,) = fallback.run(lookup("GatherElements", axis=-2), [table, np.array([[1, 0, -1]])])
    assert np.array_equal(got, [[table[1, 0], table[0, 1], table[1, 2]]])


@pytest.mark.parametrize(("batch", "places"), [(0, (3, 2, 2)), (1, (3, 2, 2)), (1, (3, 1)), (2, (3, 4, 1))])
def test_places_are_looked_up_as_onnx_does(batch: int, places: tuple[int, ...]) -> None:
    table, index = normal(3, 4, 5), RNG.integers(0, 3, places)
    one = lookup("GatherND", batch_dims=batch)
    want = ReferenceEvaluator(helper.make_node("GatherND", ["a", "b"], ["y"], batch_dims=batch))
    assert np.array_equal(fallback.run(one, [table, index])[0], want.run(None, {"a": table, "b": index})[0])


def test_places_count_from_the_end_and_may_be_none() -> None:
    table = normal(3, 4, 5)
    (got,) = fallback.run(lookup("GatherND", batch_dims=1), [table, np.array([[-1], [0], [-4]])])
    assert np.array_equal(got, [table[0, 3], table[1, 0], table[2, 0]])
    (got,) = fallback.run(lookup("GatherND", batch_dims=1), [table[:0], np.zeros((0, 2, 1), np.int64)])
    assert got.shape == (0, 2, 5)


@pytest.mark.parametrize("op", ["GatherElements", "GatherND"])
def test_an_index_of_another_shape_is_told(op: str) -> None:
    index = np.zeros((3,) if op == "GatherElements" else (1, 3), np.int64)
    with pytest.raises(BadModel, match=f"{op}: "):
        fallback.run(lookup(op), [normal(3, 4), index])


@pytest.mark.parametrize("op", ["Gather", "GatherElements", "GatherND"])
def test_an_index_outside_its_table_is_told(op: str) -> None:
    with pytest.raises(BadModel, match=f"{op}: .*out of bounds"):
        fallback.run(lookup(op), [normal(3, 4), np.array([[7]])])


def test_a_known_index_of_several_axes_is_a_slice(tmp_path: Path) -> None:
    nodes = [node("Gather", ["x", "i"], ["y"], axis=1)]
    proto = model(nodes, {"x": [2, 9, 3]}, held={"i": np.arange(2, 8).reshape(3, 1, 2)})
    plan, path = planned(proto, tmp_path)
    check(plan, path)
    assert plan.foreign == ()


@pytest.mark.parametrize("index", [4, [1, 4], [-5]])
def test_a_known_index_outside_is_no_other_element(index: Any, tmp_path: Path) -> None:
    proto = model([node("Gather", ["x", "i"], ["y"], axis=1)], {"x": [2, 4]}, held={"i": np.array(index)})
    plan, path = planned(proto, tmp_path)
    with pytest.raises(BadModel, match="Gather: .*out of bounds"):
        answers(plan, path, drawn(plan))


def test_a_layer_norm_as_tensorflow_multiplies_it_out(tmp_path: Path) -> None:
    nodes = [
        node("ReduceMean", ["x"], ["m"], axes=[2]),
        node("Sub", ["x", "m"], ["c"]),
        node("Mul", ["c", "c"], ["c2"]),
        node("ReduceMean", ["c2"], ["v"], axes=[2]),
        node("Add", ["v", "e"], ["ve"]),
        node("Sqrt", ["ve"], ["s"]),
        node("Reciprocal", ["s"], ["r"]),
        node("Mul", ["r", "gamma"], ["f"]),
        node("Mul", ["x", "f"], ["xf"]),
        node("Mul", ["m", "f"], ["mf"]),
        node("Sub", ["beta", "mf"], ["b"]),
        node("Add", ["xf", "b"], ["y"]),
    ]
    held = {"e": np.float32(1e-6), "gamma": normal(8), "beta": normal(8)}
    plan, path = planned(model(nodes, {"x": [1, 4, 8]}, held=held, opset=13), tmp_path)
    check(plan, path)
    assert ops(plan) == [["layer_norm"]]


@pytest.mark.parametrize("size", [4, 5])
def test_local_response_norms_count_both_neighbours(size: int, tmp_path: Path) -> None:
    """ONNX's reference implementation forgets the last channel of a window."""
    proto = model([node("LRN", ["x"], ["y"], size=size, alpha=0.5, beta=0.75, bias=2.0)], {"x": [1, 7, 3, 3]})
    plan, path = planned(proto, tmp_path)
    (x,) = drawn(plan)
    before = np.pad(x**2, [(0, 0), ((size - 1) // 2, size // 2), (0, 0), (0, 0)])
    total = sum(before[:, channel : channel + 7] for channel in range(size))
    np.testing.assert_allclose(answers(plan, path, [x])[0], x / (2 + 0.5 / size * total) ** 0.75, rtol=1e-5)


@pytest.mark.parametrize("opset", [8, 9, 13])
def test_batch_norms_with_more_results_train(opset: int, tmp_path: Path) -> None:
    """Before operator set 14 that is how a file says it: the batch's statistics, not the stored ones."""
    nodes = [node("BatchNormalization", ["x", "s", "b", "m", "v"], ["y", "m1", "v1", "m2", "v2"])]
    held = {"s": normal(3), "b": normal(3), "m": normal(3), "v": np.ones(3, np.float32)}
    plan, path = planned(model(nodes, {"x": [2, 3, 4, 4]}, held=held, opset=opset), tmp_path)
    (x,) = drawn(plan)
    mean, var = (getattr(x, name)((0, 2, 3), keepdims=True) for name in ("mean", "var"))
    scale, shift = (held[name][:, None, None] for name in "sb")
    want = (x - mean) / np.sqrt(var + 1e-5) * scale + shift
    np.testing.assert_allclose(answers(plan, path, [x])[0], want, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("opset", [7, 9])
def test_a_network_as_the_model_zoo_writes_it(opset: int, tmp_path: Path) -> None:
    """Weights listed as inputs, bounds and pads as attributes, chains of Identity, Dropout with its mask."""
    held = {"w": normal(8, 3, 3, 3), "d": normal(8, 1, 3, 3), "f": normal(5, 8), "g": normal(5)}
    held["shape"] = np.array([0, -1])
    nodes = [
        node("Pad", ["x"], ["p"], pads=[0, 0, 0, 0, 0, 0, 1, 1], mode="constant", value=0.0),
        node("Conv", ["p", "w"], ["a"], kernel_shape=[3, 3], strides=[2, 2]),
        node("Clip", ["a"], ["b"], min=0.0, max=6.0),
        node("Identity", ["b"], ["c"]),
        node("Identity", ["c"], ["c2"]),
        node("Conv", ["c2", "d"], ["e"], kernel_shape=[3, 3], pads=[1, 1, 1, 1], group=8),
        node("Sum", ["e", "c"], ["h"]),
        node("GlobalAveragePool", ["h"], ["i"]),
        node("Dropout", ["i"], ["j", "mask"], ratio=0.5),
        node("Reshape", ["j", "shape"], ["k"]),
        node("Gemm", ["k", "f", "g"], ["y"], transB=1),
    ]
    proto = model(nodes, {"x": [1, 3, 9, 9]}, held=held, opset=opset)
    proto.ir_version = 3
    for tensor in proto.graph.initializer:
        proto.graph.input.append(
            helper.make_tensor_value_info(tensor.name, tensor.data_type, numpy_helper.to_array(tensor).shape)
        )
    plan, path = planned(proto, tmp_path)
    assert plan.inputs == ("x",) and plan.foreign == ()
    check(plan, path)
    assert ops(plan)[0] == ["transpose", "conv2d", "clip"]


def test_what_onnx_itself_runs_is_estimated_by_its_calls(tmp_path: Path) -> None:
    """A lookup by NumPy takes a microsecond, the same little work by ONNX's reference far longer."""
    nodes = [node("CumSum", ["x", "axis"], ["z"]), node("Gather", ["w", "i"], ["g"])]
    nodes.append(node("Add", ["z", "g"], ["y"]))
    held = {"axis": np.int64(1), "w": normal(9, 4)}
    proto = model(nodes, {"x": [1, 4]}, held=held)
    proto.graph.input.append(helper.make_tensor_value_info("i", 7, [1]))
    plan, _ = planned(proto, tmp_path)
    found = {one.what: one.latency_us for one in survey(plan, {}).foreign}
    assert found == {"CumSum": coverage.REFERENCE_US, "Gather": coverage.LEAST_US}
