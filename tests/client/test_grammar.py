"""The `compute` grammar: what parses, to what, and what does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansord_client.grammar import Access, Axis, GrammarError, Number, Part, parse


def shown(part: Part) -> str:
    """A tree with every level in parentheses."""
    if isinstance(part, Number):
        return repr(part.value)
    if isinstance(part, Axis):
        return part.name
    if isinstance(part, Access):
        return f"{part.tensor}[{','.join(map(shown, part.index))}]"
    return f"{part.op}({','.join(map(shown, part.args))})"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("x[i] + y[i]*2 - 1", "sub(add(x[i],mul(y[i],2)),1)"),
        ("x[i] - y[i] - z[i]", "sub(sub(x[i],y[i]),z[i])"),
        ("x[i]/y[i]*z[i]", "mul(div(x[i],y[i]),z[i])"),
        ("-x[i]*y[i]", "mul(neg(x[i]),y[i])"),
        ("2 - -x[i]", "sub(2,neg(x[i]))"),
        ("x[i*2 + 1, j//3 % 4]", "x[add(mul(i,2),1),mod(floordiv(j,3),4)]"),
        ("x[] + .5e1", "add(x[],5.0)"),
        ("1. + 2", "add(1.0,2)"),
        (
            "not x[i] < 1 and y[i] >= 2 or b[i]",
            "logical_or(logical_and(logical_not(less(x[i],1)),greater_equal(y[i],2)),b[i])",
        ),
        ("(x[i] == 1) != (y[i] == 2)", "not_equal(equal(x[i],1),equal(y[i],2))"),
        (
            "select(i % 2 == 0, max(x[i], 0), pow(x[i], 2))",
            "where(equal(mod(i,2),0),maximum(x[i],0),pow(x[i],2))",
        ),
        ("clip(gelu(x[i]), -1, 1)", "clip(gelu(x[i]),neg(1),1)"),
        ("x[x]", "x[x]"),
    ],
)
def test_values(text: str, wanted: str) -> None:
    assert shown(parse(f"y[i, j] = {text}").value) == wanted


@pytest.mark.parametrize(
    ("sign", "combiner"),
    [
        ("=", None),
        ("+=", "add"),
        ("*=", "mul"),
        ("max=", "maximum"),
        ("min =", "minimum"),
        (" max= ", "maximum"),
    ],
)
def test_assignments(sign: str, combiner: str | None) -> None:
    statement = parse(f"out [ n,h ]{sign}x[n,h]")
    assert (statement.target, statement.axes, statement.combiner) == ("out", ("n", "h"), combiner)
    assert parse(f"y[]{sign}x[k]").axes == ()


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 0),
        ("y", 1),
        ("y[i", 3),
        ("y[i] x", 5),
        ("y[i,i] = 1", 4),
        ("y[i] = ", 6),
        ("y[i] = x[i] x", 12),
        ("y[i] = x[i", 10),
        ("y[i] = 1 < 2 < 3", 13),
        ("y[i] = exp x", 11),
        ("y[i] = exp(1, 2)", 7),
        ("y[i] = select(1, 2)", 7),
        ("max[i] = 1", 0),
        ("y[i] = x[i]; import os", 11),
        ("y[i] = x.y", 8),
        ("y[i] == x[i]", 5),
        ("y[i] -= x[i]", 5),
        ("y[i] = x[i]**2", 12),
        ("y[i] = 1e999", 7),
        ("y[i] = ()", 8),
        ("y[i] = f(x)", 8),
        ("y[1] = 2", 2),
        ("y[i] = 'a'", 7),
        ("y[i] = x[i] @ y", 12),
        ("y[i] = é", 7),
        ("y[i] = " + "1" * 401, 7),
        ("y[i] = " + "x" * 65, 7),
        ("y[i] = x[:]", 9),
        ("y[i] = lambda: 1", 13),
    ],
)
def test_refusals_point_at_the_text(text: str, position: int) -> None:
    with pytest.raises(GrammarError) as caught:
        parse(text)
    assert caught.value.position == position


def test_depth_and_size_are_bounded() -> None:
    for text in (
        "(" * 100_000,
        "-" * 100_000,
        "not " * 50_000,
        "exp(" * 50_000,
        "x[" * 50_000,
        "1+" * 50_000 + "1",
    ):
        with pytest.raises(GrammarError):
            parse(f"y[i] = {text}")
    assert parse("y[i] = " + "(" * 60 + "1" + ")" * 60)
    assert parse("y[i] = " + "+".join(["x[i]"] * 60))
    with pytest.raises(GrammarError, match="levels"):
        parse("y[i] = " + "+".join(["x[i]"] * 70))
    with pytest.raises(GrammarError, match="parts"):
        parse("y[i] = max(" + ",".join("+".join(["x[i]"] * 60) for _ in range(7)) + ")")


WORDS = [
    "y",
    "x",
    "i",
    "j",
    "[",
    "]",
    "(",
    ")",
    ",",
    "+",
    "-",
    "*",
    "/",
    "//",
    "%",
    "==",
    "<",
    "and",
    "or",
    "not",
]
WORDS += ["=", "+=", "max=", "select", "max", "clip", "exp", "1", "2.5", " ", "$", "é", "\n", "0x1", "_"]


@given(st.lists(st.sampled_from(WORDS), max_size=30).map("".join))
def test_any_text_parses_or_is_refused(text: str) -> None:
    for whole in (text, f"y[i] = {text}"):
        try:
            parse(whole)
        except GrammarError as error:
            assert 0 <= error.position <= len(whole)
