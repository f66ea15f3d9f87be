"""The indices of a `compute`: integer forms of axes, and proof that they stay inside their tensors.

Bounds are interval arithmetic first; where that proves nothing, the form is computed at every point, as long
as the work stays small: a hostile expression must not keep the reader busy.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from ansord_client.grammar import Apply, Axis, GrammarError, Number, Part
from ansord_client.index import Atom, Index, Quotient, Ranges

_LARGEST = 2**62
"""No part of an index leaves ± this, so that 64-bit arithmetic computes it exactly."""

_WORK = 2**22
"""Array elements that all exact bounds of one expression may cost: some tens of milliseconds."""


class Forms:
    """Reads indices over given ranges, which have (0, extent - 1) of every axis."""

    def __init__(self, ranges: Ranges) -> None:
        self.ranges = ranges
        self.work = _WORK
        self.known: dict[Index, tuple[int, int]] = {}

    def read(self, part: Part) -> Index:
        """An affine form with integer factors, floor divisions and remainders by positive integers.

        :raises GrammarError: something else, or a part beyond ± 2^62.
        """
        if isinstance(part, Number) and part.value == int(part.value):
            return self.checked(Index.of(int(part.value)), part.position)
        if isinstance(part, Axis):
            return Index.of(part.name)
        if isinstance(part, Apply) and part.op in ("add", "sub", "neg"):
            forms = [self.read(term) * sign for term, sign in _terms(part)]
            terms = [term for form in forms for term in form.terms]
            return self.checked(Index.linear(sum(form.const for form in forms), terms), part.position)
        if isinstance(part, Apply) and part.op in ("mul", "floordiv", "mod"):
            return self.checked(self.scaled(part), part.position)
        raise GrammarError(part.position, "something else", "an index: axes, integers, + - * // %")

    def scaled(self, part: Apply) -> Index:
        """A form times, divided by or modulo an integer."""
        form, number = (self.read(arg) for arg in part.args)
        if part.op == "mul" and number.terms:
            form, number = number, form
        if number.terms:
            raise GrammarError(part.position, f"{part.op} of two forms of axes", "an integer on one side")
        if part.op == "mul":
            return form * number.const
        if number.const < 1:
            raise GrammarError(part.position, f"a divisor of {number.const}", "a positive integer")
        return form // number.const if part.op == "floordiv" else form % number.const

    def inside(self, form: Index, extent: int) -> tuple[int, int] | None:
        """None if the form stays within 0 … extent - 1, else the bounds that are known of it."""
        low, high = self.bounds(form)
        if (low < 0 or high >= extent) and self.affordable(form):
            low, high = self.every_value(form)
        return None if low >= 0 and high < extent else (low, high)

    def bounds(self, form: Index) -> tuple[int, int]:
        """Inclusive bounds over the full ranges, never too narrow; exact without divisions."""
        if form in self.known:
            return self.known[form]
        low = high = form.const
        for atom, factor in form.terms:
            ends = [factor * end for end in self.atom_bounds(atom)]
            low, high = low + min(ends), high + max(ends)
        self.known[form] = low, high
        return low, high

    def atom_bounds(self, atom: Atom) -> tuple[int, int]:
        """Of an axis, a quotient or a remainder."""
        if isinstance(atom, str):
            return self.ranges[atom]
        numerator, divisor = atom.numerator, atom.divisor
        low, high = self.bounds(numerator)
        if isinstance(atom, Quotient):
            return low // divisor, high // divisor
        return (low % divisor, high % divisor) if low // divisor == high // divisor else (0, divisor - 1)

    def checked(self, form: Index, position: int) -> Index:
        """The form, whose every partial sum fits."""
        ends = (abs(factor) * max(map(abs, self.atom_bounds(atom))) for atom, factor in form.terms)
        if abs(form.const) + sum(ends) > _LARGEST:
            raise GrammarError(position, "an index beyond 2^62", "smaller numbers")
        return form

    def affordable(self, form: Index) -> bool:
        """Whether the form may be computed at every point; that is paid for from the work that is left."""
        cost = _operations(form) * math.prod(self.ranges[axis][1] + 1 for axis in form.axes)
        if cost > self.work:
            return False
        self.work -= cost
        return True

    def every_value(self, form: Index) -> tuple[int, int]:
        """Exact bounds."""
        names = sorted(form.axes)
        lines = [np.arange(self.ranges[name][1] + 1) for name in names]
        grid = np.meshgrid(*lines, indexing="ij", sparse=True)
        values = _computed(form, dict(zip(names, grid, strict=True)))
        return int(values.min()), int(values.max())


def _terms(part: Part, sign: int = 1) -> Iterator[tuple[Part, int]]:
    """The parts of a sum: added up at once, since every form is brought to its normal form."""
    if isinstance(part, Apply) and part.op in ("add", "sub"):
        yield from _terms(part.args[0], sign)
        yield from _terms(part.args[1], sign if part.op == "add" else -sign)
    elif isinstance(part, Apply) and part.op == "neg":
        yield from _terms(part.args[0], -sign)
    else:
        yield part, sign


def _operations(form: Index) -> int:
    inner = (0 if isinstance(atom, str) else _operations(atom.numerator) for atom, _ in form.terms)
    return 1 + len(form.terms) + sum(inner)


def _computed(form: Index, axes: Mapping[str, NDArray[np.int64]]) -> NDArray[np.int64]:
    total = np.asarray(form.const, np.int64)
    for atom, factor in form.terms:
        if isinstance(atom, str):
            part = axes[atom]
        elif isinstance(atom, Quotient):
            part = _computed(atom.numerator, axes) // atom.divisor
        else:
            part = _computed(atom.numerator, axes) % atom.divisor
        total = total + factor * part
    return total
