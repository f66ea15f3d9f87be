"""Reading a model without its weights' bytes: the same model, and the whole parse where anything is odd."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import helper, numpy_helper

from ansord_client.models import Extent, import_model, load_plan
from ansord_client.models.building import INLINE
from ansord_client.models.turned import turned
from ansord_client.models.wire import lightened
from tests.client.models.networks import answers, check, examples, model, planned

MODELS = examples()
LARGE = np.arange(INLINE, dtype=np.float32).reshape(8, -1)
SMALL = np.arange(8, dtype=np.float32)


def two_weights() -> onnx.ModelProto:
    nodes = [helper.make_node("MatMul", ["x", "w"], ["z"]), helper.make_node("Add", ["z", "z"], ["y"])]
    return model(nodes, {"x": [1, 8]}, held={"w": LARGE, "b": SMALL})


def test_only_large_weights_are_left_out() -> None:
    data = two_weights().SerializeToString()
    light = lightened(data, INLINE)
    assert light is not None and list(light.places) == ["w"]
    start, end = light.places["w"]
    assert data[start:end] == LARGE.tobytes() and len(light.model) < len(data) - LARGE.nbytes
    parsed, whole = onnx.ModelProto.FromString(light.model), two_weights()
    assert not parsed.graph.initializer[0].HasField("raw_data")
    parsed.graph.initializer[0].raw_data = LARGE.tobytes()
    assert parsed == whole


@pytest.mark.parametrize("name", sorted(MODELS.NETWORKS))
def test_a_network_without_weights_is_the_same_but_for_them(name: str) -> None:
    whole = MODELS.NETWORKS[name](True, 1)
    data = whole.SerializeToString()
    light = lightened(data, INLINE)
    assert light is not None
    parsed = onnx.ModelProto.FromString(light.model)
    for tensor in parsed.graph.initializer:
        if tensor.name in light.places:
            start, end = light.places[tensor.name]
            tensor.raw_data = data[start:end]
    assert parsed == whole


def test_weights_in_typed_fields_are_found_all_the_same(tmp_path: Path) -> None:
    proto = two_weights()
    tensor = proto.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.float_data.extend(LARGE.reshape(-1).tolist())
    plan, path = planned(proto, tmp_path)
    check(plan, path)
    assert any(isinstance(one.data, Extent) for one in plan.constants.values())


def merged(first: onnx.ModelProto, second: onnx.ModelProto) -> bytes:
    """Protobuf reads what follows as one message."""
    return first.SerializeToString() + second.SerializeToString()


def test_what_is_odd_is_parsed_whole(tmp_path: Path) -> None:
    whole, again = two_weights(), onnx.ModelProto()
    again.graph.initializer.append(numpy_helper.from_array(LARGE + 1, "more"))
    assert lightened(merged(whole, again), INLINE) is None
    path = tmp_path / "merged.onnx"
    path.write_bytes(merged(whole, again))
    assert import_model(path, trusted=True).nodes == import_model(_written(whole, tmp_path)).nodes
    twice = two_weights()
    twice.graph.initializer.append(numpy_helper.from_array(LARGE, "w"))
    assert lightened(twice.SerializeToString(), INLINE) is None
    assert lightened(b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", INLINE) is None


def _written(proto: onnx.ModelProto, folder: Path) -> Path:
    path = folder / "whole.onnx"
    path.write_bytes(proto.SerializeToString())
    return path


@given(st.data())
def test_damage_never_breaks_the_reader(data: st.DataObject) -> None:
    whole = bytearray(two_weights().SerializeToString())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    whole = whole[: data.draw(st.integers(0, len(whole)))]
    light = lightened(bytes(whole), INLINE)
    if light is not None:
        assert all(0 <= start <= end <= len(whole) for start, end in light.places.values())


def test_old_operator_sets_and_the_same_weight_twice(tmp_path: Path) -> None:
    """A file that has to be converted is parsed whole; its answers do not change."""
    plan, path = planned(two_weights(), tmp_path)
    old = two_weights()
    old.opset_import[0].version = 9
    (tmp_path / "old.onnx").write_bytes(old.SerializeToString())
    other = load_plan(tmp_path / "old.onnx", trusted=True)
    x = [np.ones((1, 8), np.float32)]
    assert np.array_equal(answers(plan, path, x)[0], answers(other, tmp_path / "old.onnx", x)[0])


@given(st.lists(st.integers(1, 5), max_size=5), st.data())
def test_turning_is_transposing(shape: list[int], data: st.DataObject) -> None:
    array = np.arange(np.prod(shape, dtype=int), dtype=np.int16).reshape(shape)
    perm = data.draw(st.permutations(range(len(shape))))
    assert np.array_equal(turned(array, perm), array.transpose(perm))


@pytest.mark.parametrize("perm", [(2, 3, 1, 0), (1, 0, 2, 3), (3, 2, 1, 0)])
def test_turning_in_stripes_whatever_the_address(perm: tuple[int, ...]) -> None:
    data = np.arange(130 * 70 * 6 * 4 + 1, dtype=np.uint8)[1:]
    array = np.frombuffer(data, np.float32).reshape(130, 70, 3, 2)
    assert np.array_equal(turned(array, perm).view(np.uint32), array.transpose(perm).copy().view(np.uint32))
