"""Calling and binding: right answers by value, and everything that does not fit stopped before native
code."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansord_client import BadCall, Client, Kernel
from ansord_client.plan import NativePlan
from tests.client.kernels import LOOP, SUM_XW, XW, N, compiled, kernel, publish, subgraph

SUM_PACKED = f"""
PACK {{ memcpy(packed, constants[0], {4 * N}); return 0; }}
RUN {{ const float *x = args[0], *w = packed; float *y = args[2]; {LOOP} y[i] = x[i] + w[i]; return 0; }}
"""
X, W = np.arange(N, dtype=np.float32), np.linspace(-1, 1, N, dtype=np.float32)


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
