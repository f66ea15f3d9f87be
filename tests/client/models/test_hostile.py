"""Files that are no models, or not ours to run: one clear error each, whoever reads them."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from ansord_client.models import BadModel, codec, import_model, load_model, partition, weights
from tests.client.models.networks import examples, model, planned

node = helper.make_node


def refused(proto: onnx.ModelProto, folder: Path, dims: dict[str, int] | None = None) -> str:
    with pytest.raises(BadModel) as caught:
        planned(proto, folder, dims)
    text = str(caught.value)
    assert text.startswith(str(folder / "model.onnx")) and "\n" not in text
    return text


@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize("data", [b"", b"\0" * 1000, b"not a model", b"\x0a\xff\xff\xff\xff\x0f" * 30])
def test_bytes_that_are_no_model(data: bytes, trusted: bool, tmp_path: Path) -> None:
    path = tmp_path / "bad.onnx"
    path.write_bytes(data)
    with pytest.raises(BadModel, match="no ONNX model"):
        import_model(path, trusted=trusted)


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file(part: float, tmp_path: Path) -> None:
    data = examples().dcgan(True, 1).SerializeToString()
    path = tmp_path / "cut.onnx"
    path.write_bytes(data[: int(len(data) * part)])
    with pytest.raises(BadModel):
        import_model(path)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for trusted in (True, False):
        with pytest.raises(FileNotFoundError):
            import_model(tmp_path / "absent.onnx", trusted=trusted)
        with pytest.raises(IsADirectoryError):
            import_model(tmp_path, trusted=trusted)


def test_dimensions_without_numbers(tmp_path: Path) -> None:
    relu = [node("Relu", ["x"], ["y"])]
    assert "--dim batch=N" in refused(model(relu, {"x": ["batch", 4]}), tmp_path)
    assert "--dim x:1=N" in refused(model(relu, {"x": [2, None]}), tmp_path)
    assert "it has batch" in refused(model(relu, {"x": ["batch", 4]}), tmp_path, {"batch": 1, "bacth": 1})
    plan, _ = planned(model(relu, {"x": ["batch", None]}), tmp_path, {"batch": 3, "x:1": 5})
    assert plan.whole("y").shape == (3, 5)


def test_shapes_that_depend_on_data(tmp_path: Path) -> None:
    text = refused(model([node("NonZero", ["x"], ["y"])], {"x": [4]}), tmp_path)
    assert "NonZero" in text and "depends on data" in text


def test_ops_that_nobody_knows(tmp_path: Path) -> None:
    strange = node("Fuse", ["x"], ["y"], domain="com.example", name="odd")
    assert "node odd (Fuse)" in refused(model([strange], {"x": [4]}), tmp_path)
    assert "no such op" in refused(model([node("Fuse", ["x"], ["y"])], {"x": [4]}), tmp_path)


def test_control_flow(tmp_path: Path) -> None:
    branch = helper.make_graph(
        [node("Relu", ["x"], ["z"])], "b", [], [helper.make_empty_tensor_value_info("z")]
    )
    choice = node("If", ["c"], ["y"], then_branch=branch, else_branch=branch)
    proto = model([node("Cast", ["x"], ["c"], to=TensorProto.BOOL), choice], {"x": [1]})
    assert "control flow" in refused(proto, tmp_path)


def test_graphs_that_do_not_hold_together(tmp_path: Path) -> None:
    assert "nothing computes" in refused(model([node("Relu", ["q"], ["y"])], {"x": [4]}), tmp_path)
    assert "nothing computes" in refused(model([node("Relu", ["x"], ["z"])], {"x": [4]}), tmp_path)


def test_tensors_that_are_no_numbers(tmp_path: Path) -> None:
    identity = [node("Identity", ["x"], ["y"])]
    assert "string" in refused(model(identity, {"x": [4]}, dtype=TensorProto.STRING), tmp_path)


def _external(fields: dict[str, Any]) -> onnx.ModelProto:
    proto = model([node("Add", ["x", "w"], ["y"])], {"x": [400]}, held={"w": np.zeros(400, np.float32)})
    tensor = proto.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in fields.items():
        tensor.external_data.append(onnx.StringStringEntryProto(key=key, value=str(value)))
    return proto


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"location": "../secret"}, "below the model's folder"),
        ({"location": "/etc/passwd"}, "below the model's folder"),
        ({"location": ""}, "below the model's folder"),
        ({"location": "circle"}, "external data in 'circle'"),
        ({"location": "a\0b"}, "external data in"),
        ({"location": "w.bin", "length": 8}, "found 8 bytes"),
        ({"location": "w.bin", "offset": "x"}, "no number"),
        ({"location": "short.bin"}, "cut off"),
    ],
)
def test_external_data_from_elsewhere(fields: dict[str, Any], complaint: str, tmp_path: Path) -> None:
    (tmp_path / "short.bin").write_bytes(bytes(100))
    (tmp_path / "circle").symlink_to("circle")
    assert complaint in refused(_external(fields), tmp_path)


def test_external_data_behind_a_link(tmp_path: Path) -> None:
    """One within the folder is followed, one that leaves it is not, whoever reads it."""
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "secret").write_bytes(bytes(1600))
    (folder / "w.bin").symlink_to(tmp_path / "secret")
    assert "outside of the model's folder" in refused(_external({"location": "w.bin"}), folder)
    (folder / "w.bin").unlink()
    (folder / "there.bin").write_bytes(np.arange(400, dtype=np.float32).tobytes())
    (folder / "w.bin").symlink_to("there.bin")
    plan, path = planned(_external({"location": "w.bin"}), folder)
    (found,) = [one for one in weights.load(plan, path).values() if one.size == 400]
    assert np.array_equal(found.ravel(), np.arange(400))
    (folder / "w.bin").unlink()
    (folder / "w.bin").symlink_to(tmp_path / "secret")
    with pytest.raises(BadModel, match="outside of the model's folder"):
        weights.load(plan, path)


def test_a_model_behind_a_link_finds_its_data_beside_the_link(tmp_path: Path) -> None:
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs/1").write_bytes(_external({"location": "short.bin"}).SerializeToString())
    (tmp_path / "model.onnx").symlink_to("blobs/1")
    (tmp_path / "short.bin").write_bytes(bytes(100))
    with pytest.raises(BadModel, match="cut off"):
        import_model(tmp_path / "model.onnx")


def test_weights_of_more_than_two_gibibytes(tmp_path: Path) -> None:
    """The file is mostly a hole: what is read of it is its last row."""
    rows, width = 3 << 18, 1 << 10
    last = np.arange(width, dtype=np.float32)
    with open(tmp_path / "w.bin", "wb") as file:
        os.truncate(file.fileno(), 4 * rows * width)
        file.seek(-last.nbytes, os.SEEK_END)
        file.write(last.tobytes())
    proto = model([node("Gather", ["w", "x"], ["y"])], {"x": [2]}, dtype=TensorProto.INT64)
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[rows, width])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.append(onnx.StringStringEntryProto(key="location", value="w.bin"))
    proto.graph.initializer.append(tensor)
    path = tmp_path / "model.onnx"
    path.write_bytes(proto.SerializeToString())
    run = load_model(path, cache=tmp_path / "cache", inbox=tmp_path / "inbox")
    assert 4 * rows * width > 2**31
    assert np.array_equal(run(np.array([rows - 1, 0])), [last, np.zeros(width)])


@pytest.mark.parametrize("trusted", [True, False])
def test_a_file_of_more_than_two_gibibytes(trusted: bool, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(examples().dcgan(True, 1).SerializeToString())
    os.truncate(path, 3 << 30)
    with pytest.raises(BadModel, match=f"found {3 << 30} bytes, wanted less than 2 GiB"):
        import_model(path, trusted=trusted)


def test_weights_of_another_size(tmp_path: Path) -> None:
    proto = model([node("Add", ["x", "w"], ["y"])], {"x": [400]}, held={"w": np.zeros(400, np.float32)})
    proto.graph.initializer[0].raw_data = bytes(100)
    assert "found 100 bytes, wanted 1600" in refused(proto, tmp_path)


def test_a_scalar_whose_value_is_missing_is_still_a_task(tmp_path: Path) -> None:
    proto = _external({"location": "absent.bin"})
    plan, _ = planned(proto, tmp_path)
    assert plan.tasks[0].subgraph.inputs[1].constant


def test_a_child_that_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ansord_client.models import child

    path = tmp_path / "model.onnx"
    path.write_bytes(examples().dcgan(True, 1).SerializeToString())
    monkeypatch.setattr(child, "_START", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    with pytest.raises(BadModel, match="ended with signal 11"):
        import_model(path)
    monkeypatch.setattr(child, "_START", "print('hello')")
    with pytest.raises(BadModel, match="nonsense"):
        import_model(path)


@pytest.mark.parametrize("pipe", [1, 2])
def test_a_child_that_talks_too_much(pipe: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it says for ever is not kept: it is ended at the limit, or when its time is over."""
    from ansord_client.models import child

    path = tmp_path / "model.onnx"
    path.write_bytes(b"x")
    monkeypatch.setattr(child, "TIMEOUT_S", 20.0 if pipe == 1 else 1.0)
    monkeypatch.setattr(child, "ANSWER", 1 << 20)
    monkeypatch.setattr(child, "_START", f"import os\nwhile True: os.write({pipe}, bytes(65536))")
    tracemalloc.start()
    try:
        with pytest.raises(BadModel, match="said more than" if pipe == 1 else "took more than"):
            import_model(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 << 20


SHORT = (
    "import sys; sys.path.append(sys.argv[1]); from ansord_client.models import child; "
    "child.MEMORY = {}; child.main(sys.argv[2], sys.argv[3])"
)


def test_a_child_without_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ansord_client.models import child

    path = tmp_path / "model.onnx"
    path.write_bytes(examples().dcgan(True, 1).SerializeToString())
    monkeypatch.setattr(child, "_START", SHORT.format(1))
    with pytest.raises(BadModel, match=r"bytes of memory|ended with (signal|exit code)"):
        import_model(path)


def test_a_graph_that_computes_more_than_memory_at_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not computed then: the plan has it as a step of its preparation."""
    from ansord_client.models import child

    nodes = [
        node("ConstantOfShape", ["s"], ["w"]),
        node("ReduceSum", ["w"], ["t"]),
        node("Add", ["x", "t"], ["y"]),
    ]
    proto = model(nodes, {"x": [4]}, held={"s": np.array([2**17, 2**13], np.int64)})
    path = tmp_path / "model.onnx"
    path.write_bytes(proto.SerializeToString())
    monkeypatch.setattr(child, "_START", SHORT.format(1 << 30))
    plan = partition(import_model(path))
    made = [plan.values[one.results[0]].shape for one in plan.prepare]
    assert (2**17, 2**13) in made and len(plan.calls) == 1


def test_a_child_that_takes_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ansord_client.models import child

    path = tmp_path / "model.onnx"
    path.write_bytes(b"x")
    monkeypatch.setattr(child, "TIMEOUT_S", 0.2)
    monkeypatch.setattr(child, "_START", "import time; time.sleep(60)")
    with pytest.raises(BadModel, match="took more than"):
        import_model(path)


Change = Callable[[list[Any]], object]


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body[3].pop(),
        lambda body: body[5].reverse(),
        lambda body: body[2].append("nothing"),
        lambda body: body[4][0].__setitem__(3, ["../x", 0, 4]),
        lambda body: body[4][0].__setitem__(1, [-1]),
        lambda body: body[4][0].__setitem__(2, "O"),
        lambda body: body[5][0].__setitem__(1, [None]),
        lambda body: body.pop(),
    ],
)
def test_a_child_that_lies(change: Change, tmp_path: Path) -> None:
    import msgpack

    path = tmp_path / "model.onnx"
    path.write_bytes(examples().dcgan(True, 1).SerializeToString())
    message = msgpack.unpackb(codec.encode(import_model(path, trusted=True)))
    change(message["model"])
    with pytest.raises(BadModel, match="nonsense"):
        codec.decode(msgpack.packb(message))


def test_a_graph_that_asks_for_too_much(tmp_path: Path) -> None:
    held = {"s": np.array([2**20, 2**20], np.int64)}
    proto = model([node("Expand", ["x", "s"], ["y"])], {"x": [1]}, held=held)
    assert f"has {2**40} elements" in refused(proto, tmp_path)


def test_half_precision_is_left_to_the_fallback(tmp_path: Path) -> None:
    proto = model([node("Relu", ["x"], ["y"])], {"x": [4]}, dtype=TensorProto.FLOAT16)
    plan, _ = planned(proto, tmp_path)
    assert [one.op for one in plan.foreign] == ["Relu"] and not plan.calls


def test_small_external_data_is_read(tmp_path: Path) -> None:
    proto = model([node("Mul", ["x", "w"], ["y"])], {"x": [4]}, held={"w": np.array(2, np.float32)})
    tensor = proto.graph.initializer[0]
    (tmp_path / "w.bin").write_bytes(numpy_helper.to_array(tensor).tobytes())
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.append(onnx.StringStringEntryProto(key="location", value="w.bin"))
    plan, _ = planned(proto, tmp_path)
    assert plan.calls[0].subgraph.nodes[0].args[1] == 2
