"""Models that run: equal to ONNX's answers, steady calls without allocations, kernels that come later."""

from __future__ import annotations

import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

import ansord_client as client
from ansord_client import BadCall, KernelNotFound
from ansord_client.errors import BadConfig, BadModel
from ansord_client.models import LoadedModel
from tests.client.kernels import add, compiled, publish
from tests.client.models.networks import drawn, examples, model

MODELS = examples()
DIMS = {"batch": 2, "sequence": 7}


def loaded(proto: onnx.ModelProto, folder: Path, dims: Any = None, **options: Any) -> LoadedModel:
    path = folder / "model.onnx"
    path.write_bytes(proto.SerializeToString())
    places = {} if "client" in options else {"cache": folder / "cache", "inbox": folder / "inbox"}
    return client.load_model(path, dims, trusted=True, **places, **options)


def close(got: Any, want: Any) -> None:
    assert got.shape == want.shape and got.dtype == want.dtype
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-4 * max(1e-30, np.abs(want).max()))


def relu(width: int = 16) -> onnx.ModelProto:
    return model([helper.make_node("Relu", ["x"], ["y"])], {"x": [width]})


def two_relus_with_an_odd_one_between() -> onnx.ModelProto:
    nodes = [
        helper.make_node("Relu", ["x"], ["a"]),
        helper.make_node("CumSum", ["a", "axis"], ["b"]),
        helper.make_node("Relu", ["b"], ["y"]),
    ]
    return model(nodes, {"x": [16]}, held={"axis": np.array(0)})


@pytest.mark.parametrize("name", sorted(MODELS.NETWORKS))
def test_a_network_answers_as_onnx_does(name: str, tmp_path: Path) -> None:
    proto = MODELS.NETWORKS[name](True, 1)
    run = loaded(proto, tmp_path, DIMS if name == "bert" else None)
    arrays = drawn(run.plan)
    wanted = ReferenceEvaluator(proto).run(None, dict(zip(run.plan.inputs, arrays, strict=True)))
    for _ in range(2):
        got = run(*arrays)
        for one, want in zip(got if isinstance(got, tuple) else (got,), wanted, strict=True):
            close(one, want)
    asked = {path.stem for path in (tmp_path / "inbox").glob("*.json")}
    assert asked == {task.subgraph.key for task in run.plan.tasks}


def test_what_is_asked_for_says_how_often_it_runs(tmp_path: Path) -> None:
    run = loaded(MODELS.NETWORKS["bert"](True, 1), tmp_path, DIMS)
    for task in run.plan.tasks:
        (use,) = client.load_subgraph(tmp_path / f"inbox/{task.subgraph.key}.json").uses
        assert (use.model, use.weight) == ("model", task.count)


@pytest.mark.parametrize("how", ["raise", "request"])
def test_a_miss_is_told_after_all_were_looked_up(how: str, tmp_path: Path) -> None:
    proto = MODELS.NETWORKS["dcgan"](True, 1)
    with pytest.raises(KernelNotFound, match="5 of 5 kernels are missing"):
        loaded(proto, tmp_path, on_miss=how)
    assert len(list(tmp_path.glob("inbox/*.json"))) == (5 if how == "request" else 0)


def test_who_waits_asks_for_all_first(tmp_path: Path) -> None:
    with pytest.raises(client.Timeout):
        loaded(MODELS.NETWORKS["dcgan"](True, 1), tmp_path, on_miss="wait", timeout=0.01)
    assert len(list(tmp_path.glob("inbox/*.json"))) == 5


def test_a_kernel_that_comes_later_is_swapped_in(tmp_path: Path) -> None:
    """The kernel adds 3 instead, so that it shows who answers."""
    run = loaded(relu(), tmp_path)
    x = np.arange(-8, 8, dtype=np.float32)
    assert np.array_equal(run(x), np.maximum(x, 0)) and run.tuned == 0
    assert [row.state for row in run.profile().rows] == ["fallback"]
    publish(tmp_path / "cache", run.plan.calls[0].subgraph, compiled(add(3)))
    run.client.refresh()
    assert np.array_equal(run(x), x + 3) and run.tuned == 1
    assert [row.state for row in run.profile().rows] == ["tuned"]


def test_each_step_has_its_row_in_the_profile(tmp_path: Path) -> None:
    run = loaded(two_relus_with_an_odd_one_between(), tmp_path)
    publish(tmp_path / "cache", run.plan.calls[0].subgraph, compiled(add(3)))
    run.client.refresh()
    found = run.profile(runs=3)
    assert [row.state for row in found.rows] == ["tuned", "foreign", "tuned"]
    assert [row.name for row in found.rows] == ["relu 16", "CumSum", "relu 16"]
    assert [row.key for row in found.rows] == [run.plan.calls[0].subgraph.key, None] + [
        run.plan.calls[1].subgraph.key
    ]
    assert sum(row.share for row in found.rows) == pytest.approx(1)
    assert all(row.median_us > 0 for row in found.rows) and found.total_us > 0
    assert "CumSum" in str(found) and "tuned" in str(found)


def test_a_steady_call_allocates_no_tensor_and_reuses_its_memory(tmp_path: Path) -> None:
    width = 1 << 16
    nodes = [helper.make_node("Relu", ["x"], ["a"])]
    nodes += [
        helper.make_node("MaxPool", [one], [other], kernel_shape=[1]) for one, other in ("ab", "bc", "cy")
    ]
    proto = model(nodes, {"x": [1, 1, width]})
    run = loaded(proto, tmp_path)
    for task in run.plan.tasks:
        publish(tmp_path / "cache", task.subgraph, compiled(add(1, width)))
    run.client.refresh()
    assert run.tuned == len(run.plan.calls)
    x, y = np.zeros((1, 1, width), np.float32), np.zeros((1, 1, width), np.float32)
    for _ in range(3):
        assert run(x, out=y) is y
    assert np.array_equal(y, x + len(run.plan.calls))
    frame = run._frame()
    before = {name: array.ctypes.data for name, array in frame.arrays.items()}
    tracemalloc.start()
    try:
        for _ in range(5):
            run(x, out=y)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < x.nbytes // 4
    assert {name: array.ctypes.data for name, array in frame.arrays.items()} == before
    assert run.arena_bytes <= 2 * x.nbytes


def test_threads_do_not_mix_their_values(tmp_path: Path) -> None:
    run = loaded(MODELS.NETWORKS["dcgan"](True, 1), tmp_path)
    arrays = [drawn(run.plan, seed) for seed in range(4)]
    wanted = [run(*one) for one in arrays]
    found: list[list[Any]] = [[] for _ in arrays]

    def work(number: int) -> None:
        for _ in range(5):
            found[number].append(run(*arrays[number]))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(arrays))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for want, got in zip(wanted, found, strict=True):
        assert len(got) == 5 and all(np.array_equal(one, want) for one in got)


def test_outputs_may_be_inputs_constants_and_each_other(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Identity", ["x"], ["same"]),
        helper.make_node("Relu", ["x"], ["y"]),
        helper.make_node("Identity", ["y"], ["z"]),
        helper.make_node("Identity", ["w"], ["c"]),
        helper.make_node("Reshape", ["x", "to"], ["v"]),
    ]
    held = {"w": np.arange(3, dtype=np.float32), "to": np.array([2, 2])}
    run = loaded(model(nodes, {"x": [4]}, ["same", "y", "z", "c", "v"], held), tmp_path)
    x = np.array([-1, 2, -3, 4], np.float32)
    same, y, z, c, v = run(x)
    assert np.array_equal(same, x) and same is not x and not np.shares_memory(same, x)
    assert np.array_equal(y, np.maximum(x, 0)) and np.array_equal(y, z) and not np.shares_memory(y, z)
    assert np.array_equal(c, held["w"]) and np.array_equal(v, x.reshape(2, 2))
    x[:] = 7
    assert np.array_equal(v, [[-1, 2], [-3, 4]])


def test_the_callers_arrays_are_not_kept(tmp_path: Path) -> None:
    nodes = [helper.make_node("Reshape", ["x", "to"], ["a"]), helper.make_node("Relu", ["a"], ["y"])]
    run = loaded(model(nodes, {"x": [4]}, held={"to": np.array([2, 2])}), tmp_path)
    x = np.ones(4, np.float32)
    before = sys.getrefcount(x)
    assert run(x).shape == (2, 2)
    assert sys.getrefcount(x) == before


def test_embeddings_are_looked_up_in_place_and_checked(tmp_path: Path) -> None:
    table = np.arange(12, dtype=np.float32).reshape(4, 3)
    nodes = [helper.make_node("Gather", ["w", "x"], ["y"])]
    run = loaded(model(nodes, {"x": [2]}, held={"w": table}, dtype=TensorProto.INT64), tmp_path)
    assert np.array_equal(run(np.array([3, -1])), table[[3, -1]])
    for wrong in (4, -5):
        with pytest.raises(BadCall, match="outside the table, wanted -4 to 3"):
            run(np.array([0, wrong]))


def test_inputs_by_name_through_dlpack_and_out_of_order(tmp_path: Path) -> None:
    proto = model([helper.make_node("Sub", ["a", "b"], ["y"])], {"a": [2, 3], "b": [2, 3]})
    run = loaded(proto, tmp_path)
    a, b = np.arange(6, dtype=np.float32).reshape(3, 2).T, np.ones((2, 3), np.float32)

    class Speaks:
        def __dlpack__(self, **more: Any) -> Any:
            return b.__dlpack__(**more)

        def __dlpack_device__(self) -> Any:
            return b.__dlpack_device__()

    for got in (run(a, b), run(b=b, a=a), run(a, b=b), run(a, Speaks())):
        assert np.array_equal(got, a - b)


@pytest.mark.parametrize(
    ("arrays", "named", "text"),
    [
        ((), {}, "found 0 inputs, wanted 1: x"),
        ((np.zeros(16, np.float32),) * 2, {}, "found 2 inputs"),
        ((), {"z": 1}, "found 1 inputs, wanted 1: x"),
        ((np.zeros(15, np.float32),), {}, r"x: found float32 \(15,\), wanted float32 \(16,\)"),
        ((np.zeros(16),), {}, "x: found float64"),
        (("text",), {}, "x: str is no array"),
        ((np.zeros(16, np.float32),), {"out": np.zeros(16)}, "output y: wanted an array to write"),
        ((np.zeros(16, np.float32),), {"out": [1, 2]}, "found 2 arrays, wanted 1"),
    ],
)
def test_arrays_that_do_not_fit(arrays: Any, named: Any, text: str, tmp_path: Path) -> None:
    run = loaded(relu(), tmp_path)
    with pytest.raises(BadCall, match=text):
        run(*arrays, **named)


def test_words_that_do_not_go_together(tmp_path: Path) -> None:
    mine = client.Client(cache=tmp_path, inbox=tmp_path / "inbox", on_miss="reference")
    with pytest.raises(BadConfig, match="a client and threads"):
        loaded(relu(), tmp_path, client=mine, threads=1)
    assert loaded(relu(), tmp_path, client=mine).client is mine
    (tmp_path / "model.onnx").write_bytes(b"nonsense")
    with pytest.raises(BadModel):
        client.load_model(tmp_path / "model.onnx", client=mine)


@pytest.mark.slow
def test_tuned_kernels_answer_as_onnx_does(tmp_path: Path) -> None:
    """The whole way: asked for, tuned, found again and swapped in."""
    proto = MODELS.NETWORKS["dcgan"](True, 1)
    run = loaded(proto, tmp_path)
    arrays = drawn(run.plan)
    (wanted,) = ReferenceEvaluator(proto).run(None, dict(zip(run.plan.inputs, arrays, strict=True)))
    close(run(*arrays), wanted)
    drops = sorted((tmp_path / "inbox").glob("*.json"))
    tune = [sys.executable, "-m", "ansord", "tune", *map(str, drops)]
    subprocess.run(
        [*tune, "--trials", "4", "--cache", str(tmp_path / "cache")], check=True, capture_output=True
    )
    run.client.refresh()
    assert run.tuned == len(run.plan.calls)
    close(run(*arrays), wanted)
    assert {row.state for row in run.profile(runs=2).rows} <= {"tuned", "view"}
    again = loaded(proto, tmp_path, on_miss="raise")
    close(again(*arrays), wanted)
    out = np.empty_like(wanted)
    for _ in range(3):
        again(*arrays, out=out)
    close(out, wanted)
