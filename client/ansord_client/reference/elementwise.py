"""The ops that work element by element, evaluated block by block."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ansord_client.reference.blocks import boxes, typed
from ansord_client.reference.scalar import SCALAR, cast
from ansord_client.reference.step import Array, Step


def mapped(step: Step, function: Callable[..., Array], *more: Any) -> Array:
    """`function` of the broadcast args, and of further numbers, which take the type of the args."""
    out = step.empty()
    views = [np.broadcast_to(arg, out.shape) for arg in step.args]
    numbers = [np.asarray(number, step.work) for number in more]
    for box in boxes(out.shape):
        out[box] = function(*(typed(view[box], step.work) for view in views), *numbers)
    return out


def plain(step: Step) -> Array:
    """An op whose name says what it computes."""
    return mapped(step, SCALAR[step.node.op])


def leaky_relu(step: Step) -> Array:
    """With its slope."""
    return mapped(step, SCALAR["leaky_relu"], step.attrs["alpha"])


def clip(step: Step) -> Array:
    """Between its bounds, of which one may be missing."""
    low, high = step.attrs["min"], step.attrs["max"]
    if high is None:
        return mapped(step, np.maximum, low)
    if low is None:
        return mapped(step, np.minimum, high)
    return mapped(step, SCALAR["clip"], low, high)


def gelu(step: Step) -> Array:
    """Exact or by tanh."""
    return mapped(step, SCALAR["gelu_tanh" if step.attrs["approximate"] else "gelu"])


def where(step: Step) -> Array:
    """The condition keeps its type."""
    out = step.empty()
    condition, a, b = (np.broadcast_to(arg, out.shape) for arg in step.args)
    for box in boxes(out.shape):
        out[box] = np.where(condition[box], typed(a[box], step.work), typed(b[box], step.work))
    return out


def convert(step: Step) -> Array:
    """To the wanted type, or to a wider one in its place while nothing is rounded."""
    dtype = step.node.dtype if step.store.kind != "f" else step.store.name
    return mapped(step, lambda x: cast(x, dtype))


def batch_norm(step: Step) -> Array:
    """(x - mean)/sqrt(var + epsilon)·scale + bias."""

    def normal(x: Array, scale: Array, bias: Array, mean: Array, var: Array, epsilon: Array) -> Array:
        return np.asarray((x - mean) / np.sqrt(var + epsilon) * scale + bias)

    return mapped(step, normal, step.attrs["epsilon"])
