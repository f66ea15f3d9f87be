"""Sums of products over labelled axes, through BLAS, in slices of bounded size.

Floats multiply in their own dtype. BLAS knows no integers: they are cut into limbs of 16 bits, whose products
summed over at most 2^20 terms are exact in float64, and put together modulo the type's range.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

BYTES = 96 * 2**20
"""What one slice's operands and product may take, copies included."""

_TERMS = 2**20
_LIMB = 16


def contract(out: Array, out_axes: str, a: Array, a_axes: str, b: Array, b_axes: str) -> None:
    """out += sum of a·b over the axes that `out` lacks; an axis is a character, in the order of the array's.

    An axis of `out` that neither operand has repeats the product along it.
    """
    extents = {**dict(zip(out_axes, out.shape, strict=True)), **dict(zip(b_axes, b.shape, strict=True))}
    extents |= dict(zip(a_axes, a.shape, strict=True))
    width = 8 if out.dtype.kind in "iu" else out.dtype.itemsize
    size = 2 * width * (out.size + a.size + b.size)
    summed = [axis for axis in extents if axis not in out_axes]
    long = out.dtype.kind in "iu" and math.prod(extents[axis] for axis in summed) > _TERMS
    if size <= BYTES and not long:
        _add_product(out, out_axes, a, a_axes, b, b_axes)
        return
    axis = max(summed if long else extents, key=lambda name: extents[name])
    middle = extents[axis] // 2
    for part in (slice(0, middle), slice(middle, None)):
        arrays = (
            array[(slice(None),) * axes.index(axis) + (part,)] if axis in axes else array
            for array, axes in ((out, out_axes), (a, a_axes), (b, b_axes))
        )
        out_part, a_part, b_part = arrays
        contract(out_part, out_axes, a_part, a_axes, b_part, b_axes)


def _add_product(out: Array, out_axes: str, a: Array, a_axes: str, b: Array, b_axes: str) -> None:
    a, a_axes = _summed_alone(a, a_axes, out_axes + b_axes, out.dtype)
    b, b_axes = _summed_alone(b, b_axes, out_axes + a_axes, out.dtype)
    batch = [axis for axis in out_axes if axis in a_axes and axis in b_axes]
    rows = [axis for axis in out_axes if axis in a_axes and axis not in b_axes]
    columns = [axis for axis in out_axes if axis in b_axes and axis not in a_axes]
    inner = [axis for axis in a_axes if axis not in out_axes]
    left = _matrices(a, a_axes, batch, rows, inner)
    right = _matrices(b, b_axes, batch, inner, columns)
    product = _product(left, right, out.dtype)
    made = [*batch, *rows, *columns]
    extents = dict(zip(out_axes, out.shape, strict=True))
    product = product.reshape([extents[axis] for axis in made])
    product = product.transpose([made.index(axis) for axis in out_axes if axis in made])
    out += product[tuple(slice(None) if axis in made else np.newaxis for axis in out_axes)]


def _summed_alone(array: Array, axes: str, others: str, dtype: np.dtype[Any]) -> tuple[Array, str]:
    alone = tuple(place for place, axis in enumerate(axes) if axis not in others)
    if not alone:
        return array, axes
    kept = "".join(axis for axis in axes if axis in others)
    return np.add.reduce(array, axis=alone, dtype=dtype), kept


def _matrices(array: Array, axes: str, batch: list[str], rows: list[str], columns: list[str]) -> Array:
    moved = array.transpose([axes.index(axis) for axis in (*batch, *rows, *columns)])
    sizes = dict(zip(axes, array.shape, strict=True))
    shape = [math.prod(sizes[axis] for axis in group) for group in (batch, rows, columns)]
    return moved.reshape(shape)


def _product(left: Array, right: Array, dtype: np.dtype[Any]) -> Array:
    """Batched matrix product in `dtype`; the degenerate ones, which BLAS does badly, by multiplication."""
    if left.shape[2] == 1:
        return np.asarray(np.multiply(left, right, dtype=dtype, casting="unsafe"))
    if dtype.kind == "f":
        left, right = left.astype(dtype, copy=False), right.astype(dtype, copy=False)
        if left.shape[1] == right.shape[2] == 1 and left.shape[0] > 1:
            return np.asarray(np.add.reduce(left * right.transpose(0, 2, 1), axis=2, keepdims=True))
        return np.asarray(np.matmul(left, right))
    return _integer_product(left, right, 8 * dtype.itemsize).astype(dtype)


def _integer_product(left: Array, right: Array, bits: int) -> Array:
    """Exact modulo 2^bits."""
    if left.dtype.itemsize == right.dtype.itemsize == 1:
        return np.asarray(np.matmul(left.astype(np.float64), right.astype(np.float64)).astype(np.int64))
    count = max(1, bits // _LIMB)
    total = np.zeros((left.shape[0], left.shape[1], right.shape[2]), np.uint64)
    for low in range(count):
        first = _limb(left, low)
        for high in range(count - low):
            part = np.matmul(first, _limb(right, high)).astype(np.uint64)
            total += part << np.uint64(_LIMB * (low + high))
    return total


def _limb(array: Array, position: int) -> Array:
    mask = (1 << _LIMB) - 1
    return (array.astype(np.int64) >> (_LIMB * position) & mask).astype(np.float64)
