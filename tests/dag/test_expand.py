"""Two meanings of every op hold each other: the dag by brute force and the NumPy reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansord.dag import EXPANSIONS, expand
from ansord_client.dtypes import DTYPES
from ansord_client.ops import TABLE
from ansord_client.reference import reference
from ansord_client.subgraph import Subgraph
from tests.dag.cases import FAMILIES, cases
from tests.dag.evaluate import Array, evaluate
from tests.dag.graphs import dag, node, subgraph

POSITIVE = {"log": (0,), "sqrt": (0,), "rsqrt": (0,), "pow": (0,), "div": (0, 1), "batch_norm": (4,)}
"""Args whose values are kept above 0, by op."""


def arrays(graph: Subgraph, seed: int, bound: int = 4) -> list[Array]:
    """Integers of every type up to `bound`, halves among the floats, extremes among the integers."""
    rng = np.random.default_rng(seed)
    made: list[Array] = []
    for place, given_input in enumerate(graph.inputs):
        row = DTYPES[given_input.dtype]
        low = 0 if row.kind in ("bool", "uint") else -bound
        values = rng.integers(low, 2 if row.kind == "bool" else bound + 1, given_input.shape)
        if row.kind == "float":
            values = values + rng.integers(0, 2, given_input.shape) * 0.5
            if place in POSITIVE.get(graph.nodes[0].op, ()):
                values = np.abs(values) + 0.5
        elif row.kind != "bool" and seed % 3 == 0:
            values = np.where(rng.random(given_input.shape) < 0.2, row.interval[rng.integers(2)], values)
        made.append(np.asarray(values).astype(given_input.dtype))
    return made


def compare(graph: Subgraph, given_arrays: list[Array]) -> None:
    wanted = reference(graph, *given_arrays)
    for got, want in zip(
        evaluate(expand(graph), given_arrays), wanted if isinstance(wanted, tuple) else (wanted,), strict=True
    ):
        assert got.shape == want.shape
        if want.dtype.kind != "f":
            assert got.dtype == want.dtype
            np.testing.assert_array_equal(got, want)
        else:
            eps = np.finfo(want.dtype).eps
            np.testing.assert_allclose(got.astype(want.dtype), want, rtol=8 * eps, atol=8 * eps)


def test_the_three_tables_have_the_same_ops() -> None:
    assert set(EXPANSIONS) == set(TABLE) == set(FAMILIES)


@pytest.mark.parametrize("op", sorted(FAMILIES))
def test_expansion_equals_reference(op: str) -> None:
    few = settings(max_examples=60 if "conv" in op or "pool" in op else 25)

    @few
    @given(cases(op), st.integers(0, 2**16))
    def check(graph: Subgraph, seed: int) -> None:
        compare(graph, arrays(graph, seed))

    check()


def test_numbers_that_are_not() -> None:
    """NaN passes through maxima and clips; infinities stay; a cast saturates."""
    special = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 3e38, -1.5, 1e10], np.float32)
    for each in (
        node("y", "relu", "x"),
        node("y", "clip", "x", min=-1, max=1),
        node("y", "clip", "x", max=1),
        node("y", "maximum", "x", 0.0),
        node("y", "minimum", "x", 0.0),
        node("y", "abs", "x"),
        node("y", "exp", "x"),
        node("y", "leaky_relu", "x"),
        node("y", "cast", "x", dtype="int32"),
        node("y", "cast", "x", dtype="uint8"),
        node("y", "cast", "x", dtype="bool"),
        node("y", "reduce_max", "x"),
        node("y", "softmax", "x"),
    ):
        compare(subgraph({"x": (8,)}, each), [special])


def test_padding_outside_a_maximum_never_wins() -> None:
    pool = node("y", "max_pool", "x", kernel=3, stride=1, padding=1)
    for dtype, low in (("float32", -np.inf), ("int8", -128), ("int64", -(2**63))):
        graph = subgraph({"x": (1, 3, 3, 1)}, pool, dtypes={"x": dtype})
        compare(graph, [np.full((1, 3, 3, 1), low, dtype)])


def text(*nodes: dict[str, Any], **inputs: tuple[int, ...]) -> list[str]:
    return [str(stage) for stage in dag(inputs, *nodes).stages]


def test_convolution() -> None:
    nodes = node("y", "conv2d", "x", "w", stride=2, padding=1)
    assert text(nodes, x=(1, 56, 56, 64), w=(3, 3, 64, 128)) == [
        "s0[i, j, k, l] = where(((j >= 1) and (k >= 1)), a0[0, j-1, k-1, l], 0.0)    (i 1, j 57, k 57, l 64)",
        "s1[0, h, w, o] = add(kh 3, kw 3, c 64) (s0[0, h*2+kh, kw+w*2, c] * a1[kh, kw, c, o])"
        "    (h 28, w 28, o 128)",
    ]


def test_nothing_is_padded_that_is_not_read() -> None:
    """A stride of 2 skips the padded row after; a 1x1 kernel needs none at all."""
    assert len(text(node("y", "conv2d", "x", "w", stride=2), x=(1, 7, 7, 4), w=(1, 1, 4, 8))) == 1
    padded, _ = dag(
        {"x": (1, 8, 8, 4), "w": (3, 3, 4, 8)}, node("y", "conv2d", "x", "w", stride=2, padding=1)
    ).stages
    assert padded.tensor.shape == (1, 9, 9, 4)


def test_grouped_and_depthwise() -> None:
    grouped = text(node("y", "conv1d", "x", "w", groups=4), x=(2, 9, 8), w=(3, 2, 12))
    assert grouped == [
        "s0[n, w, g*3+o] = add(kw 3, c 2) (a0[n, kw+w, c+g*2] * a1[kw, c, g*3+o])    (n 2, w 7, g 4, o 3)"
    ]
    depthwise = text(node("y", "conv1d", "x", "w", groups=8), x=(2, 9, 8), w=(3, 1, 8))
    assert depthwise == ["s0[n, w, g] = add(kw 3) (a0[n, kw+w, g] * a1[kw, 0, g])    (n 2, w 7, g 8)"]


def test_transposed_by_phases() -> None:
    """Two taps of four for each phase, no zero between the data."""
    nodes = node("y", "conv1d_transpose", "x", "w", stride=2, padding=1)
    padded, only = text(nodes, x=(1, 8, 4), w=(4, 4, 6))
    assert padded == "s0[i, j, k] = where(((j >= 1) and (j < 9)), a0[0, j-1, k], 0.0)    (i 1, j 10, k 4)"
    assert only == (
        "s1[0, pw+w*2, o] = add(kw 2, c 4) (s0[0, -kw+w+(pw+1)//2+1, c] * a1[kw*2+(pw+1)%2, c, o])"
        "    (pw 2, w 8, o 6)"
    )


def test_eight_bits_multiply_in_thirty_two() -> None:
    graph = dag({"a": (2, 3), "b": (3, 2)}, node("y", "matmul", "a", "b"), dtypes={"a": "int8", "b": "int8"})
    assert str(graph.stages[0].body) == "(cast_int32(a0[i, k]) * cast_int32(a1[k, j]))"
    assert graph.stages[0].tensor.dtype == "int32"


def test_a_reduction_over_single_points_is_a_map() -> None:
    only = dag({"x": (1, 7, 7, 1), "w": (1, 1, 1, 8)}, node("y", "conv2d", "x", "w")).stages[0]
    assert only.combiner is None and only.reduce == ()
    flat = dag({"x": (5, 1)}, node("y", "reduce_sum", "x", axes=1)).stages[0]
    assert str(flat) == "s0[i] = a0[i, 0]    (i 5)"


def test_names_of_the_file_never_enter() -> None:
    nodes = node("secret", "matmul", "alpha", "beta"), node("output", "relu", "secret")
    assert "secret" not in str(dag({"alpha": (3, 4), "beta": (4, 5)}, *nodes))


def test_equal_keys_give_equal_dags() -> None:
    """Order of nodes, names and dead nodes do not matter."""
    inputs = {"x": (3, 4), "y": (3, 4)}
    a, b, both = node("a", "relu", "x"), node("b", "neg", "y"), node("z", "add", "b", "a")
    other = node("q", "relu", "x"), node("p", "neg", "y"), node("r", "add", "p", "q")
    dead = node("dead", "exp", "x")
    first = subgraph(inputs, a, b, both)
    second = subgraph(inputs, dead, *other, outputs=["r"])
    assert first.key == second.key
    assert expand(first) == expand(second)
    assert str(expand(first)) == str(expand(second))


def test_many_args_stay_shallow() -> None:
    """256 tensors joined: a tree of choices, not a chain that exhausts the stack."""
    inputs = {f"x{place}": (1, 2) for place in range(256)}
    graph = subgraph(inputs, node("y", "concat", *inputs, axis=0))
    compare(graph, arrays(graph, 1))


def test_expanding_is_quick() -> None:
    """256 nodes, the most that a file may have."""
    nodes = [node("n0", "neg", "x")] + [node(f"n{p}", "exp", f"n{p - 1}") for p in range(1, 256)]
    graph = dag({"x": (4, 4)}, *nodes)
    assert len(graph.stages) == 256


def test_a_sum_of_one_product_is_never_minus_zero() -> None:
    graph = subgraph({"x": (2, 1), "w": (1, 2)}, node("y", "matmul", "x", "w"), outputs=("y",))
    given_arrays = [np.zeros((2, 1), np.float32), np.full((1, 2), -1, np.float32)]
    (found,) = evaluate(expand(graph), given_arrays)
    assert not np.signbit(found).any() and not np.signbit(reference(graph, *given_arrays)).any()
