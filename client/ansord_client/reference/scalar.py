"""What every scalar operation means, as a function on NumPy arrays of one dtype.

The names are those of `expr.Call`: the op table's element-wise ops and `compute` share them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ansord_client.dtypes import DTYPES
from ansord_client.reference.erf import erf

Array = NDArray[Any]


def relu(x: Array) -> Array:
    """0 below 0, else x: NaN and the sign of zero stay, as one instruction of a kernel leaves them."""
    return np.where(x < 0, x.dtype.type(0), x)


def leaky_relu(x: Array, alpha: Array) -> Array:
    """x, or alpha·x below 0."""
    return np.where(x >= 0, x, alpha * x)


def clip(x: Array, low: Array, high: Array) -> Array:
    """min(max(x, low), high); NaN stays NaN."""
    return np.minimum(np.maximum(x, low), high)


def sigmoid(x: Array) -> Array:
    """1/(1 + e^-x)."""
    return np.asarray(1 / (1 + np.exp(-x)))


def gelu(x: Array) -> Array:
    """x·Φ(x), Φ the normal distribution: x/2·(1 + erf(x/√2))."""
    return np.asarray(0.5 * x * (1 + erf(x * math.sqrt(0.5))))


def gelu_tanh(x: Array) -> Array:
    """Its approximation by tanh (Hendrycks & Gimpel 2016)."""
    return np.asarray(0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x))))


def silu(x: Array) -> Array:
    """x·sigmoid(x)."""
    return np.asarray(x / (1 + np.exp(-x)))


def hard_swish(x: Array) -> Array:
    """x·clip(x + 3, 0, 6)/6."""
    return np.asarray(x * np.minimum(np.maximum(x + 3, 0), 6) / 6)


def floor(x: Array) -> Array:
    """Towards minus infinity; integers stay."""
    return np.floor(x) if x.dtype.kind == "f" else x


def cast(x: Array, dtype: str) -> Array:
    """To another type: floats truncate and saturate to integers, NaN to 0; integers wrap; bool is x ≠ 0."""
    row = DTYPES[dtype]
    if row.kind == "bool":
        return np.asarray(x != 0)
    if row.kind == "float" or x.dtype.kind != "f":
        return x.astype(row.numpy)
    low, high = row.interval
    inside = (x > low - 1.0) & (x < high + 1.0) if row.bytes < 8 else (x >= low) & (x < high + 1.0)
    saturated = np.where(x < 0, row.numpy.type(low), row.numpy.type(high))
    return np.where(inside | np.isnan(x), np.where(inside, x, 0).astype(row.numpy), saturated)


SCALAR: Mapping[str, Callable[..., Array]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "pow": np.power,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "equal": np.equal,
    "not_equal": np.not_equal,
    "less": np.less,
    "less_equal": np.less_equal,
    "greater": np.greater,
    "greater_equal": np.greater_equal,
    "logical_and": np.logical_and,
    "logical_or": np.logical_or,
    "logical_not": np.logical_not,
    "where": np.where,
    "relu": relu,
    "leaky_relu": leaky_relu,
    "clip": clip,
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "erf": erf,
    "gelu": gelu,
    "gelu_tanh": gelu_tanh,
    "silu": silu,
    "hard_swish": hard_swish,
    "exp": np.exp,
    "log": np.log,
    "sin": np.sin,
    "cos": np.cos,
    "sqrt": np.sqrt,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "neg": np.negative,
    "abs": np.abs,
    "floor": floor,
}
"""All of `expr.OPERATIONS` but `cast`, whose target is no array."""
