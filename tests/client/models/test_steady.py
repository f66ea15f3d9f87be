"""Calls that come again: no tensor is allocated, what is replaced is noticed, a forked child is warned."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

import ansord_client as client
from ansord_client.arrays import address_of
from ansord_client.errors import AnsordError
from ansord_client.models import LoadedModel
from ansord_client.plan import NativePlan
from ansord_client.subgraph import Subgraph
from tests.client.kernels import compiled, publish
from tests.client.models.networks import drawn, examples, model

MODELS = examples()
DIMS = {"batch": 2, "sequence": 7}
NOISE = 4096
"""Bytes of Python objects that a call may make and drop."""


def loaded(proto: onnx.ModelProto, folder: Path, dims: Any = None, **options: Any) -> LoadedModel:
    path = folder / "model.onnx"
    path.write_bytes(proto.SerializeToString())
    places = {"cache": folder / "cache", "inbox": folder / "inbox"}
    return client.load_model(path, dims, trusted=True, **places, **options)


def cleared(sg: Subgraph) -> bytes:
    """A kernel that fills its result with zeros."""
    size = 4 * math.prod(sg.tensor(sg.outputs[0]).shape)
    return compiled(f"RUN {{ memset(args[{len(sg.inputs)}], 0, {size}); return 0; }}")


@pytest.mark.parametrize("name", sorted(MODELS.NETWORKS))
def test_a_steady_call_of_a_network_allocates_no_tensor(name: str, tmp_path: Path) -> None:
    run = loaded(MODELS.NETWORKS[name](True, 1), tmp_path, DIMS if name == "bert" else None)
    for task in run.plan.tasks:
        publish(tmp_path / "cache", task.subgraph, cleared(task.subgraph))
    run.client.refresh()
    assert run.tuned == len(run.plan.calls)
    arrays = drawn(run.plan)
    results = run(*arrays)
    out = results if isinstance(results, tuple) else (results,)
    for _ in range(3):
        run(*arrays, out=out)
    written = sum(4 * math.prod(run.plan.values[call.result].shape) for call in run.plan.calls)
    assert written > 4 * NOISE
    tracemalloc.start()
    try:
        for _ in range(5):
            run(*arrays, out=out)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < NOISE


LENGTH = 1000
BYTES = 4 * LENGTH
PACKED = f"""PACK {{ memcpy(packed, constants[0], {BYTES}); return 0; }}
RUN {{ const float *x = args[0], *p = packed; float *y = args[2];
    for (int i = 0; i < {LENGTH}; i++) y[i] = x[i] + FACTOR * p[i]; return 0; }}"""
RAW = f"""RUN {{ const float *x = args[0], *w = args[1]; float *y = args[2];
    for (int i = 0; i < {LENGTH}; i++) y[i] = x[i] + w[i]; return 0; }}"""


def chain(steps: int, folder: Path) -> tuple[LoadedModel, Any]:
    """y = x + 1 + 2 + …, a call for each: between them are pools, which do nothing."""
    nodes = []
    for step in range(steps):
        before, after = "x" if not step else f"a{step - 1}", "y" if step + 1 == steps else f"a{step}"
        nodes.append(helper.make_node("MaxPool", [before], [f"p{step}"], kernel_shape=[1]))
        nodes.append(helper.make_node("Add", [f"p{step}", f"w{step}"], [after]))
    held = {f"w{step}": np.full((1, 1, LENGTH), step + 1, np.float32) for step in range(steps)}
    run = loaded(model(nodes, {"x": [1, 1, LENGTH]}, held=held), folder)
    assert len(run.plan.calls) == steps
    return run, np.arange(LENGTH, dtype=np.float32).reshape(1, 1, LENGTH)


def adding(run: LoadedModel) -> Subgraph:
    (task,) = run.plan.tasks
    return task.subgraph


def addresses(run: LoadedModel) -> list[int]:
    plans = [kernel._plan for kernel in run._kernels]
    return [address_of(plan.packed) for plan in plans if isinstance(plan, NativePlan) and plan.packed]


def test_packed_constants_lie_in_the_order_in_which_they_run(tmp_path: Path) -> None:
    asked, x = chain(4, tmp_path)
    sg = adding(asked)
    publish(tmp_path / "cache", sg, compiled(PACKED, "-DFACTOR=1"), packed_bytes=BYTES)
    run = loaded(onnx.load(tmp_path / "model.onnx"), tmp_path)
    places = addresses(run)
    assert len(places) == 4 and all(place % 64 == 0 for place in places)
    assert places == sorted(places) and places[-1] - places[0] < 5 * 2 * BYTES
    assert np.array_equal(run(x), x + 10)
    publish(tmp_path / "cache", sg, compiled(PACKED, "-DFACTOR=2"), packed_bytes=BYTES)
    run.client.refresh()
    assert np.array_equal(run(x), x + 20)
    assert not set(places) & set(addresses(run))


def test_constants_that_are_read_as_they_are_leave_the_file(tmp_path: Path) -> None:
    asked, x = chain(3, tmp_path)
    publish(tmp_path / "cache", adding(asked), compiled(RAW))
    run = loaded(onnx.load(tmp_path / "model.onnx"), tmp_path)
    held = [array for kernel in run._kernels for array in kernel._plan.bound.values()]
    starts = [array.ctypes.data for array in held]
    assert len(starts) == 3 and starts == sorted(starts) and all(start % 64 == 0 for start in starts)
    assert not any(array.flags.writeable for array in held)
    assert np.array_equal(run(x), x + 6)


def test_a_swap_between_steady_calls_is_noticed(tmp_path: Path) -> None:
    run, x = chain(3, tmp_path)
    y = np.empty_like(x)
    for factor in (1, 2, 3):
        code = compiled(PACKED, f"-DFACTOR={factor}")
        publish(tmp_path / "cache", adding(run), code, packed_bytes=BYTES)
        run.client.refresh()
        for _ in range(3):
            assert np.array_equal(run(x, out=y), x + 6 * factor)


def test_swaps_while_threads_call(tmp_path: Path) -> None:
    run, x = chain(3, tmp_path)
    run.client.close()
    codes = [compiled(PACKED, f"-DFACTOR={factor}") for factor in (1, 2, 3)]
    publish(tmp_path / "cache", adding(run), codes[0], packed_bytes=BYTES)
    run.client.refresh()
    wrong: list[float] = []
    done = threading.Event()

    def work() -> None:
        y = np.empty_like(x)
        while not done.is_set():
            added = run(x, out=y) - x
            first = float(added[0, 0, 0])
            if not (added == first).all() or not 6 <= first <= 18:
                wrong.append(first)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for one in threads:
        one.start()
    for number in range(6):
        publish(tmp_path / "cache", adding(run), codes[(number + 1) % 3], packed_bytes=BYTES)
        run.client.refresh()
    done.set()
    for one in threads:
        one.join()
    assert wrong == [] and np.array_equal(run(x), x + 6)


def test_a_failure_of_native_code_is_told_in_steady_calls_too(tmp_path: Path) -> None:
    run, x = chain(2, tmp_path)
    text = RAW.replace("return 0;", "return x[0] == 7 ? 3 : 0;")
    publish(tmp_path / "cache", adding(run), compiled(text))
    run.client.refresh()
    y = np.empty_like(x)
    for _ in range(3):
        run(x, out=y)
    x[0, 0, 0] = 6  # what the second call reads is 7 then
    for _ in range(2):
        with pytest.raises(AnsordError, match="status 3"):
            run(x, out=y)
    x[0, 0, 0] = 0
    assert np.array_equal(run(x), x + 3)


def test_a_scratch_buffer_is_shared_by_all_kernels(tmp_path: Path) -> None:
    """Also by those that run before the one that needs the most."""
    proto = MODELS.NETWORKS["dcgan"](True, 1)
    asked = loaded(proto, tmp_path)
    for number, task in enumerate(asked.plan.tasks, 1):
        publish(tmp_path / "cache", task.subgraph, cleared(task.subgraph), scratch_bytes=number << 20)
    run = loaded(proto, tmp_path)
    found: list[Any] = []

    def work() -> None:
        run(*drawn(run.plan))
        found.extend(row[3] for row in run._frame()._rows if row[3] is not None)

    thread = threading.Thread(target=work)  # which has no buffer yet
    thread.start()
    thread.join()
    assert len(found) > 2 and len(set(map(address_of, found))) == 1


FORKING = """
import os, sys
import numpy as np
import ansord_client as client

run = client.load_model(sys.argv[1], trusted=True, cache=sys.argv[2], inbox=sys.argv[3])
x = np.zeros((1, 1, 1000), np.float32)
y = np.empty_like(x)
for _ in range(3):
    run(x, out=y)
wanted = y.copy()
assert run.tuned == len(run.plan.calls)
pid = os.fork()
if not pid:
    said = []
    for _ in range(3):
        try:
            run(x, out=y)
            said.append("same" if np.array_equal(y, wanted) else "other")
        except client.AfterFork:
            said.append("AfterFork")
    print(*said, flush=True)
    os._exit(0)
os.waitpid(pid, 0)
"""


@pytest.mark.parametrize("parallel", [False, True])
def test_a_forked_child_of_steady_calls(parallel: bool, tmp_path: Path) -> None:
    run, _ = chain(2, tmp_path)
    publish(tmp_path / "cache", adding(run), compiled(RAW), needs_openmp=parallel)
    places = [tmp_path / name for name in ("model.onnx", "cache", "inbox")]
    done = subprocess.run(
        [sys.executable, "-c", FORKING, *map(str, places)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=dict(os.environ),
    )
    assert done.stdout.split() == (["AfterFork"] if parallel else ["same"]) * 3, done.stderr
