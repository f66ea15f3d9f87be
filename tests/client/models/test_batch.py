"""A batch in parts gives what it gives at once, with the tasks of few images; where they meet it is whole."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper
from onnx.reference import ReferenceEvaluator

from ansord_client.models import Model, Plan, import_model, interpret, load_plan, partition, weights
from ansord_client.models.batch import images_of, of_images, parted
from tests.client.models.networks import drawn, examples, model
from tests.client.models.test_runtime import close, loaded

MODELS = examples()
NODE = helper.make_node


def imported(proto: onnx.ModelProto, folder: Path, dims: Any = None) -> Model:
    path = folder / "model.onnx"
    path.write_bytes(proto.SerializeToString())
    return import_model(path, dims, trusted=True)


def in_parts(model: Model, size: int) -> Plan:
    """The plan of parts of so many images."""
    part = of_images(model, size)
    assert part is not None
    return replace(partition(part), parts=images_of(model) // size)


def dims_of(name: str, batch: int) -> Any:
    return {"batch": batch, "sequence": 7} if name == "bert" else None


@pytest.mark.parametrize("name", sorted(MODELS.NETWORKS))
def test_a_network_answers_in_parts_as_at_once(name: str, tmp_path: Path) -> None:
    whole = imported(MODELS.NETWORKS[name](True, 4), tmp_path, dims_of(name, 4))
    plan = partition(whole)
    known = weights.load(plan, tmp_path / "model.onnx")
    arrays = drawn(plan)
    wanted = interpret(plan, known, *arrays)
    for size in (1, 2, 4):
        cut = in_parts(whole, size)
        assert [cut.whole(one) for one in cut.inputs] == [whole.values[one] for one in whole.inputs]
        for got, want in zip(interpret(cut, known, *arrays), wanted, strict=True):
            close(got, want)
        assert cut.flops == plan.flops


@pytest.mark.parametrize("name", sorted(MODELS.NETWORKS))
def test_parts_of_one_image_are_the_tasks_of_one_image(name: str, tmp_path: Path) -> None:
    """A model that was made ready for one image is ready for many."""
    path = tmp_path / "one.onnx"
    path.write_bytes(MODELS.NETWORKS[name](True, 1).SerializeToString())
    one = load_plan(path, dims_of(name, 1), trusted=True)
    four = imported(MODELS.NETWORKS[name](True, 4), tmp_path, dims_of(name, 4))
    found = in_parts(four, 1)
    counts = {task.subgraph.key: 4 * task.count for task in one.tasks}
    assert {task.subgraph.key: task.count for task in found.tasks} == counts


def test_a_loaded_model_runs_in_parts(tmp_path: Path) -> None:
    proto = MODELS.NETWORKS["dcgan"](True, 6)
    run = loaded(proto, tmp_path)
    arrays = drawn(run.plan)
    (wanted,) = ReferenceEvaluator(proto).run(None, dict(zip(run.plan.inputs, arrays, strict=True)))
    for size in (1, 2, 3):
        cut = in_parts(imported(proto, tmp_path), size)
        again = type(run)(cut, weights.load(cut, tmp_path / "model.onnx"), run.client)
        close(again(*arrays), wanted)
        out = np.zeros_like(wanted)
        assert again(*arrays, out=out) is out
        close(out, wanted)
        assert len(again.profile(*arrays, runs=2).rows) == len(again.plan.steps)
        assert again.arena_bytes < run.arena_bytes


@pytest.mark.parametrize(
    ("nodes", "held"),
    [
        ([NODE("ReduceMean", ["x", "axes"], ["a"]), NODE("Add", ["x", "a"], ["y"])], {"axes": np.array([0])}),
        ([NODE("Transpose", ["x"], ["a"], perm=[1, 0, 2]), NODE("Relu", ["a"], ["y"])], {}),
        ([NODE("Concat", ["x", "x"], ["y"], axis=0)], {}),
        ([NODE("Add", ["x", "w"], ["y"])], {"w": np.ones((4, 1, 1), np.float32)}),
        ([NODE("Softmax", ["x"], ["y"], axis=0)], {}),
        ([NODE("CumSum", ["x", "axis"], ["y"])], {"axis": np.array(0)}),
        ([NODE("Reshape", ["x", "to"], ["a"]), NODE("Softmax", ["a"], ["y"])], {"to": np.array([2, -1])}),
        ([NODE("Flatten", ["x"], ["a"]), NODE("Gemm", ["a", "a"], ["y"], transB=1)], {}),
        ([NODE("MatMul", ["w", "x"], ["y"])], {"w": np.ones((4, 3, 4), np.float32)}),
        ([NODE("Slice", ["x", "at", "end"], ["a"]), NODE("Add", ["a", "x"], ["y"])],
         {"at": np.array([0]), "end": np.array([1])}),
    ],
)  # fmt: skip
def test_where_images_meet_the_batch_is_whole(nodes: Any, held: Any, tmp_path: Path) -> None:
    whole = imported(model(nodes, {"x": [4, 4, 64]}, held=held), tmp_path)
    assert of_images(whole, 1) is None and parted(whole, 1 << 20) == (whole, 1)


def test_images_apart_go_in_parts(tmp_path: Path) -> None:
    """The counterpart: much the same ops, none of which looks at another image."""
    nodes = [
        NODE("Transpose", ["x"], ["a"], perm=[0, 2, 1]),
        NODE("Add", ["a", "w"], ["b"]),
        NODE("Softmax", ["b"], ["c"], axis=1),
        NODE("Concat", ["c", "a"], ["d"], axis=2),
        NODE("MatMul", ["x", "d"], ["e"]),
        NODE("Reshape", ["e", "to"], ["f"]),
        NODE("MatMul", ["f", "v"], ["y"]),
    ]
    held = {
        "w": np.ones((1, 64, 64), np.float32), "to": np.array([4, -1]), "v": np.ones((8192, 3), np.float32),
    }  # fmt: skip
    proto = model(nodes, {"x": [4, 64, 64]}, held=held)
    plan = in_parts(imported(proto, tmp_path), 1)
    arrays = drawn(plan)
    (got,) = interpret(plan, weights.load(plan, tmp_path / "model.onnx"), *arrays)
    (want,) = ReferenceEvaluator(proto).run(None, dict(zip(plan.inputs, arrays, strict=True)))
    close(got, want)


def test_parts_are_as_large_as_fits_the_cache(tmp_path: Path) -> None:
    """A layer reads and writes 8 MiB an image; half of the cache is counted on."""
    nodes = [NODE("MaxPool", [one], [other], kernel_shape=[1]) for one, other in ("xa", "ab", "by")]
    whole = imported(model(nodes, {"x": [8, 16, 1 << 16]}), tmp_path)
    found = {cache: parted(whole, cache << 20) for cache in (8, 16, 40, 64, 128)}
    assert {cache: parts for cache, (_, parts) in found.items()} == {8: 8, 16: 8, 40: 4, 64: 2, 128: 1}
    assert found[64][0].values["y"].shape[0] == 4 and found[128][0] is whole


def test_weights_are_read_for_each_part(tmp_path: Path) -> None:
    """As many multiplications with each: where weights do not stay in the cache, larger parts are faster."""
    held = {"v": np.ones((512, 4096), np.float32)}
    for rows, parts in ((1, 1), (512, 8)):
        proto = model([NODE("MatMul", ["x", "v"], ["y"])], {"x": [8, rows, 512]}, held=held)
        whole = imported(proto, tmp_path)
        assert parted(whole, 20 << 20)[1] == parts
