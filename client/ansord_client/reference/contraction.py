"""Convolutions, transposed convolutions and matmul by definition: kernel taps, then matrix products."""

from __future__ import annotations

import math

import numpy as np

from ansord_client.reference.blocks import Box, boxes, lengths, strided
from ansord_client.reference.contract import contract
from ansord_client.reference.step import Array, Step

_RESULT = 2**22
"""Elements of the result that are summed up at a time: 32 MiB in float64."""

Span = tuple[int, int, int]
"""first, count, step along one axis."""


def span(offset: int, stride: int, extent: int, low: int, high: int) -> tuple[Span, Span]:
    """The p from `low` to `high` - 1 for which p·stride + offset is inside `extent`, and these values."""
    first = max(low, -(offset // stride))
    count = max(0, min(high, (extent - 1 - offset) // stride + 1) - first)
    return (first, count, 1), (first * stride + offset, count, stride)


def conv(step: Step) -> Array:
    """y[n, s, g, o] += x[n, s·stride + k·dilation - before, g, c]·w[k, c, g, o], over k and channels c."""
    groups: int = step.attrs["groups"]
    channels, results = step.args[1].shape[-2], step.node.shape[-1] // groups
    return _by_taps(step, groups, gathers=True) if channels == results == 1 else _by_windows(step, groups)


def conv_transpose(step: Step) -> Array:
    """y[n, s·stride + k·dilation - before, o] += x[n, s, c]·w[k, c, o]."""
    return _by_taps(step, 1, gathers=False)


def _by_windows(step: Step, groups: int) -> Array:
    """All taps in one product: long sums are what BLAS is good at, even where channels are few."""
    x, w = step.args
    x = x.reshape(*x.shape[:-1], groups, -1)
    w = w.reshape(*w.shape[:-1], groups, -1)
    result = step.empty()
    out = result.reshape(*result.shape[:-1], groups, -1)
    space = "xyz"[: x.ndim - 3]
    taps = "uvw"[: x.ndim - 3]
    read = math.prod(step.attrs["stride"]) * step.args[0].shape[-1] // result.shape[-1]
    for box in boxes(out.shape, max(1, _RESULT // max(1, read))):
        total = np.zeros(lengths(box), step.sum)
        view = _windows(step, x[box[0], ..., box[-2], :], box[1:-2], w.shape[: len(space)])
        contract(total, f"n{space}go", view, f"n{space}{taps}gc", w[..., box[-2], box[-1]], f"{taps}cgo")
        out[box] = total
    return result


def _windows(step: Step, x: Array, box: Box, kernel: tuple[int, ...]) -> Array:
    """A view [n, *box, *kernel, g, c] of x, which is copied only where the windows reach into the padding."""
    attrs = zip(box, kernel, step.attrs["stride"], step.attrs["dilation"], step.attrs["padding"], strict=True)
    inside, around, steps = [slice(None)], [(0, 0)], []
    for axis, (part, size, stride, dilation, (before, _)) in enumerate(attrs, 1):
        first = part.start * stride - before
        last = (part.stop - 1) * stride - before + (size - 1) * dilation
        low, high = min(max(first, 0), x.shape[axis]), max(min(last + 1, x.shape[axis]), 0)
        if high <= low:  # nothing but padding
            inside.append(slice(0, 0))
            around.append((last + 1 - first, 0))
        else:
            inside.append(slice(low, high))
            around.append((low - first, last + 1 - high))
        steps.append((stride, dilation))
    slab = x[tuple(inside)]
    if any(map(any, around)):
        slab = np.pad(slab, [*around, (0, 0), (0, 0)])
    strides = slab.strides[1:-2]
    return np.lib.stride_tricks.as_strided(
        slab,
        (slab.shape[0], *lengths(box), *kernel, *slab.shape[-2:]),
        (
            slab.strides[0],
            *(own * stride for own, (stride, _) in zip(strides, steps, strict=True)),
            *(own * dilation for own, (_, dilation) in zip(strides, steps, strict=True)),
            *slab.strides[-2:],
        ),
        writeable=False,
    )


def _by_taps(step: Step, groups: int, gathers: bool) -> Array:
    x, w = step.args
    x = x.reshape(*x.shape[:-1], groups, -1)
    w = w.reshape(*w.shape[:-1], groups, -1)
    result = step.empty()
    out = result.reshape(*result.shape[:-1], groups, -1)
    space = "xyz"[: x.ndim - 3]
    kernel = w.shape[: len(space)]
    attrs = zip(step.attrs["stride"], step.attrs["dilation"], step.attrs["padding"], strict=True)
    rules = [(stride, dilation, before) for stride, dilation, (before, _) in attrs]
    for box in boxes(out.shape, _RESULT):
        total = np.zeros(lengths(box), step.sum)
        for tap in np.ndindex(*kernel):
            here, there = [], []
            for axis, (stride, dilation, before) in enumerate(rules):
                offset, window, extent = tap[axis] * dilation - before, box[axis + 1], x.shape[axis + 1]
                if gathers:
                    own, other = span(offset, stride, extent, window.start, window.stop)
                    own = (own[0] - window.start, *own[1:])
                else:
                    size = window.stop - window.start
                    other, own = span(offset - window.start, stride, size, 0, extent)
                here.append(own)
                there.append(other)
            if min(count for _, count, _ in here) < 1:
                continue
            at = (slice(None), *(strided(*part) for part in here))
            source = (box[0], *(strided(*part) for part in there), box[-2])
            contract(total[at], f"n{space}go", x[source], f"n{space}gc", w[tap][:, box[-2], box[-1]], "cgo")
        out[box] = total
    return result


def matmul(step: Step) -> Array:
    """NumPy's matmul, with the last two axes of an operand swapped on demand."""
    a, b = (
        array.swapaxes(-1, -2) if step.attrs[name] else array
        for array, name in zip(step.args, ("transpose_a", "transpose_b"), strict=True)
    )
    result = step.empty()
    batch = "abcdefgh"[: max(a.ndim, b.ndim, 2) - 2]
    out_axes = batch + ("i" if a.ndim > 1 else "") + ("j" if b.ndim > 1 else "")
    a, a_axes = _without_ones(a, batch, "ik" if a.ndim > 1 else "k")
    b, b_axes = _without_ones(b, batch, "kj" if b.ndim > 1 else "k")
    for box in boxes(result.shape, _RESULT):
        total = np.zeros(lengths(box), step.sum)
        cut = dict(zip(out_axes, box, strict=True)) | {"k": slice(None)}
        left, right = (tuple(cut[axis] for axis in axes) for axes in (a_axes, b_axes))
        contract(total, out_axes, a[left], a_axes, b[right], b_axes)
        result[box] = total
    return result


def _without_ones(array: Array, batch: str, matrix: str) -> tuple[Array, str]:
    """An operand without the leading axes that broadcast, and the names of its axes."""
    leading = array.ndim - len(matrix)
    kept = [axis for axis in range(leading) if array.shape[axis] > 1]
    names = batch[len(batch) - leading :]
    shape = [array.shape[axis] for axis in kept]
    return array.reshape(*shape, *array.shape[leading:]), "".join(names[axis] for axis in kept) + matrix
