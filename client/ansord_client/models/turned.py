"""Transposing weights at the speed of memory: once per load, over all of a model's bytes.

Called by `weights`. NumPy alone reads a transposed array element by element across cache lines, which takes
3 to 5 times as long for a convolution's weights.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

STRIPE = 64
"""Elements of the new last axis that are moved together: lines of all of them stay in the first cache."""


def turned(array: Array, perm: Sequence[int]) -> Array:
    """`array.transpose(perm)`, with whole rows of its last axis in memory; these may lie in any order."""
    rank, last = array.ndim, perm[-1] if len(perm) else 0
    if rank < 2 or last == rank - 1 or not array.flags.c_contiguous:
        return array.transpose(perm)
    before, extent = math.prod(array.shape[:last]), array.shape[last]
    source = array.reshape(before, extent, -1)
    rows = np.empty((before, source.shape[2], extent), array.dtype)
    for start in range(0, extent, STRIPE):
        rows[:, :, start : start + STRIPE] = source[:, start : start + STRIPE].swapaxes(1, 2)
    rest = [axis for axis in range(rank) if axis != last]
    shape = [array.shape[axis] for axis in rest]
    return rows.reshape(*shape, extent).transpose(*(rest.index(axis) for axis in perm[:-1]), rank - 1)
