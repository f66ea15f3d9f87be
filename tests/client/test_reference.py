"""The reference against definitions written as plain loops, by value."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from ansord_client.errors import BadCall
from ansord_client.expr import OPERATIONS
from ansord_client.ops import TABLE
from ansord_client.reference import FUNCTIONS, evaluate, reference
from ansord_client.reference.erf import erf
from ansord_client.reference.scalar import SCALAR
from ansord_client.subgraph import Subgraph
from tests.client.graphs import drawn, graph, one
from tests.strategies import subgraphs


def test_every_op_is_here() -> None:
    assert set(FUNCTIONS) == set(TABLE)
    assert set(SCALAR) == OPERATIONS - {"cast"}


@pytest.mark.parametrize("count_pad", [False, True])
@pytest.mark.parametrize("ceil", [False, True])
@pytest.mark.parametrize(
    ("shape", "kernel", "stride", "padding"),
    [
        ([2, 7, 3], [3], [2], [[1, 1]]),
        ([1, 6, 5, 2], [2, 3], [2, 2], [[0, 1], [1, 0]]),
        ([1, 5, 1], [2], [3], [[1, 1]]),
        ([1, 4, 3, 5, 1], [2, 2, 2], [1, 2, 3], [[0, 0], [1, 1], [0, 1]]),
    ],
)
def test_pools(
    shape: list[int],
    kernel: list[int],
    stride: list[int],
    padding: list[list[int]],
    ceil: bool,
    count_pad: bool,
) -> None:
    attrs = {
        "kernel": kernel,
        "stride": stride,
        "padding": padding,
        "ceil_mode": ceil,
        "count_include_pad": count_pad,
    }
    for op in ("max_pool", "avg_pool"):
        sg = one(op, [shape], attrs)
        (x,) = drawn(sg)
        found = reference(sg, x)
        assert isinstance(found, np.ndarray)
        for n, *place, c in np.ndindex(*found.shape):
            inside, counted = [], 0
            for tap in np.ndindex(*kernel):
                at = [p * s + k - b for p, s, k, (b, _) in zip(place, stride, tap, padding, strict=True)]
                within = [0 <= a < extent for a, extent in zip(at, shape[1:-1], strict=True)]
                padded = [
                    a < extent + after for a, extent, (_, after) in zip(at, shape[1:-1], padding, strict=True)
                ]
                counted += all(padded) if count_pad else all(within)
                if all(within):
                    inside.append(float(x[(n, *at, c)]))
            wanted = max(inside) if op == "max_pool" else sum(inside) / counted
            assert math.isclose(found[(n, *place, c)], wanted, rel_tol=1e-6, abs_tol=1e-6)


def test_pools_of_integers_and_nan() -> None:
    sg = one("max_pool", [[1, 4, 1]], {"kernel": 3, "padding": 1, "stride": 1}, "int8")
    x = np.array([-128, -128, -128, 5], np.int8).reshape(1, 4, 1)
    np.testing.assert_array_equal(np.ravel(reference(sg, x)), [-128, -128, 5, 5])
    sg = one("max_pool", [[1, 4, 1]], {"kernel": 2, "stride": 1})
    y = np.array([1, np.nan, 3, 4], np.float32).reshape(1, 4, 1)
    np.testing.assert_array_equal(np.ravel(reference(sg, y)), [np.nan, np.nan, 4])


def test_casts() -> None:
    x = np.array(
        [np.nan, np.inf, -np.inf, 2.9, -2.9, 300.5, -0.5, -128.9, 127.9, 2.0**31, -(2.0**63), 2.0**63, 255.5]
    )
    wanted = {
        "int8": [0, 127, -128, 2, -2, 127, 0, -128, 127, 127, -128, 127, 127],
        "uint8": [0, 255, 0, 2, 0, 255, 0, 0, 127, 255, 0, 255, 255],
        "int32": [0, 2**31 - 1, -(2**31), 2, -2, 300, 0, -128, 127, 2**31 - 1, -(2**31), 2**31 - 1, 255],
        "int64": [0, 2**63 - 1, -(2**63), 2, -2, 300, 0, -128, 127, 2**31, -(2**63), 2**63 - 1, 255],
        "bool": [True] * 13,
    }
    for dtype, values in wanted.items():
        sg = one("cast", [[13]], {"dtype": dtype}, "float64")
        np.testing.assert_array_equal(reference(sg, x), np.array(values, dtype))
        narrow = one("cast", [[13]], {"dtype": dtype}, "float32")
        with np.errstate(over="ignore"):
            np.testing.assert_array_equal(
                reference(narrow, x.astype(np.float32))[:9], np.array(values, dtype)[:9]
            )
    sg = one("cast", [[3]], {"dtype": "int8"}, "int32")
    np.testing.assert_array_equal(
        reference(sg, np.array([200, -129, 7], np.int32)), np.array([-56, 127, 7], np.int8)
    )
    sg = one("cast", [[2]], {"dtype": "bool"}, "int32")
    np.testing.assert_array_equal(reference(sg, np.array([0, -3], np.int32)), [False, True])


UNARY = {
    "relu": lambda x: max(x, 0.0),
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "tanh": math.tanh,
    "erf": math.erf,
    "gelu": lambda x: x / 2 * (1 + math.erf(x / math.sqrt(2))),
    "silu": lambda x: x / (1 + math.exp(-x)),
    "hard_swish": lambda x: x * min(max(x + 3, 0), 6) / 6,
    "exp": math.exp,
    "log": math.log,
    "sin": math.sin,
    "cos": math.cos,
    "sqrt": math.sqrt,
    "rsqrt": lambda x: 1 / math.sqrt(x),
    "neg": lambda x: -x,
    "abs": abs,
    "floor": math.floor,
    "leaky_relu": lambda x: x if x >= 0 else float(np.float32(0.01)) * x,
}


@pytest.mark.parametrize("op", UNARY)
def test_unary(op: str) -> None:
    sg = one(op, [[200]])
    (x,) = drawn(sg)
    wanted = np.array([UNARY[op](float(value)) for value in x])
    np.testing.assert_allclose(reference(sg, x), wanted.astype(np.float32), rtol=2e-7, atol=0)
    np.testing.assert_allclose(evaluate(sg, [x], wide=False)[0], wanted, rtol=3e-6, atol=3e-6)


def test_gelu_by_tanh() -> None:
    sg = one("gelu", [[3]], {"approximate": True}, "float64")
    found = reference(sg, np.array([-1.0, 0.5, 2.0]))
    np.testing.assert_allclose(
        found, [-0.15880800939172324, 0.34571400982514394, 1.9545976940877752], rtol=1e-14
    )


def test_erf_is_accurate_everywhere() -> None:
    x = np.concatenate(
        [np.linspace(-7, 7, 40001), np.logspace(-300, 1, 2000), [5.9999999, 6.0, 6.0625, 1e300]]
    )
    wanted = np.array([math.erf(value) for value in x])
    assert np.max(np.abs(erf(x) - wanted) / np.maximum(np.abs(wanted), 1e-320)) < 4e-16
    special = erf(np.array([np.nan, np.inf, -np.inf, -0.0]))
    assert np.isnan(special[0]) and special[1] == 1 and special[2] == -1 and np.signbit(special[3])
    assert erf(np.float32([[0.5]])).dtype == np.float32


def test_nan_wins_where_the_format_says_so() -> None:
    x = np.array([np.nan, -1, 1], np.float32)
    for op, attrs in (("relu", {}), ("clip", {"min": 0, "max": 0.5}), ("clip", {"max": 0.5})):
        assert np.isnan(reference(one(op, [[3]], attrs), x)[0])
    for op in ("reduce_max", "reduce_min", "reduce_sum"):
        assert np.isnan(reference(one(op, [[3]]), x))
    assert np.isnan(reference(one("maximum", [[3], [3]]), np.zeros(3, np.float32), x)[0])


def test_integers_wrap() -> None:
    x = np.array([127, -128, 100], np.int8)
    sg = graph(
        {"x": ([3], "int8")},
        ("s", "add", ["x", "x"]),
        ("m", "mul", ["x", "x"]),
        ("n", "neg", ["x"]),
        ("a", "abs", ["x"]),
        ("r", "reduce_sum", ["x"]),
        ("p", "reduce_prod", ["x"]),
        outputs=["s", "m", "n", "a", "r", "p"],
    )
    found = reference(sg, x)
    wanted = [[-2, 0, -56], [1, 0, 16], [-127, -128, -100], [127, -128, 100], 99, 0]
    for got, want in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(got, np.array(want, np.int8))


def test_softmax_and_norms() -> None:
    sg = graph(
        {"x": [3, 5], "s": [5], "b": [5]},
        ("p", "softmax", ["x"], {"axis": 0}),
        ("l", "log_softmax", ["x"]),
        ("n", "layer_norm", ["x", "s", "b"]),
        outputs=["p", "l", "n"],
    )
    x, s, b = (array.astype(np.float64) for array in drawn(sg))
    p, log, n = reference(sg, *(array.astype(np.float32) for array in (x, s, b)))
    np.testing.assert_allclose(p, np.exp(x) / np.exp(x).sum(0), rtol=1e-6)
    np.testing.assert_allclose(log, np.log(np.exp(x) / np.exp(x).sum(1, keepdims=True)), rtol=1e-6)
    mean, var = x.mean(1, keepdims=True), x.var(1, keepdims=True)
    np.testing.assert_allclose(n, (x - mean) / np.sqrt(var + 1e-5) * s + b, rtol=1e-5, atol=1e-6)
    big = np.array([[1e38, -1e38, 1e38]], np.float32)
    np.testing.assert_array_equal(reference(one("softmax", [[1, 3]]), big), np.float32([[0.5, 0, 0.5]]))
    sg = one("layer_norm", [[2, 3, 4], [2, 4], [2, 4]], {"axis": [0, 2]})
    x, s, b = drawn(sg)
    centred = x - x.mean((0, 2), keepdims=True)
    wanted = (
        centred / np.sqrt(np.square(centred).mean((0, 2), keepdims=True) + 1e-5) * s[:, None] + b[:, None]
    )
    np.testing.assert_allclose(reference(sg, x, s, b), wanted, rtol=1e-4, atol=1e-5)


def test_movement() -> None:
    sg = graph(
        {"x": [3, 4]},
        ("t", "transpose", ["x"], {"perm": [1, 0]}),
        ("p", "pad", ["t"], {"pads": [[1, 0], [0, 2]], "value": 7}),
        ("s", "slice", ["p"], {"starts": [None, 3], "steps": [-2, -1]}),
        ("c", "concat", ["s", "s"], {"axis": 1}),
        ("e", "expand_dims", ["c"], {"axes": [1]}),
        ("r", "reshape", ["e"], {"shape": [-1, 3]}),
        outputs=["r", "t"],
    )
    x = np.arange(12, dtype=np.float32).reshape(3, 4)
    r, t = reference(sg, x)
    padded = np.pad(x.T, [(1, 0), (0, 2)], constant_values=7)[::-2, 3::-1]
    np.testing.assert_array_equal(r, np.concatenate([padded, padded], 1).reshape(-1, 3))
    np.testing.assert_array_equal(t, x.T)
    t[0, 0] = 99
    assert x[0, 0] == 0 and t.flags.c_contiguous


def test_ranks_of_zero() -> None:
    sg = graph(
        {"x": [], "w": [2]},
        ("y", "add", ["x", 2]),
        ("r", "reduce_sum", ["y"]),
        ("z", "mul", ["w", "r"]),
        outputs=["y", "r", "z"],
    )
    y, r, z = reference(sg, np.float32(1), np.float32([1, 2]))
    assert y.shape == () and y == 3 and r == 3
    np.testing.assert_array_equal(z, [3, 6])


def test_wide_rounds_once_at_the_end() -> None:
    sg = graph({"x": [1]}, ("a", "add", ["x", 1.0]), ("b", "sub", ["a", 1.0]), outputs=["b"])
    x = np.float32([1e-9])
    assert reference(sg, x)[0] == np.float32(1.000000082740371e-09)
    assert evaluate(sg, [x], wide=False)[0][0] == 0


def test_arrays_that_do_not_fit() -> None:
    sg = one("add", [[3], [3]])
    x = np.zeros(3, np.float32)
    for arrays in ((x,), (x, x, x), (x, x.astype(np.float64)), (x, np.zeros(4, np.float32))):
        with pytest.raises(BadCall):
            reference(sg, *arrays)
    np.testing.assert_array_equal(reference(sg, x, np.zeros(6, np.float32)[::2]), x)


@given(subgraphs())
def test_any_subgraph_evaluates_to_its_shapes_and_types(made: dict[str, Any]) -> None:
    sg = Subgraph.from_dict(made)
    arrays = drawn(sg)
    kept = [array.copy() for array in arrays]
    for wide in (True, False):
        for name, found in zip(sg.outputs, evaluate(sg, arrays, wide=wide), strict=True):
            assert (found.shape, found.dtype) == (sg.tensor(name).shape, sg.tensor(name).dtype)
            assert found.flags.c_contiguous and found.flags.owndata
    for array, before in zip(arrays, kept, strict=True):
        np.testing.assert_array_equal(array, before)
