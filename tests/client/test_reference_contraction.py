"""The reference's convolutions, products and expressions against plain loops; what memory it takes."""

from __future__ import annotations

import itertools
import math
import tracemalloc
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ansord_client.reference import evaluate, reference
from ansord_client.subgraph import Subgraph
from tests.client.graphs import drawn, graph, one

Array = NDArray[Any]


def loops(sg: Subgraph, arrays: Sequence[Array], transposed: bool = False) -> Array:
    """A convolution, term by term, in exact Python integers."""
    node = sg.nodes[0]
    x, w = (array.astype(object) for array in arrays)
    attrs = node.attrs
    groups = attrs.get("groups", 1)
    y = np.zeros(node.shape, object)
    per_in, per_out = x.shape[-1] // groups, w.shape[-1] // groups
    spatial = x.shape[1:-1] if transposed else node.shape[1:-1]
    for n, *place in itertools.product(range(x.shape[0]), *map(range, spatial)):
        for tap in itertools.product(*map(range, w.shape[:-2])):
            there = tuple(
                p * s + k * d - before
                for p, k, s, d, (before, _) in zip(
                    place, tap, attrs["stride"], attrs["dilation"], attrs["padding"], strict=True
                )
            )
            bound = node.shape if transposed else x.shape
            if not all(0 <= at < extent for at, extent in zip(there, bound[1:-1], strict=True)):
                continue
            source, target = (tuple(place), there) if transposed else (there, tuple(place))
            for group in range(groups):
                ins, outs = (
                    slice(group * per_in, (group + 1) * per_in),
                    slice(group * per_out, (group + 1) * per_out),
                )
                y[(n, *target, outs)] += x[(n, *source, ins)] @ w[(*tap, slice(None), outs)]
    return y


def wrapped(exact: Array, dtype: str) -> Array:
    """Python integers modulo the type's range."""
    bits, signed = np.dtype(dtype).itemsize * 8, dtype != "uint8"
    half = 2 ** (bits - 1) if signed else 0
    flat = [(int(value) + half) % 2**bits - half for value in np.asarray(exact, object).reshape(-1)]
    return np.array(flat, dtype).reshape(np.shape(exact))


CONVS: list[tuple[str, list[list[int]], dict[str, Any]]] = [
    ("conv1d", [[2, 7, 4], [3, 4, 3]], {"padding": [[2, 1]], "stride": 2, "dilation": 2}),
    ("conv2d", [[2, 5, 6, 6], [3, 2, 2, 9]], {"groups": 3, "padding": [[0, 2], [1, 0]], "stride": [1, 3]}),
    ("conv2d", [[1, 5, 5, 4], [3, 3, 1, 4]], {"groups": 4, "padding": 1}),
    ("conv2d", [[1, 2, 2, 1], [3, 3, 1, 1]], {"padding": 9, "dilation": 5}),
    ("conv3d", [[1, 3, 4, 5, 2], [2, 1, 3, 2, 3]], {"padding": 1, "stride": [2, 1, 2]}),
    ("conv1d_transpose", [[2, 5, 3], [4, 3, 2]], {"stride": 3, "padding": [[1, 2]], "output_padding": 2}),
    ("conv2d_transpose", [[1, 4, 3, 3], [4, 2, 3, 2]], {"stride": 2, "padding": 1, "dilation": [1, 3]}),
    ("conv3d_transpose", [[1, 2, 2, 2, 2], [2, 3, 1, 2, 2]], {"stride": [1, 2, 3]}),
]


@pytest.mark.parametrize("dtype", ["float32", "int8", "uint8", "int32", "int64"])
@pytest.mark.parametrize(("op", "shapes", "attrs"), CONVS)
def test_convolutions(op: str, shapes: list[list[int]], attrs: dict[str, Any], dtype: str) -> None:
    sg = one(op, shapes, attrs, dtype)
    arrays = drawn(sg, "integer" if dtype == "float32" else "normal")
    exact = loops(
        sg, [a.astype(np.int64) for a in arrays] if dtype == "float32" else arrays, "transpose" in op
    )
    for wide in (True, False):
        (found,) = evaluate(sg, arrays, wide=wide)
        wanted = exact.astype(np.float32) if dtype == "float32" else wrapped(exact, sg.nodes[0].dtype)
        np.testing.assert_array_equal(found, wanted)
        assert found.dtype == sg.nodes[0].dtype and found.flags.c_contiguous


@pytest.mark.parametrize("dtype", ["float32", "float64", "int8", "int32", "int64"])
@pytest.mark.parametrize(
    ("shapes", "attrs"),
    [
        ([[3], [3]], {}),
        ([[4, 3], [3]], {}),
        ([[3], [5, 3, 2]], {}),
        ([[2, 1, 4, 3], [5, 3, 2]], {}),
        ([[1, 4, 3], [1, 3, 2]], {}),
        ([[5, 3, 4], [2, 3]], {"transpose_a": True, "transpose_b": True}),
        ([[7, 1], [1, 6]], {}),
        ([[6, 1, 9], [6, 9, 1]], {}),
    ],
)
def test_matmul(shapes: list[list[int]], attrs: dict[str, bool], dtype: str) -> None:
    sg = one("matmul", shapes, attrs, dtype)
    arrays = drawn(sg)
    a, b = (
        array.swapaxes(-1, -2) if attrs.get(name) else array
        for name, array in zip(("transpose_a", "transpose_b"), arrays, strict=True)
    )
    if dtype.startswith("float"):
        np.testing.assert_allclose(reference(sg, *arrays), np.matmul(a, b, dtype=np.float64), 1e-6, 1e-6)
    else:
        exact = np.asarray(np.matmul(a.astype(object), b.astype(object)), object)
        np.testing.assert_array_equal(reference(sg, *arrays), wrapped(exact, sg.nodes[0].dtype))


def test_large_integers_wrap_in_long_sums() -> None:
    sg = one("matmul", [[2, 1000], [1000, 3]], dtype="int64")
    arrays = [np.full(one.shape, -(2**63), np.int64) + place for place, one in enumerate(sg.inputs)]
    np.testing.assert_array_equal(reference(sg, *arrays), np.matmul(*arrays))


COMPUTES: list[tuple[str, list[int], dict[str, Any], dict[str, int]]] = [
    ("y[i,j] += a[i,k] * b[k,j]", [3, 5], {"a": [3, 4], "b": [4, 5]}, {}),
    ("y[j,i] += b[k,j] * a[i,k]", [5, 3], {"a": [3, 4], "b": [4, 5]}, {}),
    ("y[i] += a[i,k] * a[i,k]", [3], {"a": [3, 4]}, {}),
    ("y[] += a[i,k] * b[k,i]", [], {"a": [3, 4], "b": [4, 3]}, {}),
    ("y[h,c] += a[h*2+u, c] * b[u, c]", [3, 4], {"a": [7, 4], "b": [3, 4]}, {}),
    ("y[h,c] += a[6 - h*2 - u%2, c] * b[u, c]", [3, 4], {"a": [7, 4], "b": [3, 4]}, {}),
    ("y[i,j,l] += a[i,k] * b[k,0]", [3, 2, 2], {"a": [3, 4], "b": [4, 5]}, {}),
    ("y[i] += a[i, i] * b[i//2, i%2]", [4], {"a": [4, 4], "b": [2, 2]}, {}),
    ("y[i] += a[i, 0] * b[0, 0]", [3], {"a": [3, 4], "b": [2, 2]}, {"k": 5}),
    ("y[i] max= a[i, k] - b[k, 0]", [3], {"a": [3, 4], "b": [4, 2]}, {}),
    ("y[i] *= select(k < i, a[i, k], 1)", [3], {"a": [3, 4]}, {}),
    ("y[i,j] = select(i*2 + j < 4 and not a[i,j] > 0, -a[i,j], 2)", [3, 4], {"a": [3, 4]}, {}),
    ("y[] min= a[i, j]", [], {"a": [3, 4]}, {}),
    ("y[i] = a[2 - i, 1] > i", [3], {"a": [3, 4]}, {}),
]


@pytest.mark.parametrize("dtype", ["float32", "int8", "int32"])
@pytest.mark.parametrize(("expr", "shape", "tensors", "ranges"), COMPUTES)
def test_compute(
    expr: str, shape: list[int], tensors: dict[str, list[int]], ranges: dict[str, int], dtype: str
) -> None:
    if ranges:
        expr = expr.replace("b[0, 0]", "b[k//4, 0]")
    attrs = {"expr": expr, "shape": shape, "ranges": ranges}
    sg = graph(
        {name: (extents, dtype) for name, extents in tensors.items()}, ("y", "compute", list(tensors), attrs)
    )
    arrays = drawn(sg, "integer")
    definition = sg.nodes[0].attrs["definition"]
    names = [name for name, _ in (*definition.axes, *definition.reduce)]
    left, right = expr.split(
        "+="
        if "+=" in expr
        else "max="
        if "max=" in expr
        else "min="
        if "min=" in expr
        else "*="
        if "*=" in expr
        else "=",
        1,
    )
    text = right.replace("select(k < i, a[i, k], 1)", "(a[i, k] if k < i else 1)")
    text = text.replace(
        "select(i*2 + j < 4 and not a[i,j] > 0, -a[i,j], 2)",
        "(-a[i,j] if i*2 + j < 4 and not a[i,j] > 0 else 2)",
    )
    wanted = np.empty(shape, object)
    for place in np.ndindex(*shape):
        values = []
        for inner in np.ndindex(*(extent for _, extent in definition.reduce)):
            scope = dict(zip(names, (*place, *inner), strict=True))
            scope |= {name: array.astype(object) for (name, array) in zip(tensors, arrays, strict=True)}
            values.append(eval(text, {}, scope))
        combine = {None: sum, "add": sum, "mul": math.prod, "maximum": max, "minimum": min}[
            definition.combiner
        ]
        wanted[place] = combine(values)
    node = sg.nodes[0]
    exact = wanted.astype(node.dtype) if node.dtype in ("float32", "bool") else wrapped(wanted, node.dtype)
    for wide in (True, False):
        np.testing.assert_array_equal(evaluate(sg, arrays, wide=wide)[0], exact)


@pytest.mark.parametrize(
    ("op", "shapes", "attrs", "dtype"),
    [
        ("matmul", [[2, 15_000_000], [15_000_000, 1]], {}, "float32"),
        ("matmul", [[2, 3_000_000], [3_000_000, 2]], {}, "int8"),
        ("conv1d", [[1, 1_000_000, 32], [1, 32, 4]], {"padding": 1}, "float32"),
        ("silu", [[4000, 4000]], {}, "float32"),
    ],
)
def test_memory_beside_the_arrays_is_bounded(
    op: str, shapes: list[list[int]], attrs: Any, dtype: str
) -> None:
    sg = one(op, shapes, attrs, dtype)
    arrays = [np.ones(one.shape, one.dtype) for one in sg.inputs]
    tracemalloc.start()
    found = reference(sg, *arrays)
    assert isinstance(found, np.ndarray)
    peak = tracemalloc.get_traced_memory()[1] - found.nbytes
    tracemalloc.stop()
    assert peak <= 256 * 2**20


@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**32))
def test_sliced_contractions_are_the_whole(m: int, n: int, k: int, seed: int) -> None:
    from ansord_client.reference import contract

    rng = np.random.default_rng(seed)
    a, b = rng.integers(-9, 9, (m, k)).astype(np.int32), rng.integers(-9, 9, (k, n)).astype(np.int32)
    whole, kept = np.zeros((m, n), np.int32), contract.BYTES
    try:
        contract.BYTES = 500
        contract.contract(whole, "ij", a, "ik", b, "kj")
    finally:
        contract.BYTES = kept
    np.testing.assert_array_equal(whole, a @ b)
