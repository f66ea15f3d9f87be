"""The verdict on most right outputs, in two comparisons: for those who judge thousands against one reference.

Computed once for a draw. What lies between the bounds is right by `judge`; what does not may still be.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ansord_client.compare.exact import grains
from ansord_client.compare.jumps import jumps
from ansord_client.compare.verdict import _eps, _scale, _terms
from ansord_client.reference.step import Array
from ansord_client.subgraph import Subgraph

_INSIDE = 7 / 8
"""Of the tolerance, which is at least 8 roundings of the largest: the rest covers that of the bounds."""


def bounds(
    sg: Subgraph, ref64: Sequence[Array], ref32: Sequence[Array], kind: str
) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    """(low, high), in the shapes and dtypes of the outputs. NaN in both where a NaN is wanted."""
    exact = grains(sg) if kind == "integer" else {}
    behind, eps, terms = jumps(sg).behind, _eps(sg), _terms(sg, exact)
    low, high = [], []
    for name, wide, narrow in zip(sg.outputs, ref64, ref32, strict=True):
        if exact.get(name) is not None:
            pair = wide, wide
        elif wide.dtype.kind != "f":
            other = narrow if name in behind else wide
            pair = np.minimum(wide, other), np.maximum(wide, other)
        else:
            scale = _scale(wide, narrow)
            tolerance = 8 * eps[name] * math.sqrt(terms[name]) * scale.largest
            if name not in behind:  # else each element has its own; the common part is enough here
                tolerance += 4 * scale.apart
            pair = _around(wide, narrow, tolerance * _INSIDE)
        low.append(pair[0])
        high.append(pair[1])
    return tuple(low), tuple(high)


def between(got: Sequence[Array], low: Sequence[Array], high: Sequence[Array]) -> bool:
    """Whether every element of every output lies between its bounds, NaN where they are NaN."""
    for found, least, most in zip(got, low, high, strict=True):
        right = found >= least
        right &= found <= most
        if not right.all():
            rest = ~right
            if not (np.isnan(found[rest]) & np.isnan(least[rest])).all():
                return False
    return True


def _around(wide: Array, narrow: Array, tolerance: float) -> tuple[Array, Array]:
    """The closed interval of floats within `tolerance`; one of the type's own infinities stays alone.

    Rounded to the type an end may lie outside by half a step of the largest: that is what _INSIDE leaves.
    """
    step = wide.dtype.type(tolerance)
    with np.errstate(all="ignore"):
        low, high = np.asarray(wide - step), np.asarray(wide + step)
        apart = np.isfinite(wide) & ~np.isfinite(narrow)  # then anything will do
    if apart.any():
        low[apart], high[apart] = -np.inf, np.inf
    return low, high
