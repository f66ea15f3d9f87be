"""Index algebra: integer-linear forms over loop axes, closed under floor division and remainder.

Used by the `compute` grammar, the shape checks, the dag and the C emitter. All arithmetic is exact
(Python integers); nothing here knows about tensors or C.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import gcd, prod

Ranges = Mapping[str, tuple[int, int]]
"""Inclusive bounds of each axis."""

ENUMERATED = 4096
"""Points up to which `interval` tries them all where arithmetic on bounds would not be exact."""


@dataclass(frozen=True)
class Quotient:
    """`numerator // divisor`, rounded towards minus infinity; the divisor is positive."""

    numerator: Index
    divisor: int

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash(("//", self.numerator, self.divisor))

    def __str__(self) -> str:
        return self._text

    @cached_property
    def _text(self) -> str:
        return f"{_grouped(self.numerator)}//{self.divisor}"


@dataclass(frozen=True)
class Remainder:
    """`numerator % divisor`, in 0 … divisor - 1; the divisor is positive."""

    numerator: Index
    divisor: int

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash(("%", self.numerator, self.divisor))

    def __str__(self) -> str:
        return self._text

    @cached_property
    def _text(self) -> str:
        return f"{_grouped(self.numerator)}%{self.divisor}"


Atom = str | Quotient | Remainder


@dataclass(frozen=True)
class Index:
    """`const + sum(coefficient * atom)` in canonical form: atoms sorted, no zero coefficient.

    Equal forms compare equal as far as the rules of this module see it; build with `Index.of` and the
    operators, never by hand. `str` prints what the `compute` grammar reads back.
    """

    const: int = 0
    terms: tuple[tuple[Atom, int], ...] = ()

    @staticmethod
    def of(value: int | str | Index) -> Index:
        """An integer, an axis name, or an Index as it is."""
        if isinstance(value, Index):
            return value
        if isinstance(value, str):
            return Index(0, ((value, 1),))
        return Index(value)

    @staticmethod
    def linear(const: int, terms: Iterable[tuple[Atom, int]]) -> Index:
        """The canonical form of a sum; atoms may repeat."""
        total: dict[Atom, int] = {}
        divided = False
        for atom, factor in terms:
            total[atom] = total.get(atom, 0) + factor
            divided = divided or isinstance(atom, Remainder)
        if divided:
            const, total = _join_divisions(const, total)
        kept = [(atom, factor) for atom, factor in total.items() if factor]
        return Index(const, tuple(sorted(kept, key=_order)))

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.const, self.terms))

    def __add__(self, other: int | str | Index) -> Index:
        other = Index.of(other)
        if not other.terms:
            return Index(self.const + other.const, self.terms)
        return Index.linear(self.const + other.const, (*self.terms, *other.terms))

    __radd__ = __add__

    def __mul__(self, factor: int) -> Index:
        if factor == 0:
            return Index()
        return Index(self.const * factor, tuple((atom, coef * factor) for atom, coef in self.terms))

    __rmul__ = __mul__

    def __neg__(self) -> Index:
        return self * -1

    def __sub__(self, other: int | str | Index) -> Index:
        return self + -Index.of(other)

    def __rsub__(self, other: int | str) -> Index:
        return Index.of(other) - self

    def __floordiv__(self, divisor: int) -> Index:
        whole, rest = self._divide(divisor)
        if not rest.terms:
            return whole
        if len(rest.terms) == 1 and rest.const == 0:
            atom, factor = rest.terms[0]
            if isinstance(atom, Quotient) and factor == 1:
                return whole + atom.numerator // (atom.divisor * divisor)
        return whole + Index(0, ((Quotient(rest, divisor), 1),))

    def __mod__(self, divisor: int) -> Index:
        _, rest = self._divide(divisor)
        if not rest.terms:
            return rest
        return Index(0, ((Remainder(rest, divisor), 1),))

    def _divide(self, divisor: int) -> tuple[Index, Index]:
        """self = whole * divisor + rest, taking out whatever is a multiple term by term."""
        if divisor <= 0:
            raise ValueError(f"divisor {divisor} is not positive")
        whole = [(atom, factor // divisor) for atom, factor in self.terms if factor % divisor == 0]
        rest = tuple((atom, factor) for atom, factor in self.terms if factor % divisor)
        return Index(self.const // divisor, tuple(whole)), Index(self.const % divisor, rest)

    def substitute(self, values: Mapping[str, int | str | Index]) -> Index:
        """Replaces axes by other forms, all at once."""
        if not self.terms or not (self.axes & values.keys()):
            return self
        return self._rebuild(lambda axis: Index.of(values.get(axis, axis)), None)

    def simplify(self, ranges: Ranges) -> Index:
        """The same value for every axis inside `ranges`, with divisions that cannot matter removed."""
        if all(isinstance(atom, str) for atom, _ in self.terms):
            return self
        return self._rebuild(Index.of, ranges)

    def _rebuild(self, axis: Callable[[str], Index], ranges: Ranges | None) -> Index:
        const, terms = self.const, list[tuple[Atom, int]]()
        for atom, factor in self.terms:
            if isinstance(atom, str):
                part = axis(atom)
            else:
                numerator = atom.numerator._rebuild(axis, ranges)
                part = _divided(atom, numerator, ranges)
            const += part.const * factor
            terms += [(inner, coef * factor) for inner, coef in part.terms]
        return Index.linear(const, terms)

    def interval(self, ranges: Ranges) -> tuple[int, int]:
        """Inclusive bounds, never too narrow.

        Exact where every axis stands in one plain term or quotient, and else as long as the axes that meet
        in several terms or in a remainder have at most `ENUMERATED` points together.
        """
        low = high = self.const
        for terms in _independent(self.terms):
            first, last = _joint_interval(terms, ranges)
            low += first
            high += last
        return low, high

    @cached_property
    def axes(self) -> frozenset[str]:
        """The names of all axes inside, divisions included."""
        names: set[str] = set()
        for atom, _ in self.terms:
            names |= {atom} if isinstance(atom, str) else atom.numerator.axes
        return frozenset(names)

    def coefficient(self, axis: str) -> int:
        """The factor of `axis` as a plain term; 0 where it stands only inside divisions or nowhere."""
        return next((factor for atom, factor in self.terms if atom == axis), 0)

    @cached_property
    def divided(self) -> frozenset[str]:
        """The axes that stand inside a division or remainder."""
        inner = (atom.numerator.axes for atom, _ in self.terms if not isinstance(atom, str))
        return frozenset().union(*inner)

    def evaluate(self, values: Mapping[str, int]) -> int:
        """The integer at one point.

        :raises KeyError: an axis without a value.
        """
        total = self.const
        for atom, factor in self.terms:
            if isinstance(atom, str):
                total += factor * values[atom]
            elif isinstance(atom, Quotient):
                total += factor * (atom.numerator.evaluate(values) // atom.divisor)
            else:
                total += factor * (atom.numerator.evaluate(values) % atom.divisor)
        return total

    def __str__(self) -> str:
        parts: list[str] = []
        for atom, factor in self.terms:
            text = str(atom) if factor == 1 or (factor == -1 and parts) else _factor(atom)
            text += f"*{abs(factor)}" if abs(factor) != 1 else ""
            sign = "-" if factor < 0 else "+" if parts else ""
            parts.append(f"{sign}{text}")
        if self.const or not parts:
            parts.append(f"+{self.const}" if self.const >= 0 and parts else str(self.const))
        return "".join(parts)


def _order(term: tuple[Atom, int]) -> tuple[bool, str]:
    atom = term[0]
    return (False, atom) if isinstance(atom, str) else (True, atom._text)


def _grouped(index: Index) -> str:
    single = len(index.terms) == 1 and not index.const and index.terms[0][1] == 1
    return str(index) if single and isinstance(index.terms[0][0], str) else f"({index})"


def _factor(atom: Atom) -> str:
    return atom if isinstance(atom, str) else f"({atom})"


def _divided(atom: Quotient | Remainder, numerator: Index, ranges: Ranges | None) -> Index:
    """The atom over another numerator; with ranges, without what cannot matter inside them."""
    divisor = atom.divisor
    if ranges is None:
        return numerator // divisor if isinstance(atom, Quotient) else numerator % divisor
    whole, rest = numerator._divide(divisor)
    low, high = rest.interval(ranges)
    if low // divisor == high // divisor:
        shift = low // divisor
        return whole + shift if isinstance(atom, Quotient) else rest - shift * divisor
    common, big, small = _coarse(rest, divisor, ranges)
    if common == 1:
        return numerator // divisor if isinstance(atom, Quotient) else numerator % divisor
    if isinstance(atom, Quotient):
        return whole + _divided(Quotient(big, divisor // common), big, ranges)
    return _divided(Remainder(big, divisor // common), big, ranges) * common + small


def _coarse(rest: Index, divisor: int, ranges: Ranges) -> tuple[int, Index, Index]:
    """rest = common * big + small with 0 <= small < common, a factor of the divisor; else 1, rest, 0."""
    terms = sorted(rest.terms, key=lambda term: abs(term[1]))
    for split in range(len(terms) - 1, -1, -1):
        common = gcd(divisor, *(factor for _, factor in terms[split:]))
        small = Index.linear(rest.const % common, terms[:split])
        low, high = small.interval(ranges)
        if common > 1 and low >= 0 and high < common:
            big = [(atom, factor // common) for atom, factor in terms[split:]]
            return common, Index.linear(rest.const // common, big), small
    return 1, rest, Index()


def _join_divisions(const: int, total: dict[Atom, int]) -> tuple[int, dict[Atom, int]]:
    """k·d·(x//d) + k·(x%d) is k·x, and k·x - k·(x%d) is k·d·(x//d), until nothing joins."""
    joined = True
    while joined:
        joined = False
        for atom in [atom for atom in total if isinstance(atom, Remainder)]:
            factor = total[atom]
            if not factor:
                continue
            numerator, divisor = atom.numerator, atom.divisor
            quotient = numerator // divisor
            if _absorbed(total, quotient, factor * divisor):
                total[atom] = 0
                const += factor * (numerator.const - divisor * quotient.const)
                _add(total, numerator, factor)
                joined = True
            elif _absorbed(total, numerator, -factor):
                total[atom] = 0
                const += factor * (numerator.const - divisor * quotient.const)
                _add(total, quotient, -factor * divisor)
                joined = True
    return const, total


def _absorbed(total: dict[Atom, int], form: Index, factor: int) -> bool:
    """Takes factor·form, but for its constant, out of the sum, if it stands there term by term."""
    if not all(total.get(atom) == factor * coef for atom, coef in form.terms):
        return False
    for atom, _ in form.terms:
        total[atom] = 0
    return True


def _add(total: dict[Atom, int], form: Index, factor: int) -> None:
    for atom, coef in form.terms:
        total[atom] = total.get(atom, 0) + factor * coef


def _independent(terms: Iterable[tuple[Atom, int]]) -> list[list[tuple[Atom, int]]]:
    """The terms in groups that share no axis."""
    groups: list[tuple[frozenset[str], list[tuple[Atom, int]]]] = []
    for atom, factor in terms:
        axes, group = frozenset([atom]) if isinstance(atom, str) else atom.numerator.axes, [(atom, factor)]
        apart = []
        for other in groups:
            if other[0] & axes:
                axes, group = other[0] | axes, other[1] + group
            else:
                apart.append(other)
        groups = [*apart, (axes, group)]
    return [group for _, group in groups]


def _joint_interval(terms: list[tuple[Atom, int]], ranges: Ranges) -> tuple[int, int]:
    """Bounds of a sum whose terms share axes."""
    bounds = [(_atom_interval(atom, ranges), factor) for atom, factor in terms]
    if len(terms) > 1 or not bounds[0][0][2]:
        form = Index.linear(0, terms)
        names = sorted(form.axes)
        spans = [range(ranges[name][0], ranges[name][1] + 1) for name in names]
        if prod(map(len, spans)) <= ENUMERATED:
            values = [form.evaluate(dict(zip(names, point, strict=True))) for point in product(*spans)]
            return min(values), max(values)
    ends = [(factor * low, factor * high) for (low, high, _), factor in bounds]
    return sum(map(min, ends)), sum(map(max, ends))


def _atom_interval(atom: Atom, ranges: Ranges) -> tuple[int, int, bool]:
    """Bounds, and whether trying all points could not narrow them."""
    if isinstance(atom, str):
        return *ranges[atom], True
    numerator, divisor = atom.numerator, atom.divisor
    low, high = numerator.interval(ranges)
    if isinstance(atom, Quotient):
        return low // divisor, high // divisor, True
    if low // divisor == high // divisor:
        return low % divisor, high % divisor, True
    common = gcd(divisor, *(factor for _, factor in numerator.terms))
    least = numerator.const % common
    single = len(numerator.terms) == 1 and isinstance(numerator.terms[0][0], str)
    full = single and high - low >= abs(numerator.terms[0][1]) * (divisor // common - 1)
    return least, divisor - common + least, full
