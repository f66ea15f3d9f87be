"""The rule by which a kernel's outputs are right or wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ansord_client.compare.exact import grains
from ansord_client.compare.jumps import jumps
from ansord_client.dtypes import DTYPES
from ansord_client.reference.step import Array
from ansord_client.subgraph import Subgraph

_BLOCK = 2**20
"""Elements that are compared at a time."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`worst_error` and `tolerance` are those of the output that comes closest to being wrong, or is."""

    ok: bool
    message: str = ""
    worst_error: float = 0.0
    tolerance: float = 0.0


@dataclass(frozen=True, slots=True)
class _Scale:
    """Over the elements that are finite in both answers."""

    largest: float
    apart: float


def judge(
    sg: Subgraph, got: Sequence[Array], ref64: Sequence[Array], ref32: Sequence[Array], kind: str = "normal"
) -> Verdict:
    """Whether outputs equal the reference; `ref64` and `ref32` are what `answers` says to a draw of `kind`.

    Floats: |got - ref64| ≤ 4·max|ref32 - ref64| + 8·eps·√K·max|ref64|, K the largest product of reduction
    extents on a path to the output, eps that of the coarsest float type on the way. In an "integer" draw
    outputs that are exact are equal to the bit, and K leaves out the exact reductions. NaN and infinities:
    the same class, but where arithmetic in the declared type itself gives another than ref64. Integers and
    bools: equal. Behind a jump, per element, also what lies between the two answers.
    """
    exact = grains(sg) if kind == "integer" else {}
    behind, eps, terms = jumps(sg).behind, _eps(sg), _terms(sg, exact)
    worst = Verdict(True)
    for place, name in enumerate(sg.outputs):
        found, wide, narrow = got[place], ref64[place], ref32[place]
        if found.shape != wide.shape or found.dtype != wide.dtype:
            return Verdict(
                False, f"output {name}: found {found.dtype} {found.shape}, wanted {wide.dtype} {wide.shape}"
            )
        if exact.get(name) is not None:
            verdict = _equal(name, found, wide, wide)
        elif wide.dtype.kind != "f":
            verdict = _equal(name, found, wide, narrow if name in behind else wide)
        else:
            rounding = 8 * eps[name] * math.sqrt(terms[name])
            verdict = _close(name, found, wide, narrow, rounding, name in behind)
        if not verdict.ok:
            return verdict
        if verdict.worst_error * worst.tolerance >= worst.worst_error * verdict.tolerance:
            worst = verdict
    return worst


def _terms(sg: Subgraph, exact: Mapping[str, int | None]) -> dict[str, int]:
    """K of every tensor; reductions that are exact count as one term."""
    terms = {one.name: 1 for one in sg.inputs}
    for node in sg.live:
        before = max((terms[name] for name in node.reads), default=1)
        terms[node.name] = before * (1 if exact.get(node.name) is not None else sg.terms(node))
    return terms


def _eps(sg: Subgraph) -> dict[str, float]:
    """Per tensor the coarsest eps of the float types on the way to it."""
    eps = {one.name: DTYPES[one.dtype].eps for one in sg.inputs}
    for node in sg.live:
        eps[node.name] = max([DTYPES[node.dtype].eps, *(eps[name] for name in node.reads)])
    return eps


def _equal(name: str, found: Array, wanted: Array, other: Array) -> Verdict:
    """Every element is between the two answers; NaN equals NaN, and the sign of zero does not matter."""
    for place in range(0, found.size, _BLOCK):
        got, one, two = (array.reshape(-1)[place : place + _BLOCK] for array in (found, wanted, other))
        right = (got >= np.minimum(one, two)) & (got <= np.maximum(one, two))
        right |= (got != got) & (one != one)
        if not right.all():
            return _wrong(name, found, wanted, place + int(np.argmin(right)), math.inf, 0.0)
    return Verdict(True)


def _close(name: str, found: Array, wide: Array, narrow: Array, rounding: float, jumps: bool) -> Verdict:
    scale = _scale(wide, narrow)
    tolerance = rounding * scale.largest + (0 if jumps else 4 * scale.apart)
    worst = 0.0
    for place in range(0, found.size, _BLOCK):
        got, one, two = (array.reshape(-1)[place : place + _BLOCK] for array in (found, wide, narrow))
        with np.errstate(all="ignore"):
            error = np.abs(got.astype(np.float64) - one)
            allowed = tolerance + (4 * np.abs(two.astype(np.float64) - one) if jumps else 0.0)
            finite = np.isfinite(one)
            right = np.where(finite, error <= allowed, (got == one) | ((got != got) & (one != one)))
        right |= np.isfinite(two) != finite
        right |= ~finite & (two != one) & ((two == two) | (one == one))
        if not right.all():
            at = int(np.argmin(right))
            return _wrong(name, found, wide, place + at, float(error[at]), tolerance)
        worst = max(worst, float(np.max(error, where=finite & np.isfinite(two), initial=0.0)))
    return Verdict(True, "", worst, tolerance)


def _scale(wide: Array, narrow: Array) -> _Scale:
    largest = apart = 0.0
    for place in range(0, wide.size, _BLOCK):
        one, two = (array.reshape(-1)[place : place + _BLOCK].astype(np.float64) for array in (wide, narrow))
        finite = np.isfinite(one) & np.isfinite(two)
        with np.errstate(all="ignore"):
            largest = max(largest, float(np.max(np.abs(one), where=finite, initial=0.0)))
            apart = max(apart, float(np.max(np.abs(two - one), where=finite, initial=0.0)))
    return _Scale(largest, apart)


def _wrong(name: str, found: Array, wanted: Array, place: int, error: float, tolerance: float) -> Verdict:
    index = [int(axis) for axis in np.unravel_index(place, found.shape)]
    got, want = found.reshape(-1)[place], wanted.reshape(-1)[place]
    allowed = f"within {tolerance:.3g}" if tolerance else "exactly"
    return Verdict(False, f"output {name}{index}: found {got}, wanted {want} {allowed}", error, tolerance)
