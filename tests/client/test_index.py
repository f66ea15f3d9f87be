"""Index algebra against brute force: every form means at every point what Python's own arithmetic says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansord_client.expr import Load
from ansord_client.grammar import parse
from ansord_client.index import Index, Quotient, Remainder
from ansord_client.ops.elaborate import elaborate

Values = Mapping[str, int]
RANGES = {"i": (0, 4), "j": (-2, 1), "k": (0, 6)}
POINTS = [
    dict(zip(RANGES, point, strict=True)) for point in product(*(range(a, b + 1) for a, b in RANGES.values()))
]


@dataclass(frozen=True)
class Pair:
    """A form and, written beside it, what it has to mean."""

    form: Index
    mean: Callable[[Values], int]

    def __repr__(self) -> str:
        return repr(str(self.form))


def constant(value: int) -> Pair:
    return Pair(Index.of(value), lambda at: value)


def axis(name: str) -> Pair:
    return Pair(Index.of(name), lambda at: at[name])


def plus(a: Pair, b: Pair) -> Pair:
    return Pair(a.form + b.form, lambda at: a.mean(at) + b.mean(at))


def minus(a: Pair, b: Pair) -> Pair:
    return Pair(a.form - b.form, lambda at: a.mean(at) - b.mean(at))


def times(a: Pair, factor: int) -> Pair:
    return Pair(a.form * factor, lambda at: a.mean(at) * factor)


def over(a: Pair, divisor: int) -> Pair:
    return Pair(a.form // divisor, lambda at: a.mean(at) // divisor)


def rest(a: Pair, divisor: int) -> Pair:
    return Pair(a.form % divisor, lambda at: a.mean(at) % divisor)


def grown(pairs: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
    sums = st.builds(plus, pairs, pairs) | st.builds(minus, pairs, pairs)
    divisor = st.integers(1, 7)
    divided = st.builds(over, pairs, divisor) | st.builds(rest, pairs, divisor)
    return sums | divided | st.builds(times, pairs, st.integers(-6, 6))


FORMS = st.recursive(st.builds(constant, st.integers(-20, 20)) | st.sampled_from([*map(axis, RANGES)]), grown)

i, j, k = (Index.of(name) for name in "ijk")


@given(FORMS)
def test_arithmetic(pair: Pair) -> None:
    for at in POINTS:
        assert pair.form.evaluate(at) == pair.mean(at)


@given(FORMS)
def test_text_is_python(pair: Pair) -> None:
    """Floor division, remainder and precedence are Python's and the grammar's alike."""
    code = compile(str(pair.form), "form", "eval")
    for at in POINTS[::7]:
        assert eval(code, {}, dict(at)) == pair.mean(at)


@given(FORMS)
def test_the_grammar_reads_text_back(pair: Pair) -> None:
    shifted = pair.form + 10**9
    statement = parse(f"y[i,j,k] = x[{shifted}]")
    body = elaborate(statement, (5, 4, 7), {}, {"x": (2 * 10**9,)}, "float32").body
    assert isinstance(body, Load)
    assert body.index == (shifted,)


@given(FORMS)
def test_simplify_keeps_the_value(pair: Pair) -> None:
    simple = pair.form.simplify(RANGES)
    for at in POINTS:
        assert simple.evaluate(at) == pair.mean(at)
    assert simple.axes <= pair.form.axes


@given(FORMS)
def test_interval_is_never_too_narrow(pair: Pair) -> None:
    values = [pair.mean(at) for at in POINTS]
    low, high = pair.form.interval(RANGES)
    assert low <= min(values) and high >= max(values)


@given(FORMS)
def test_interval_is_exact_within_the_limit_of_enumeration(pair: Pair) -> None:
    values = [pair.mean(at) for at in POINTS]
    assert pair.form.interval(RANGES) == (min(values), max(values))


@given(FORMS, FORMS, FORMS)
def test_substitute_all_at_once(pair: Pair, first: Pair, second: Pair) -> None:
    form = pair.form.substitute({"i": first.form, "j": second.form})
    for at in POINTS[::5]:
        there = {**at, "i": first.mean(at), "j": second.mean(at)}
        assert form.evaluate(at) == pair.mean(there)


@given(FORMS, FORMS)
def test_sums_commute_and_cancel(a: Pair, b: Pair) -> None:
    assert a.form + b.form == b.form + a.form
    assert hash(a.form + b.form) == hash(b.form + a.form)
    assert a.form - a.form == Index()


@given(FORMS, st.integers(1, 7))
def test_quotient_and_remainder_join(pair: Pair, divisor: int) -> None:
    assert (pair.form // divisor) * divisor + pair.form % divisor == pair.form


@given(FORMS)
def test_canonical(pair: Pair) -> None:
    """Sorted, no zero factor, no atom twice, remainders and quotients in lowest form."""
    atoms = [atom for atom, _ in pair.form.terms]
    assert len(set(atoms)) == len(atoms)
    assert all(factor for _, factor in pair.form.terms)
    assert Index.linear(pair.form.const, pair.form.terms) == pair.form
    for atom in atoms:
        if isinstance(atom, Quotient | Remainder):
            assert 0 <= atom.numerator.const < atom.divisor and atom.divisor > 1
            assert all(factor % atom.divisor for _, factor in atom.numerator.terms)


def test_parts() -> None:
    form = i * 3 - j + (i + k * 2) // 4 + 5
    assert form.axes == {"i", "j", "k"}
    assert form.divided == {"i", "k"}
    assert form.coefficient("i") == 3
    assert form.coefficient("j") == -1
    assert form.coefficient("k") == 0
    assert form.const == 5
    assert str(form) == "i*3-j+(i+k*2)//4+5"


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (Index(), "0"),
        (Index.of(-3), "-3"),
        (-i, "-i"),
        (i - 1, "i-1"),
        (i * 2 // 4, "(i*2)//4"),
        ((i // 2) * 3, "(i//2)*3"),
        ((i + 7) % 3, "(i+1)%3"),
        (i * 4 // 2, "i*2"),
        (i // 2 // 3, "i//6"),
        (i * 6 + j, "i*6+j"),
        (-(i // 2), "-(i//2)"),
        (j - i // 2, "j-i//2"),
        (-(i // 2) * 3 - j % 2, "-(i//2)*3-j%2"),
    ],
)
def test_text(form: Index, text: str) -> None:
    assert str(form) == text


def test_unravelled_offsets_become_plain() -> None:
    """What a reshape does to nested extents: (i·20 + j) over 3·4·5."""
    ranges = {"i": (0, 2), "j": (0, 19)}
    offset = i * 20 + j
    assert ((offset // 20) % 3).simplify(ranges) == i
    assert ((offset // 5) % 4).simplify(ranges) == j // 5
    assert (offset % 5).simplify(ranges) == j % 5
    assert (offset // 60).simplify(ranges) == Index()


def test_common_factors_leave_a_division() -> None:
    ranges = {"i": (0, 99), "j": (0, 3), "k": (0, 4)}
    assert ((i * 20 + k * 4 + j) // 40).simplify(ranges) == i // 2
    assert ((i * 20 + k * 4 + j) % 40).simplify(ranges) == (i % 2) * 20 + k * 4 + j
    assert ((i * 20 + j + 4) // 40).simplify(ranges) == i // 2


def test_what_a_remainder_takes_off() -> None:
    assert i - i % 4 == (i // 4) * 4
    assert i * 6 + 3 - ((i * 2 + 1) % 4) * 3 == ((i * 2 + 1) // 4) * 12


@pytest.mark.parametrize("divisor", [0, -1])
def test_divisors_are_positive(divisor: int) -> None:
    with pytest.raises(ValueError, match="not positive"):
        _ = i // divisor
    with pytest.raises(ValueError, match="not positive"):
        _ = i % divisor


def test_large_extents_stay_bounded() -> None:
    """Beyond enumeration the interval may be wide, but it is never narrow and takes no time."""
    ranges = {"i": (0, 2**31), "j": (0, 2**31)}
    low, high = ((i * 6 + j * 4) % 9 + i).interval(ranges)
    assert low <= 0 and high >= 2**31
    assert (i * 2**20 + j).interval(ranges) == (0, 2**51 + 2**31)
    assert ((i * 6) % 9).interval(ranges) == (0, 6)


def test_an_axis_without_a_value() -> None:
    with pytest.raises(KeyError):
        i.evaluate({})
