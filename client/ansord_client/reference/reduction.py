"""The reductions, softmax, layer norm and the pools."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ansord_client.dtypes import DTYPES
from ansord_client.reference.blocks import boxes, strided, typed
from ansord_client.reference.contraction import span
from ansord_client.reference.step import Array, Step

_REDUCERS: dict[str, np.ufunc] = {
    "reduce_sum": np.add,
    "reduce_mean": np.add,
    "reduce_max": np.maximum,
    "reduce_min": np.minimum,
    "reduce_prod": np.multiply,
}


def reduce(step: Step) -> Array:
    """One of the five reductions; integers wrap, NaN wins a maximum and a minimum."""
    axes = step.attrs["axes"]
    (x,) = step.args
    result = np.asarray(
        _REDUCERS[step.node.op].reduce(x, axis=axes, dtype=step.work, keepdims=step.attrs["keepdims"])
    )
    if step.node.op == "reduce_mean":
        result = result / step.work.type(math.prod(x.shape[axis] for axis in axes))
    return typed(result, step.store)


def softmax(step: Step) -> Array:
    """e^(x - max) over its sum."""

    def rows(x: Array) -> Array:
        powers = np.exp(x - x.max(axis=axis, keepdims=True))
        return np.asarray(powers / powers.sum(axis=axis, keepdims=True))

    axis: int = step.attrs["axis"]
    return _by_rows(step, (axis,), rows)


def log_softmax(step: Step) -> Array:
    """x - max - log of the sum of e^(x - max)."""

    def rows(x: Array) -> Array:
        shifted = x - x.max(axis=axis, keepdims=True)
        return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True)))

    axis: int = step.attrs["axis"]
    return _by_rows(step, (axis,), rows)


def layer_norm(step: Step) -> Array:
    """(x - mean)/sqrt(variance + epsilon)·scale + bias over the axes, with the biased variance."""
    axes: tuple[int, ...] = step.attrs["axis"]
    shape = [extent if axis in axes else 1 for axis, extent in enumerate(step.args[0].shape)]
    scale, bias = (typed(arg, step.work).reshape(shape) for arg in step.args[1:])
    epsilon = step.work.type(step.attrs["epsilon"])

    def rows(x: Array) -> Array:
        centred = x - x.mean(axis=axes, keepdims=True)
        variance = np.square(centred).mean(axis=axes, keepdims=True)
        return np.asarray(centred / np.sqrt(variance + epsilon) * scale + bias)

    return _by_rows(step, axes, rows)


def _by_rows(step: Step, axes: tuple[int, ...], function: Callable[[Array], Array]) -> Array:
    """`function` on blocks that hold `axes` whole."""
    out = step.empty()
    for box in boxes(out.shape, whole=axes):
        out[box] = function(typed(step.args[0][box], step.work))
    return out


def max_pool(step: Step) -> Array:
    """The largest element of each window; padding is below every number."""
    row = DTYPES[step.node.dtype]
    least = -math.inf if row.kind == "float" else row.interval[0]
    out = np.full(step.node.shape, least, step.store)
    for own, source in _windows(step):
        out[own] = np.maximum(out[own], step.args[0][source])
    return out


def avg_pool(step: Step) -> Array:
    """The sum of each window over the elements that count."""
    out = np.zeros(step.node.shape, step.work)
    for own, source in _windows(step):
        out[own] += step.args[0][source]
    for axis, counts in enumerate(_counts(step), 1):
        out /= counts.reshape([-1 if place == axis else 1 for place in range(out.ndim)])
    return typed(out, step.store)


def _counts(step: Step) -> list[Array]:
    """Per spatial axis how many elements of each window count: an average divides by their product."""
    found = []
    extents, count_pad = step.args[0].shape[1:-1], step.attrs["count_include_pad"]
    attrs = zip(step.attrs["kernel"], step.attrs["stride"], step.attrs["padding"], strict=True)
    for (kernel, stride, (before, after)), extent, size in zip(
        attrs, extents, step.node.shape[1:-1], strict=True
    ):
        low, high = (-before, extent + after) if count_pad else (0, extent)
        starts = np.arange(size) * stride - before
        found.append((np.minimum(starts + kernel, high) - np.maximum(starts, low)).astype(step.work))
    return found


def _windows(step: Step) -> list[tuple[tuple[slice, ...], tuple[slice, ...]]]:
    """For each place in the window: the results that have it inside the input, and these elements."""
    extents, sizes = step.args[0].shape[1:-1], step.node.shape[1:-1]
    attrs = list(zip(step.attrs["stride"], step.attrs["padding"], extents, sizes, strict=True))
    every = (slice(None),)
    found = []
    for place in np.ndindex(*step.attrs["kernel"]):
        spans = [
            span(offset - before, stride, extent, 0, size)
            for offset, (stride, (before, _), extent, size) in zip(place, attrs, strict=True)
        ]
        if min(own[1] for own, _ in spans) > 0:
            own, source = (tuple(strided(*pair[side]) for pair in spans) for side in (0, 1))
            found.append((every + own, every + source))
    return found
