"""The rule of "equals the reference": what it lets pass and what it catches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.typing import NDArray

from ansord_client.compare import KINDS, answers, draws, inputs, judge
from ansord_client.compare.exact import grains, largest
from ansord_client.compare.jumps import jumps
from ansord_client.reference import evaluate
from ansord_client.subgraph import Subgraph
from tests.client.graphs import drawn, graph, one
from tests.strategies import subgraphs

Array = NDArray[Any]


def test_draws_depend_on_the_seed_alone() -> None:
    sg = one("add", [[3], [3]])
    for kind in KINDS:
        for first, second in zip(drawn(sg, kind), drawn(sg, kind), strict=True):
            np.testing.assert_array_equal(first, second)
    assert not np.array_equal(drawn(sg, "normal")[0], inputs(sg, 1, "normal")[0])  # type: ignore[index]
    assert [kind for kind, _ in draws(sg, 0)] == list(KINDS)


def test_draws_cover_the_types() -> None:
    sg = graph(
        {"f": [100], "i": ([1000], "int8"), "u": ([1000], "uint8"), "b": ([100], "bool")}, ("y", "neg", ["f"])
    )
    f, i, u, b = drawn(sg, "normal")
    assert (
        f.dtype == np.float32
        and i.min() == -128
        and i.max() == 127
        and u.max() == 255
        and b.any()
        and not b.all()
    )
    f, i, u, b = drawn(sg, "integer")
    assert set(np.abs(f)) <= set(range(1, 9)) and f.min() < 0 and u.min() > 0 and u.max() <= 8
    f, *_ = drawn(sg, "special")
    assert np.isnan(f).sum() == 1 and np.isinf(f).sum() == 2


def test_draws_of_scalars_are_arrays() -> None:
    inputs_of = {f"{name}_": ([], name) for name in ("float32", "float64", "int8", "uint8", "int64", "bool")}
    sg = graph(inputs_of, ("y", "sqrt", ["float32_"]), ("z", "neg", ["float64_"]), outputs=["y", "z"])
    for seed in range(4):
        for _, arrays in draws(sg, seed):
            for array, known in zip(arrays, sg.inputs, strict=True):
                assert isinstance(array, np.ndarray) and array.shape == () and array.dtype == known.dtype
    special = [inputs(one("neg", [[]]), seed, "special") for seed in range(9)]
    assert not all(np.isfinite(arrays[0]) for arrays in special if arrays is not None)


def test_inputs_below_zero_only_where_they_mean_something() -> None:
    sg = graph(
        {"x": [50], "v": [50], "o": [50]},
        ("r", "reshape", ["x"], {"shape": [50]}),
        ("y", "sqrt", ["r"]),
        ("n", "batch_norm", ["o", "o", "o", "o", "v"]),
        outputs=["y", "n"],
    )
    x, v, o = drawn(sg, "normal")
    assert (x >= 0).all() and (v >= 0).all() and (o < 0).any()


def test_special_values_stay_out_of_weights() -> None:
    conv = graph({"x": [1, 9, 2], "w": [3, 2, 4]}, ("y", "conv1d", ["x", "w"]))
    for seed in range(5):
        arrays = inputs(conv, seed, "special")
        assert arrays is not None and np.isnan(arrays[0]).any() and np.isfinite(arrays[1]).all()
    assert inputs(graph({"i": ([3], "int8")}, ("y", "neg", ["i"])), 0, "special") is None


@pytest.mark.parametrize(
    ("sg", "grain"),
    [
        (one("conv2d", [[1, 5, 5, 8], [3, 3, 8, 4]]), 0),
        (graph({"x": [8]}, ("y", "mul", ["x", 0.25])), -2),
        (graph({"x": [8]}, ("y", "mul", ["x", 0.1])), None),
        (graph({"x": [8]}, ("m", "mul", ["x", 0.5]), ("y", "add", ["m", 0.25])), -2),
        (graph({"x": [8]}, ("m", "mul", ["x", 0.5]), ("y", "floor", ["m"])), -1),
        (one("reduce_mean", [[8]]), -3),
        (one("reduce_mean", [[9]]), None),
        (one("avg_pool", [[1, 8, 1]], {"kernel": 4}), -2),
        (one("avg_pool", [[1, 8, 1]], {"kernel": 4, "padding": 1}), None),
        (one("exp", [[8]]), None),
        (graph({"x": [8]}, ("e", "exp", ["x"]), ("y", "cast", ["e"], {"dtype": "int32"})), None),
        (graph({"x": [8]}, ("e", "exp", ["x"]), ("y", "less", ["e", 1])), None),
        (graph({"x": [8]}, ("y", "less", ["x", 1])), 0),
        (one("leaky_relu", [[8]]), None),
        (graph({"x": [8]}, ("y", "compute", ["x"], {"expr": "y[] += x[i]*0.5*x[i]", "shape": []})), -1),
        (graph({"x": [8]}, ("y", "compute", ["x"], {"expr": "y[] *= x[i]*0.5", "shape": []})), None),
        (graph({"x": [8]}, ("y", "compute", ["x"], {"expr": "y[i] = sqrt(x[i])", "shape": [8]})), None),
    ],
)
def test_grains(sg: Subgraph, grain: int | None) -> None:
    assert grains(sg)["y"] == grain


def test_long_sums_get_smaller_numbers() -> None:
    chain = graph(
        {"a": [4, 2048], "b": [2048, 2048], "c": [2048, 4]},
        ("m", "matmul", ["a", "b"]),
        ("y", "matmul", ["m", "c"]),
    )
    arrays = drawn(chain, "integer")
    assert 0 < largest(chain, arrays) <= 1 and max(float(np.abs(array).max()) for array in arrays) == 2
    for first, second in zip(*(evaluate(chain, arrays, wide=wide) for wide in (True, False)), strict=True):
        np.testing.assert_array_equal(first, second)
    product = one("reduce_prod", [[500]])
    assert set(np.abs(drawn(product, "integer")[0])) == {1}
    squares = [("s0", "mul", ["x", "x"]), *((f"s{i}", "mul", [f"s{i - 1}"] * 2) for i in range(1, 4))]
    assert set(np.abs(drawn(graph({"x": [9]}, *squares), "integer")[0])) <= {1, 2}
    tower = [("s0", "add", ["x", "x"]), *((f"s{i}", "add", [f"s{i - 1}"] * 2) for i in range(1, 40))]
    assert inputs(graph({"x": [9]}, *tower), 0, "integer") is None


def test_a_dropped_term_shows_however_long_the_sum() -> None:
    sg = one("matmul", [[4, 100_000], [100_000, 3]])
    a, b = drawn(sg, "integer")
    ref64, ref32 = answers(sg, (a, b))
    short = a[:, :-1] @ b[:-1]
    assert judge(sg, (a @ b,), ref64, ref32, "integer").ok
    verdict = judge(sg, (short,), ref64, ref32, "integer")
    assert not verdict.ok and "exactly" in verdict.message
    a, b = drawn(sg, "normal")
    ref64, ref32 = answers(sg, (a, b))
    assert judge(sg, (a @ b,), ref64, ref32).ok


def test_the_tolerance_is_that_of_the_rule() -> None:
    sg = one("reduce_sum", [[256]])
    wide, narrow = [np.float32(100)], [np.float32(100.25)]
    ref64, ref32 = [np.asarray(x) for x in wide], [np.asarray(x) for x in narrow]
    allowed = 4 * 0.25 + 8 * 2**-23 * 16 * 100
    for error, ok in (
        (allowed * 0.99, True),
        (allowed * 1.01, False),
        (-allowed * 0.99, True),
        (-allowed * 1.01, False),
    ):
        verdict = judge(sg, [np.asarray(np.float32(100 + error))], ref64, ref32)
        assert verdict.ok is ok and verdict.tolerance == pytest.approx(allowed)
        assert verdict.worst_error == pytest.approx(abs(error), rel=1e-4)


def test_classes_of_nan_and_infinity() -> None:
    sg = one("neg", [[6]])
    wide = np.float32([np.nan, np.inf, -np.inf, 1, np.inf, 5])
    narrow = np.float32([np.nan, np.inf, -np.inf, 1, np.nan, np.inf])
    good = np.float32([np.nan, np.inf, -np.inf, 1, 7, 9])
    assert judge(sg, [good], [wide], [narrow], "special").ok
    for place, value in (
        (0, 0.0),
        (0, np.inf),
        (1, -np.inf),
        (1, np.nan),
        (2, 3e38),
        (3, np.nan),
        (3, np.inf),
    ):
        bad = good.copy()
        bad[place] = value
        verdict = judge(sg, [bad], [wide], [narrow], "special")
        assert not verdict.ok and f"output y[{place}]" in verdict.message


def test_integers_and_bools_are_equal() -> None:
    for dtype in ("int32", "bool"):
        sg = one("equal", [[3], [3]], dtype="int32") if dtype == "bool" else one("neg", [[3]], dtype=dtype)
        wanted = np.array([0, 1, 1], dtype)
        assert judge(sg, [wanted], [wanted], [wanted]).ok
        assert not judge(sg, [np.array([0, 1, 0], dtype)], [wanted], [wanted]).ok
    sg = one("neg", [[3]])
    x = np.float32([1, 2, 3])
    assert not judge(sg, [x.astype(np.float64)], [x], [x]).ok and not judge(sg, [x[:2]], [x], [x]).ok


def quantised() -> Subgraph:
    return graph(
        {"x": [64, 300], "w": [300, 64]},
        ("m", "matmul", ["x", "w"]),
        ("s", "mul", ["m", 3.7]),
        ("f", "floor", ["s"]),
        ("q", "cast", ["f"], {"dtype": "int8"}),
        ("up", "greater", ["s", 0.25]),
        ("n", "cast", ["up"], {"dtype": "int32"}),
        ("count", "reduce_sum", ["n"]),
        ("mask", "where", ["up", "s", 0]),
        outputs=["q", "count", "mask"],
    )


def test_jumps_are_found() -> None:
    found = jumps(quantised())
    assert found.edges == ("s",) and found.behind == {"f", "q", "up", "n", "count", "mask"}
    plain = graph({"x": [8]}, ("r", "relu", ["x"]), ("g", "greater", ["r", 0]), ("y", "where", ["g", "x", 0]))
    assert not jumps(plain).edges and not jumps(plain).behind
    inner = graph(
        {"x": [8]}, ("y", "compute", ["x"], {"expr": "y[i] = select(x[i]*0.3 > 1, 1, x[i])", "shape": [8]})
    )
    assert jumps(inner).edges == ("x",)
    axes = graph(
        {"x": [8]},
        ("e", "exp", ["x"]),
        ("y", "compute", ["e"], {"expr": "y[i] = select(i > 2, 1, e[i])", "shape": [8]}),
    )
    assert not jumps(axes).behind


def test_behind_a_jump_a_rounding_error_may_tip_but_nothing_more() -> None:
    sg = quantised()
    x, w = drawn(sg, "normal")
    ref64, ref32 = answers(sg, (x, w))
    order = np.random.default_rng(5).permutation(300)
    shuffled = evaluate(sg, (np.ascontiguousarray(x[:, order]), np.ascontiguousarray(w[order])), wide=False)
    assert judge(sg, shuffled, ref64, ref32).ok
    assert judge(sg, ref32, ref64, ref32).ok
    for place in range(3):
        wrong = [array.copy() for array in ref64]
        wrong[place][...] += wrong[place].dtype.type(2 if place == 1 else 1)
        assert not judge(sg, wrong, ref64, ref32).ok


def test_an_inexact_end_does_not_loosen_an_exact_sum() -> None:
    sg = graph(
        {"x": [1, 4096]},
        ("s", "compute", ["x"], {"expr": "s[n] += x[n,i]*x[n,i]", "shape": [1]}),
        ("y", "sqrt", ["s"]),
    )
    arrays = drawn(sg, "integer")
    ref64, ref32 = answers(sg, arrays)
    normal, whole = judge(sg, ref32, ref64, ref32), judge(sg, ref32, ref64, ref32, "integer")
    assert normal.ok and whole.ok and whole.tolerance < normal.tolerance / 30


@settings(max_examples=60)
@given(subgraphs())
def test_the_reference_in_the_declared_types_is_right(made: dict[str, Any]) -> None:
    sg = Subgraph.from_dict(made)
    for kind, arrays in draws(sg, 3):
        ref64, ref32 = answers(sg, arrays)
        narrow = evaluate(sg, arrays, wide=False)
        for got in (ref64, narrow):
            verdict = judge(sg, got, ref64, ref32, kind)
            assert verdict.ok, (kind, verdict)
