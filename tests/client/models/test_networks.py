"""The five example networks, small: cut into tasks, they still answer what ONNX says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from ansord_client.models import (
    BadModel,
    Call,
    Extent,
    Plan,
    View,
    import_model,
    load_plan,
    partition,
    weights,
)
from tests.client.models.networks import answers, check, drawn, examples, ops, planned

MODELS = examples()
DIMS = {"batch": 2, "sequence": 7}
NAMES = sorted(MODELS.NETWORKS)


def made(name: str, folder: Path, **more: Any) -> tuple[Plan, Path]:
    proto = MODELS.NETWORKS[name](True, 1, **more)
    return planned(proto, folder, DIMS if name == "bert" else None)


@pytest.mark.parametrize("name", NAMES)
def test_a_network_answers_as_onnx_does(name: str, tmp_path: Path) -> None:
    check(*made(name, tmp_path))


def test_a_network_answers_as_onnx_runtime_does(tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime")
    for name in NAMES:
        plan, path = made(name, tmp_path)
        arrays = drawn(plan)
        session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        wanted = session.run(None, dict(zip(plan.inputs, arrays, strict=True)))
        for got, want in zip(answers(plan, path, arrays), wanted, strict=True):
            np.testing.assert_allclose(got, want, rtol=0, atol=1e-4 * np.abs(want).max())


def test_newer_ops_give_the_same_tasks_as_what_they_stand_for(tmp_path: Path) -> None:
    spelled, _ = made("bert", tmp_path)
    plan, path = made("bert", tmp_path, spelled=False)
    check(plan, path)
    assert {task.subgraph.key for task in plan.tasks} == {task.subgraph.key for task in spelled.tasks}


@pytest.mark.parametrize("name", NAMES)
def test_layouts_change_at_the_borders_only(name: str, tmp_path: Path) -> None:
    plan, _ = made(name, tmp_path)
    moving = [call for call in ops(plan) if "transpose" in call]
    if name == "bert":
        assert all("matmul" in call for call in moving)  # heads are split where they are multiplied
    else:
        assert len(moving) == (1 if name != "dcgan" else 1)


@pytest.mark.parametrize("name", NAMES)
def test_a_child_reads_a_file_as_this_process_does(name: str, tmp_path: Path) -> None:
    _, path = made(name, tmp_path)
    dims = DIMS if name == "bert" else None
    assert import_model(path, dims) == import_model(path, dims, trusted=True)


def test_equal_blocks_are_one_task(tmp_path: Path) -> None:
    plan, _ = made("bert", tmp_path)
    counts = {task.subgraph.nodes[-1].op: task.count for task in plan.tasks if task.count > 1}
    assert counts["softmax"] == counts["gelu"] == 2
    for task in plan.tasks:
        (use,) = task.subgraph.uses
        assert (use.model, use.weight) == ("model", task.count)
    assert sum(task.count for task in plan.tasks) == len(plan.calls)


@pytest.mark.parametrize("name", NAMES)
def test_every_value_is_defined_once_before_it_is_read(name: str, tmp_path: Path) -> None:
    plan, _ = made(name, tmp_path)
    known = {*plan.inputs, *plan.constants}
    late: set[str] = set(plan.inputs)
    for step in (*plan.prepare, *plan.steps):
        assert known.issuperset(step.args) and not known.intersection(step.results)
        known.update(step.results)
        late.update(step.results if step in plan.steps else ())
        if isinstance(step, View):
            assert np.prod(plan.values[step.arg].shape) == np.prod(plan.values[step.result].shape)
        if isinstance(step, Call) and step in plan.steps:
            assert [one.constant for one in step.subgraph.inputs] == [name not in late for name in step.args]
    assert known.issuperset(plan.outputs) and set(plan.values) == known


@pytest.mark.parametrize("name", NAMES)
def test_a_plan_does_not_depend_on_the_weights(name: str, tmp_path: Path) -> None:
    """External weights that are not there: the same tasks, and a clear word when they are wanted."""
    plan, path = made(name, tmp_path)
    dims = DIMS if name == "bert" else None
    external = tmp_path / "external.onnx"
    onnx.save_model(
        onnx.load_model(path),
        external,
        save_as_external_data=True,
        location="weights.bin",
        size_threshold=1024,
    )
    there = load_plan(external, dims, trusted=True)
    arrays = drawn(plan)
    for one, other in zip(answers(plan, path, arrays), answers(there, external, arrays), strict=True):
        assert np.array_equal(one, other)
    (tmp_path / "weights.bin").unlink(missing_ok=True)
    gone = load_plan(external, dims, trusted=True)
    for other in (there, gone):
        assert [call.subgraph.key for call in other.calls] == [call.subgraph.key for call in plan.calls]
    if any(isinstance(one.data, Extent) for one in there.constants.values()):
        with pytest.raises(BadModel, match="is missing: the file with its external data"):
            weights.load(gone, external)


def test_weights_are_mapped_not_copied(tmp_path: Path) -> None:
    plan, path = made("resnet50", tmp_path)
    large = [one for one in plan.constants.values() if np.prod(one.shape) > 256]
    assert large and all(isinstance(one.data, Extent) for one in large)


def test_the_cut_is_the_same_again(tmp_path: Path) -> None:
    _, path = made("mobilenetv2", tmp_path)
    model = import_model(path, trusted=True)
    assert partition(model) == partition(model)


def test_the_client_alone_does_not_import_onnx() -> None:
    code = (
        "import sys, ansord_client; sys.exit('onnx' in sys.modules or 'ansord_client.models' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-I", "-c", code], check=False).returncode == 0


def test_the_examples_are_written_by_their_script(tmp_path: Path) -> None:
    command = [sys.executable, str(MODELS.__file__), str(tmp_path), "--small", "--only", "dcgan"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    assert onnx.load_model(tmp_path / "dcgan.onnx") == MODELS.dcgan(True, 1)
