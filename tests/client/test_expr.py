"""Expression values: substitution against evaluation, sharing, order of reads, text."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansord_client.expr import (
    OPERATIONS,
    AxisValue,
    Call,
    Const,
    Expr,
    Load,
    at,
    loads,
    rewrite,
    walk,
)
from ansord_client.index import Index

i, j = Index.of("i"), Index.of("j")


def load(*index: Index, tensor: str = "x") -> Load:
    return Load(tensor, index, "int64")


def value(expr: Expr, point: Mapping[str, int]) -> int:
    """The expression over the tensor x[a, b] = 10·a + b, in Python's integers."""
    if isinstance(expr, Const):
        return int(expr.value)
    if isinstance(expr, Load):
        first, second = (part.evaluate(point) for part in expr.index)
        return 10 * first + second
    if isinstance(expr, AxisValue):
        return expr.index.evaluate(point)
    args = [value(arg, point) for arg in expr.args]
    if expr.op == "where":
        return args[1] if args[0] else args[2]
    binary = {"add": int.__add__, "sub": int.__sub__, "mul": int.__mul__, "less": int.__lt__}
    return int(binary[expr.op](*args))


INDEX = st.builds(lambda a, b, c: i * a + j * b + c, *[st.integers(-3, 3)] * 3)
LEAVES = (
    st.builds(lambda n: Const(n, "int64"), st.integers(-5, 5))
    | st.builds(load, INDEX, INDEX)
    | st.builds(AxisValue, INDEX)
)


def grown(parts: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    ops = st.sampled_from(["add", "sub", "mul", "less"])
    pairs = st.builds(lambda op, a, b: Call(op, (a, b), "int64"), ops, parts, parts)
    choices = st.builds(lambda c, a, b: Call("where", (c, a, b), "int64"), parts, parts, parts)
    return pairs | choices


EXPRS = st.recursive(LEAVES, grown, max_leaves=12)


@given(EXPRS, INDEX, INDEX, st.integers(-4, 4), st.integers(-4, 4))
def test_substitution_is_evaluation_elsewhere(
    expr: Expr, first: Index, second: Index, a: int, b: int
) -> None:
    here = {"i": a, "j": b}
    there = {"i": first.evaluate(here), "j": second.evaluate(here)}
    assert value(at(expr, {"i": first, "j": second}), here) == value(expr, there)


@given(EXPRS)
def test_untouched_trees_are_shared(expr: Expr) -> None:
    assert at(expr, {"other": i}) == expr
    assert rewrite(expr, lambda leaf: leaf) is expr


@given(EXPRS)
def test_loads_are_those_met_by_walking(expr: Expr) -> None:
    met = [node for node in walk(expr) if isinstance(node, Load)]
    assert list(loads(expr)) == sorted(set(met), key=met.index)
    assert list(walk(expr))[-1] is expr


@given(EXPRS, EXPRS)
def test_equal_values_hash_alike(one: Expr, other: Expr) -> None:
    copy = rewrite(one, lambda leaf: at(leaf, {"i": Index.of("i")}))
    assert copy == one and hash(copy) == hash(one)
    assert len({one, copy, other}) == (1 if one == other else 2)


def test_only_the_changed_branch_is_new() -> None:
    left, right = Call("neg", (load(i, i),), "int64"), Call("abs", (load(j, j),), "int64")
    both = Call("add", (left, right), "int64")
    moved = at(both, {"j": j + 1})
    assert isinstance(moved, Call)
    assert moved.args[0] is left
    assert moved.args[1] == Call("abs", (load(j + 1, j + 1),), "int64")


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        (Const(0.5, "float32"), "0.5"),
        (Const(3, "int32"), "3"),
        (load(i, j + 1), "x[i, j+1]"),
        (AxisValue(i * 2), "i*2"),
        (Call("add", (load(i, j), Const(1, "int64")), "int64"), "(x[i, j] + 1)"),
        (Call("cast", (load(i, j),), "float32"), "cast_float32(x[i, j])"),
        (Call("less", (AxisValue(i), Const(4, "int64")), "bool"), "(i < 4)"),
        (Call("maximum", (load(i, i), load(j, j)), "int64"), "maximum(x[i, i], x[j, j])"),
    ],
)
def test_text(expr: Expr, text: str) -> None:
    assert str(expr) == text


def test_the_operations_are_all_named_once() -> None:
    assert {"add", "where", "cast", "clip", "leaky_relu", "gelu_tanh", "not_equal"} <= OPERATIONS
    assert len(OPERATIONS) == 6 + 3 + 7 + 17 + 4
