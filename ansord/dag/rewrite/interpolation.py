"""Fast correlation by interpolation (Toom and Cook; Winograd 1980): the three small matrices, and their sums.

m results of a correlation with r taps take m + r - 1 products: y = inverse ((weights w) * (forward x)). Each
row stands for a point at which polynomials are evaluated, the last for infinity.

Exact fractions; expressions leave zeros out, and share what a point and its negative have in common.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from ansord_client.expr import Call, Const, Expr

Row = tuple[Fraction, ...]
Matrix = tuple[Row, ...]

POINTS: Mapping[int, tuple[Fraction, ...]] = {
    3: (Fraction(0), Fraction(1)),
    4: (Fraction(0), Fraction(1), Fraction(-1)),
    5: (Fraction(0), Fraction(1), Fraction(-1), Fraction(-1, 2)),
    6: (Fraction(0), *(sign * value for value in (Fraction(2, 3), Fraction(3, 2)) for sign in (1, -1))),
}
"""Finite points by number of products. For six, 2/3 and 3/2 leave a quarter to a tenth of the rounding error
of the usual 1 and 2 (measured in one to three dimensions; powers stay near 1, and their product is 1). For
five, -1/2 leaves six tenths of that of 2 (two dimensions, two taps, 256 channels)."""


@dataclass(frozen=True)
class Interpolation:
    """The matrices: forward [a, a], weights [a, r], inverse [m, a], with a = m + r - 1 products."""

    forward: Matrix
    weights: Matrix
    inverse: Matrix

    @property
    def results(self) -> int:
        """m"""
        return len(self.inverse)

    @property
    def products(self) -> int:
        """a"""
        return len(self.forward)


def counts(taps: int) -> list[int]:
    """Numbers of products worth trying for so many taps: tiles of two and four results, as even as extents
    are."""
    return [count for count in POINTS if taps > 1 and count - taps + 1 in (2, 4)]


@lru_cache
def interpolation(products: int, taps: int) -> Interpolation:
    """The matrices for `products` products, a key of POINTS."""
    points, results = POINTS[products], products - taps + 1
    forward, weights = [], []
    for point in points:
        others = [other for other in points if other != point]
        scale = Fraction(1)
        for other in others:
            scale *= point - other
        forward.append((*_polynomial(others), Fraction(0)))
        weights.append(tuple(point**power / scale for power in range(taps)))
    forward.append(_polynomial(points))
    weights.append(_last(taps))
    ends = _last(results)
    inverse = [(*(point**power for point in points), ends[power]) for power in range(results)]
    return Interpolation(tuple(forward), tuple(weights), tuple(inverse))


def _polynomial(roots: Sequence[Fraction]) -> Row:
    """The coefficients of the product of (x - root), lowest first."""
    terms = [Fraction(1)]
    for root in roots:
        raised = [Fraction(0), *terms]
        terms = [high - root * low for high, low in zip(raised, [*terms, Fraction(0)], strict=True)]
    return tuple(terms)


def _last(count: int) -> Row:
    return (*(Fraction(0),) * (count - 1), Fraction(1))


def by_rows(matrix: Matrix, values: Sequence[Expr]) -> list[Expr]:
    """Matrix times values; rows that differ in the sign of odd columns share both halves.

    before: x4 - b*x2 + a*x3 - a*b*x1 and x4 - b*x2 - a*x3 + a*b*x1
    after:  even = x4 - b*x2; odd = x3 - b*x1; even + a*odd and even - a*odd
    """
    result: list[Expr] = []
    for row in matrix:
        even = tuple(factor if not place % 2 else Fraction(0) for place, factor in enumerate(row))
        odd = tuple(factor if place % 2 else Fraction(0) for place, factor in enumerate(row))
        mirrored = tuple(e - o for e, o in zip(even, odd, strict=True))
        if mirrored == row or mirrored not in matrix:
            result.append(combination(row, values))
            continue
        lead = next(factor for factor in reversed(odd) if factor)
        halves = [
            combination(even, values),
            combination(tuple(f / abs(lead) for f in _positive(odd)), values),
        ]
        result.append(combination((Fraction(1), lead), halves))
    return result


def _positive(row: Row) -> Row:
    """The row or its negative, whichever ends in a positive factor."""
    lead = next(factor for factor in reversed(row) if factor)
    return row if lead > 0 else tuple(-factor for factor in row)


def by_columns(matrix: Matrix, values: Sequence[Expr]) -> list[Expr]:
    """Matrix times values; columns that differ in the sign of odd rows share their sum and difference.

    before: x1 + x2 and a*x1 - a*x2 and a*a*x1 + a*a*x2        after: s and a*d and a*a*s
    """
    columns = list(zip(*matrix, strict=True))
    factors: list[Row] = []
    terms: list[Expr] = []
    done: set[int] = set()
    for place, column in enumerate(columns):
        if place in done:
            continue
        mirrored = tuple(-factor if row % 2 else factor for row, factor in enumerate(column))
        twin = next((j for j in range(place + 1, len(columns)) if columns[j] == mirrored), None)
        if twin is None or mirrored == column:
            factors.append(column)
            terms.append(values[place])
            continue
        done.add(twin)
        for parity, sign in ((0, 1), (1, -1)):
            factors.append(tuple(f if row % 2 == parity else Fraction(0) for row, f in enumerate(column)))
            terms.append(combination((Fraction(1), Fraction(sign)), (values[place], values[twin])))
    return [combination(row, terms) for row in zip(*factors, strict=True)]


def combination(factors: Sequence[Fraction], terms: Sequence[Expr]) -> Expr:
    """The sum of factor times term, from a term with factor 1 on where there is one; not all zero."""
    dtype = terms[0].dtype
    parts = [(factor, term) for factor, term in zip(factors, terms, strict=True) if factor]
    parts.sort(key=lambda part: part[0] != 1)
    (factor, term), *others = parts
    total = term if factor == 1 else Call("mul", (term, Const(float(factor), dtype)), dtype)
    for factor, term in others:
        size = abs(factor)
        part = term if size == 1 else Call("mul", (term, Const(float(size), dtype)), dtype)
        total = Call("add" if factor > 0 else "sub", (total, part), dtype)
    return total
