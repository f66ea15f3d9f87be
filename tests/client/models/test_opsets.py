"""One network in every operator set: the same tasks, whichever the file was written in."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx.version_converter import convert_version

from ansord_client.models import BadModel
from tests.client.models.networks import answers, check, drawn, examples, model, planned

MODELS = examples()
DIMS = {"batch": 2, "sequence": 7}
NAMES = sorted(MODELS.NETWORKS)
NEWEST = onnx.defs.onnx_opset_version()


@cache
def small(name: str) -> onnx.ModelProto:
    found: onnx.ModelProto = MODELS.NETWORKS[name](True, 1)
    return found


def keys(proto: onnx.ModelProto, name: str, folder: Path) -> list[str]:
    plan, _ = planned(proto, folder, DIMS if name == "bert" else None)
    assert plan.foreign == () or {one.op for one in plan.foreign} == {"Gather"}
    return [call.subgraph.key for call in plan.calls]


def relabelled(proto: onnx.ModelProto, version: int) -> onnx.ModelProto:
    """The same nodes said to be of another operator set; skips where they would mean something else there."""
    copy = onnx.ModelProto()
    copy.CopyFrom(proto)
    copy.opset_import[0].version = version
    copy.ir_version = 8
    try:
        onnx.checker.check_model(copy)
    except onnx.checker.ValidationError as error:
        pytest.skip(f"not in operator set {version}: {str(error).splitlines()[0]}")
    return copy


@pytest.mark.parametrize("version", range(13, NEWEST + 1))
@pytest.mark.parametrize("name", NAMES)
def test_tasks_do_not_depend_on_the_operator_set(name: str, version: int, tmp_path: Path) -> None:
    proto = small(name)
    try:
        changed = convert_version(proto, version)
    except RuntimeError:  # ONNX's converter hardly goes back
        changed = relabelled(proto, version)
    assert changed.opset_import[0].version == version
    assert keys(changed, name, tmp_path) == keys(proto, name, tmp_path)


@pytest.mark.parametrize("name", ["dcgan", "resnet50"])
@pytest.mark.parametrize("version", [9, 11, 12])
def test_older_files_are_converted(name: str, version: int, tmp_path: Path) -> None:
    """ONNX's reference trains the batch norms of such files, so it is asked about the newer one."""
    plan, path = planned(small(name), tmp_path)
    arrays = drawn(plan)
    wanted = answers(plan, path, arrays)
    check(plan, path)
    old, path = planned(relabelled(small(name), version), tmp_path)
    assert [call.subgraph.key for call in old.calls] == [call.subgraph.key for call in plan.calls]
    for one, want in zip(answers(old, path, arrays), wanted, strict=True):
        assert np.array_equal(one, want)


def test_what_cannot_be_converted_says_from_where_to_where(tmp_path: Path) -> None:
    node = onnx.helper.make_node("Scan", ["x"], ["y"], num_scan_inputs=1)
    proto = model([node], {"x": [1, 4]}, opset=8)
    with pytest.raises(BadModel, match="operator set 8, wanted 13 or newer"):
        planned(proto, tmp_path)
