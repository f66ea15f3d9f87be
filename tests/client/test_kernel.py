"""Calling and binding: right answers by value, and everything that does not fit stopped before native
code."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansord_client import AnsordError, BadCall, Client, Kernel
from ansord_client.plan import NativePlan
from ansord_client.subgraph import Subgraph
from tests.client.kernels import compiled, publish, subgraph

N = 16
LOOP = f"for (int i = 0; i < {N}; i++)"
SUM_XW = f"""RUN {{ const float *x = args[0], *w = args[1]; float *y = args[2];
    {LOOP} y[i] = x[i] + w[i]; return 0; }}"""
SUM_PACKED = f"""
PACK {{ memcpy(packed, constants[0], {4 * N}); return 0; }}
RUN {{ const float *x = args[0], *w = packed; float *y = args[2]; {LOOP} y[i] = x[i] + w[i]; return 0; }}
"""
XW = subgraph(("x", [N], "float32"), ("w", [N], "float32", True))
X, W = np.arange(N, dtype=np.float32), np.linspace(-1, 1, N, dtype=np.float32)


def kernel(folder: Path, sg: Subgraph, text: str, **more: Any) -> Kernel:
    publish(folder, sg, compiled(text), **more)
    return Client(cache=folder).get_kernel(sg)


@pytest.fixture(params=["plain", "packed"])
def add(request: pytest.FixtureRequest, tmp_path: Path) -> Kernel:
    """y = x + w, with w packed or not."""
    if request.param == "plain":
        return kernel(tmp_path, XW, SUM_XW)
    return kernel(tmp_path, XW, SUM_PACKED, packed_bytes=4 * N)


def test_a_call_gives_the_answer(add: Kernel) -> None:
    for _ in range(3):
        y = add(X, W)
        assert type(y) is np.ndarray
        np.testing.assert_array_equal(y, X + W)


def test_a_call_fills_what_it_is_given(add: Kernel) -> None:
    y = np.full(N, np.nan, np.float32)
    for scale in (1, 2, 3):
        x = X * np.float32(scale)
        for _ in range(3):
            assert add(x, W, out=y) is y
            np.testing.assert_array_equal(y, x + W)
    assert add(X, W, out=(y,)) == (y,)


def test_a_bound_kernel_wants_the_rest(add: Kernel) -> None:
    for bound in (add.bind(w=W), add.bind({"w": W}), add.bind().bind(w=W)):
        y = np.zeros(N, np.float32)
        for _ in range(3):
            np.testing.assert_array_equal(bound(X), X + W)
            assert bound(X, out=y) is y
            np.testing.assert_array_equal(y, X + W)
        with pytest.raises(BadCall, match="found 2 input arrays, wanted 1: x"):
            bound(X, W)
    assert add.bind(w=W).bind(w=W * 2)(X)[0] == (X + W * 2)[0]


def test_the_contents_may_change_between_calls(add: Kernel) -> None:
    bound, x, y = add.bind(w=W), X.copy(), np.empty(N, np.float32)
    for _ in range(5):
        x += 1
        bound(x, out=y)
        np.testing.assert_array_equal(y, x + W)
    w = W.copy()
    for _ in range(5):
        w += 1
        add(x, w, out=y)  # unbound: packed anew in each call
        np.testing.assert_array_equal(y, x + w)


def test_arrays_of_the_last_call_are_not_kept_alive(add: Kernel) -> None:
    bound = add.bind(w=W)
    x, y = X.copy(), np.empty(N, np.float32)
    bound(x, out=y)
    bound(x, out=y)
    refs = weakref.ref(x), weakref.ref(y)
    del x, y
    gc.collect()
    assert [one() for one in refs] == [None, None]
    with pytest.raises(BadCall):
        bound(None, out=None)


def test_bound_constants_are_kept_alive(add: Kernel) -> None:
    w = W.copy()
    bound = add.bind(w=w)
    wanted = X + w
    del w
    gc.collect()
    junk = [np.full(N, 7, np.float32) for _ in range(100)]
    np.testing.assert_array_equal(bound(X), wanted)
    del junk


def nonsense(kind: str) -> Any:
    wide = np.zeros((N, 2), np.float32)
    return {
        "shape": X[:-1],
        "rank": X.reshape(4, 4),
        "dtype": X.astype(np.float64),
        "integers": X.astype(np.int32),
        "byte order": X.astype(">f4"),
        "strides": wide[:, 0],
        "reversed": X[::-1],
        "list": list(X),
        "none": None,
        "scalar": np.float32(1),
        "bytes": X.tobytes(),
        "unaligned": np.frombuffer(bytes(4 * N + 1), np.uint8)[1:].view(np.float32),
    }[kind]


KINDS = ["shape", "rank", "dtype", "integers", "strides", "reversed", "list", "none", "scalar", "bytes"]
KINDS.append("unaligned")


@pytest.mark.parametrize("kind", [*KINDS, "byte order"])
def test_what_does_not_fit_is_refused_with_its_name(add: Kernel, kind: str) -> None:
    bad, y = nonsense(kind), np.full(N, 5, np.float32)
    bound = add.bind(w=W)
    bound(X, out=y)
    y[:] = 5
    for call in (
        lambda: add(bad, W),
        lambda: add(bad, W, out=y),
        lambda: bound(bad),
        lambda: bound(bad, out=y),
    ):
        with pytest.raises(BadCall, match="input x"):
            call()
    for call in (lambda: add(X, bad), lambda: add.bind(w=bad)):
        with pytest.raises(BadCall, match="input w"):
            call()
    if kind != "none":
        with pytest.raises(BadCall, match="out"):
            bound(X, out=bad)
    assert set(y) == {5}  # no native code ran
    assert isinstance(BadCall("x"), ValueError)


def test_an_array_is_told_how_to_fit(add: Kernel) -> None:
    with pytest.raises(BadCall, match=r"x: found dtype float64, wanted float32; pass x.astype\('float32'\)"):
        add(nonsense("dtype"), W)
    with pytest.raises(BadCall, match=r"pass numpy.ascontiguousarray\(x\)"):
        add(nonsense("strides"), W)
    with pytest.raises(BadCall, match=r"found shape \(4, 4\), wanted \(16,\)"):
        add(nonsense("rank"), W)


def test_a_column_major_matrix_is_refused(tmp_path: Path) -> None:
    sg = subgraph(("x", [4, 4], "float32"), ("w", [4, 4], "float32", True))
    run = kernel(tmp_path, sg, SUM_XW)
    x = X.reshape(4, 4)
    np.testing.assert_array_equal(run(x, x), x + x)
    for bad in (np.asfortranarray(x), x.T):
        with pytest.raises(BadCall, match="strides"):
            run(bad, x)
        with pytest.raises(BadCall, match="strides"):
            run(x, x, out=np.asfortranarray(np.zeros_like(x)))


def test_outputs_must_be_writable_and_apart(add: Kernel) -> None:
    bound = add.bind(w=W)
    y = np.zeros(N, np.float32)
    y.flags.writeable = False
    with pytest.raises(BadCall, match="read-only"):
        bound(X, out=y)
    room = np.zeros(3 * N, np.float32)
    x = room[:N]
    for start in (0, 1, N - 1):
        with pytest.raises(BadCall, match="overlaps that of input x"):
            bound(x, out=room[start : start + N])
        with pytest.raises(BadCall, match="overlaps that of input x"):
            add(x, W, out=room[start : start + N])
    bound(x, out=room[N : 2 * N])
    held = add.bind(w=room[:N])
    with pytest.raises(BadCall, match="overlaps that of input w"):
        held(X, out=room[N - 1 : 2 * N - 1])
    np.testing.assert_array_equal(add(x, x, out=room[N : 2 * N]), x + x)  # inputs may be one


def test_out_has_as_many_arrays_as_there_are_outputs(add: Kernel) -> None:
    y = np.zeros(N, np.float32)
    for bad in ((), (y, y), [y, y]):
        with pytest.raises(BadCall, match="out: found"):
            add(X, W, out=bad)


def test_only_constants_can_be_bound(add: Kernel) -> None:
    with pytest.raises(BadCall, match="found 'x', wanted a constant of the subgraph: w"):
        add.bind(x=X)
    with pytest.raises(BadCall, match="'nothing'"):
        add.bind({"nothing": W})


class Tensor:
    """Speaks DLPack and nothing else."""

    def __init__(self, array: np.ndarray[Any, Any], obstacle: str = "") -> None:
        self.array = array
        self.obstacle = obstacle

    def __dlpack__(self, **options: Any) -> Any:
        if self.obstacle:
            raise BufferError(self.obstacle)
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return (1, 0)


def test_tensors_of_other_libraries(add: Kernel) -> None:
    bound, y = add.bind(w=Tensor(W)), np.zeros(N, np.float32)
    out = Tensor(y)
    for scale in (1, 2):
        x = X * np.float32(scale)
        np.testing.assert_array_equal(bound(Tensor(x)), x + W)
        assert bound(Tensor(x), out=out) is out
        np.testing.assert_array_equal(y, x + W)
    tensor = Tensor(X)
    for scale in (1, 2):
        tensor.array = X * np.float32(scale)  # as torch's set_ and .data do
        bound(tensor, out=y)
        np.testing.assert_array_equal(y, tensor.array + W)
    with pytest.raises(BadCall, match="input x: .*DLPack: .*use tensor.detach"):
        bound(Tensor(X, "Can't export tensors that require gradient, use tensor.detach()"))
    with pytest.raises(BadCall, match="dtype float64"):
        bound(Tensor(X.astype(np.float64)))
    with pytest.raises(BadCall, match="strides"):
        bound(Tensor(np.zeros((N, 2), np.float32)[:, 0]))


def test_subclasses_of_arrays(add: Kernel, tmp_path: Path) -> None:
    mapped = np.memmap(tmp_path / "x", np.float32, "w+", shape=(N,))
    mapped[:] = X
    np.testing.assert_array_equal(add(mapped, W), X + W)


def test_several_outputs(tmp_path: Path) -> None:
    sg = Subgraph.from_dict(
        {
            "ansord": 1,
            "inputs": [{"name": "x", "shape": [N], "dtype": "float32"}],
            "nodes": [
                {"name": "a", "op": "relu", "args": ["x"]},
                {"name": "b", "op": "greater", "args": ["x", 3]},
            ],
            "outputs": ["a", "b"],
        }
    )
    text = f"""RUN {{ const float *x = args[0]; float *a = args[1]; uint8_t *b = args[2];
        {LOOP} {{ a[i] = x[i] > 0 ? x[i] : 0; b[i] = x[i] > 3; }} return 0; }}"""
    run = kernel(tmp_path, sg, text)
    a, b = run(X)
    np.testing.assert_array_equal(a, np.maximum(X, 0))
    np.testing.assert_array_equal(b, X > 3)
    assert b.dtype == np.bool_
    given = np.zeros(N, np.float32), np.zeros(N, np.bool_)
    assert run(X, out=given) is given
    np.testing.assert_array_equal(given[1], X > 3)
    with pytest.raises(BadCall, match="wanted 2: a, b"):
        run(X, out=given[0])
    room = np.zeros(8 * N, np.uint8)
    with pytest.raises(BadCall, match="output b: its memory overlaps that of output a"):
        run(X, out=(room[: 4 * N].view(np.float32), room[4 * N - 1 : 5 * N - 1].view(np.bool_)))


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7])
def test_any_number_of_inputs(tmp_path: Path, count: int) -> None:
    sg = subgraph(*[(f"x{number}", [N], "float32") for number in range(count)])
    terms = " + ".join(f"((const float *)args[{number}])[i]" for number in range(count))
    run = kernel(tmp_path, sg, f"RUN {{ float *y = args[{count}]; {LOOP} y[i] = {terms}; return 0; }}")
    many = [np.full(N, 10.0**number, np.float32) for number in range(count)]
    other = many[-1].copy() * 2
    y = np.zeros(N, np.float32)
    for _ in range(3):
        np.testing.assert_array_equal(run(*many), sum(many))
        assert run(*many, out=y) is y
        np.testing.assert_array_equal(y, sum(many))
    run(*many[:-1], other, out=y)
    np.testing.assert_array_equal(y, sum([*many[:-1], other]))
    with pytest.raises(BadCall, match=f"wanted {count}"):
        run(*many, X, out=y)
    with pytest.raises(BadCall, match=f"wanted {count}"):
        run(*many[:-1], out=y)


def test_all_inputs_bound(tmp_path: Path) -> None:
    sg = subgraph(("a", [N], "float32", True), ("b", [N], "float32", True))
    bound = kernel(tmp_path, sg, SUM_XW).bind(a=X, b=W)
    y = np.zeros(N, np.float32)
    for _ in range(3):
        np.testing.assert_array_equal(bound(), X + W)
        np.testing.assert_array_equal(bound(out=y), X + W)
    with pytest.raises(BadCall, match="wanted 0: none"):
        bound(X)


def test_rank_0_and_small_types(tmp_path: Path) -> None:
    sg = subgraph(("x", [], "int8"), ("w", [], "int8"))
    run = kernel(
        tmp_path, sg, "RUN { *(int8_t *)args[2] = *(int8_t *)args[0] + *(int8_t *)args[1]; return 0; }"
    )
    y = run(np.int8(3), np.array(4, np.int8))
    assert (type(y), y.shape, int(y)) == (np.ndarray, (), 7)
    with pytest.raises(BadCall, match="dtype int64"):
        run(np.int64(3), np.int8(4))


def test_a_kernel_that_reports_a_failure_raises(tmp_path: Path) -> None:
    run = kernel(tmp_path, XW, "RUN { return ((const float *)args[0])[0] > 5 ? 3 : 0; }")
    y = np.zeros(N, np.float32)
    x = X.copy()
    run(x, W, out=y)
    x[0] = 9
    for out in (y, None):
        with pytest.raises(AnsordError, match="status 3"):
            run(x, W, out=out)


def test_scratch_is_aligned_and_each_threads_own(tmp_path: Path) -> None:
    """The kernel leaves its mark in the scratch, lets others run, and looks whether the mark is still
    there."""
    text = f"""#include <time.h>
RUN {{ const float *x = args[0], *w = args[1]; float *y = args[2]; float *s = scratch;
    if ((uintptr_t)scratch % 256) return 1;
    {LOOP} s[i] = x[i] + w[i];
    struct timespec pause = {{0, 200000}}; nanosleep(&pause, 0);
    {LOOP} y[i] = s[i]; return 0; }}"""
    bound = kernel(tmp_path, XW, text, scratch_bytes=4 * N, scratch_align=256).bind(w=W)
    wrong: list[float] = []

    def work(number: int) -> None:
        x, y = np.full(N, number, np.float32), np.zeros(N, np.float32)
        for _ in range(50):
            bound(x, out=y)
            if not np.array_equal(y, x + W):
                wrong.append(number)
            if not np.array_equal(bound(x), x + W):
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert wrong == []


def test_other_threads_run_during_a_call(tmp_path: Path) -> None:
    text = "#include <unistd.h>\nRUN { usleep(200000); return 0; }"
    bound = kernel(tmp_path, XW, text).bind(w=W)
    start = time.monotonic()
    threads = [threading.Thread(target=bound, args=(X,)) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert time.monotonic() - start < 0.7


def test_info_has_the_fields_of_a_result(add: Kernel) -> None:
    info = add.bind(w=W).info
    assert info["key"] == info.key == XW.key
    assert info.degraded is False
    assert info.latency_ci_us == [1.4, 1.6]
    assert info.threads >= 1
    with pytest.raises(AttributeError):
        _ = info.nothing
    assert "with w" in repr(add.bind(w=W))


PLACES = st.sampled_from(["fits", *KINDS, "byte order"])


@given(x=PLACES, out=PLACES, overlap=st.booleans(), repeat=st.booleans())
def test_the_quick_call_judges_as_the_slow_one(
    tmp_path_factory: pytest.TempPathFactory, x: str, out: str, overlap: bool, repeat: bool
) -> None:
    folder = tmp_path_factory.getbasetemp() / "quick"
    if not folder.exists():
        publish(folder, XW, compiled(SUM_XW))
    plan = Client(cache=folder).get_kernel(XW).bind(w=W)._plan
    assert isinstance(plan, NativePlan)
    assert plan.quick != plan.call
    given = X.copy() if x == "fits" else nonsense(x)
    answers = []
    for call in (plan.call, plan.quick):
        room = np.zeros(N, np.float32) if out == "fits" else nonsense(out)
        target = given if overlap and x == out == "fits" else room
        try:
            for _ in range(1 + repeat):
                result = call((given,), target)
            answers.append(np.asarray(result).tolist())
        except BadCall as error:
            answers.append(str(error))
    assert answers[0] == answers[1]
