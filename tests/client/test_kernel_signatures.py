"""Kernels of any signature: outputs, inputs, ranks and types, a status, scratch memory, threads."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from ansord_client import AnsordError, BadCall
from ansord_client.subgraph import Subgraph
from tests.client.kernels import LOOP, SUM_XW, XW, N, kernel, subgraph

X, W = np.arange(N, dtype=np.float32), np.linspace(-1, 1, N, dtype=np.float32)


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
