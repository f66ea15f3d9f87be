"""Walks over index spaces in boxes, so that a step needs little memory beside what it reads and writes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Box = tuple[slice, ...]

ELEMENTS = 2**18
"""Of a block of element-wise work: a few of them fit into a cache of some megabytes."""


def boxes(shape: Sequence[int], limit: int = ELEMENTS, whole: Sequence[int] = ()) -> Iterator[Box]:
    """Boxes that tile `shape`, of at most `limit` elements unless axes in `whole`, never cut, have more."""
    yield from _halved([(0, extent) for extent in shape], limit, frozenset(whole))


def _halved(bounds: list[tuple[int, int]], limit: int, whole: frozenset[int]) -> Iterator[Box]:
    lengths = [end - start for start, end in bounds]
    axis = next((axis for axis, length in enumerate(lengths) if length > 1 and axis not in whole), None)
    if axis is None or math.prod(lengths) <= limit:
        yield tuple(slice(start, end) for start, end in bounds)
        return
    start, end = bounds[axis]
    rest = math.prod(lengths) // lengths[axis]
    step = max(1, limit // rest)
    for first in range(start, end, step):
        part = [*bounds]
        part[axis] = (first, min(first + step, end))
        yield from _halved(part, limit, whole)


def lengths(box: Box) -> tuple[int, ...]:
    """The shape of a box."""
    return tuple(part.stop - part.start for part in box)


def strided(start: int, count: int, step: int) -> slice:
    """The slice of elements start, start + step, …: also backwards, down to the first element."""
    end = start + count * step if step > 0 else start + (count - 1) * step - 1
    return slice(start, end if end >= 0 else None, step)


def typed(array: Array, dtype: np.dtype[Any]) -> Array:
    """In `dtype`, without a copy where it is so already."""
    return np.asarray(array).astype(dtype, copy=False)
