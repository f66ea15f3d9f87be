"""The example networks and short ways to write and run ONNX models in tests."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from ansord_client.models import Plan, interpret, load_plan, weights

REPO = Path(__file__).resolve().parents[3]


def examples() -> Any:
    """The module examples/models.py."""
    spec = importlib.util.spec_from_file_location("example_models", REPO / "examples/models.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def model(
    nodes: Sequence[onnx.NodeProto],
    inputs: Mapping[str, Sequence[int | str]],
    outputs: Sequence[str] = ("y",),
    held: Mapping[str, Any] | None = None,
    opset: int = 18,
    dtype: int = TensorProto.FLOAT,
) -> onnx.ModelProto:
    """`inputs` by shape; `held` are the weights."""
    graph = helper.make_graph(
        list(nodes),
        "test",
        [helper.make_tensor_value_info(name, dtype, shape) for name, shape in inputs.items()],
        [helper.make_empty_tensor_value_info(name) for name in outputs],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in (held or {}).items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def planned(proto: onnx.ModelProto, folder: Path, dims: Mapping[str, int] | None = None) -> tuple[Plan, Path]:
    """Written to a file, imported in this process, cut."""
    path = folder / "model.onnx"
    path.write_bytes(proto.SerializeToString())
    return load_plan(path, dims, trusted=True), path


def drawn(plan: Plan, seed: int = 0) -> list[Any]:
    """Arrays for its inputs: normal floats, small integers."""
    rng = np.random.default_rng(seed)
    tensors = [plan.whole(name) for name in plan.inputs]
    return [
        rng.standard_normal(one.shape).astype(one.dtype)
        if one.dtype.startswith("float")
        else rng.integers(0, 2, one.shape).astype(one.dtype)
        for one in tensors
    ]


def answers(plan: Plan, path: Path, arrays: Sequence[Any]) -> tuple[Any, ...]:
    """Of the interpreter."""
    return interpret(plan, weights.load(plan, path), *arrays)


def check(plan: Plan, path: Path, tolerance: float = 1e-4) -> None:
    """The plan and ONNX's reference implementation agree, relative to the largest value of each output."""
    arrays = drawn(plan)
    wanted = ReferenceEvaluator(str(path)).run(None, dict(zip(plan.inputs, arrays, strict=True)))
    for got, want in zip(answers(plan, path, arrays), wanted, strict=True):
        assert got.shape == want.shape and got.dtype == want.dtype
        np.testing.assert_allclose(got, want, rtol=0, atol=tolerance * max(1e-30, np.abs(want).max()))


def ops(plan: Plan) -> list[list[str]]:
    """The ops of each call, in order."""
    return [[node.op for node in call.subgraph.nodes] for call in plan.calls]
