"""A dag by brute force in NumPy: every stage over its whole index space, in float64 and exact integers.

Only for tests. A load outside its tensor is an error, unless conditions above it exclude every such point.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ansord.dag import Dag, Stage
from ansord_client.expr import AxisValue, Call, Const, Expr, Load
from ansord_client.index import Index, Quotient

Array = np.ndarray[Any, np.dtype[Any]]

_erf: Callable[[Array], Array] = np.vectorize(math.erf, otypes=[np.float64])

UNARY: Mapping[str, Callable[[Array], Array]] = {
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "erf": _erf,
    "gelu": lambda x: 0.5 * x * (1 + _erf(x / math.sqrt(2))),
    "gelu_tanh": lambda x: 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "hard_swish": lambda x: x * np.clip(x + 3, 0, 6) / 6,
    "exp": np.exp,
    "log": np.log,
    "sin": np.sin,
    "cos": np.cos,
    "sqrt": np.sqrt,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "neg": np.negative,
    "abs": np.abs,
    "floor": np.floor,
    "logical_not": np.logical_not,
}
BINARY: Mapping[str, Callable[[Array, Array], Array]] = {
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
    "leaky_relu": lambda x, alpha: np.where(x > 0, x, x * alpha),
}
COMBINERS: Mapping[str, Callable[..., Array]] = {
    "add": np.sum,
    "mul": np.prod,
    "maximum": np.max,
    "minimum": np.min,
}


def evaluate(dag: Dag, arrays: Sequence[Array]) -> tuple[Array, ...]:
    """The outputs, floats as float64."""
    given = zip(dag.inputs, arrays, strict=True)
    tensors = {tensor.name: wide(array, tensor.dtype) for tensor, array in given}
    with np.errstate(all="ignore"):
        for stage in dag.stages:
            tensors[stage.name] = _run(stage, tensors)
    return tuple(tensors[name] for name in dag.outputs)


def wide(array: Array, dtype: str) -> Array:
    """The array in what its dtype is computed in here."""
    return np.asarray(array, np.float64 if dtype.startswith("float") else dtype)


def _run(stage: Stage, tensors: Mapping[str, Array]) -> Array:
    every = (*stage.axes, *stage.reduce)
    grid = np.ogrid[tuple(slice(axis.extent) for axis in every)]
    axes = {axis.name: line for axis, line in zip(every, grid, strict=True)}
    shape = tuple(axis.extent for axis in every)
    values = _value(stage.body, axes, tensors, np.asarray(True))
    values = wide(np.broadcast_to(values, shape), stage.body.dtype)
    if stage.combiner:
        over = tuple(range(len(stage.axes), len(every)))
        kept = {"dtype": values.dtype} if stage.combiner in ("add", "mul") else {}
        values = COMBINERS[stage.combiner](values, axis=over, **kept)
    spatial = tuple(axis.extent for axis in stage.axes)
    lines = np.ogrid[tuple(slice(axis.extent) for axis in stage.axes)]
    places = {axis.name: line for axis, line in zip(stage.axes, lines, strict=True)}
    index = tuple(np.broadcast_to(_index(part, places), spatial) for part in stage.where)
    result = np.zeros(stage.tensor.shape, values.dtype)
    written = np.zeros(stage.tensor.shape, np.int64)
    result[index] = values
    np.add.at(written, index, 1)
    assert (written == 1).all(), f"{stage.name} does not write each element once"
    return result


def _value(expr: Expr, axes: Mapping[str, Array], tensors: Mapping[str, Array], mask: Array) -> Array:
    if isinstance(expr, Const):
        return wide(np.asarray(expr.value), expr.dtype)
    if isinstance(expr, AxisValue):
        return np.asarray(_index(expr.index, axes))
    if isinstance(expr, Load):
        return _load(expr, axes, tensors[expr.tensor], mask)
    if expr.op == "where":
        condition = _value(expr.args[0], axes, tensors, mask)
        chosen = _value(expr.args[1], axes, tensors, mask & condition)
        return np.where(condition, chosen, _value(expr.args[2], axes, tensors, mask & ~condition))
    return wide(_call(expr, [_value(arg, axes, tensors, mask) for arg in expr.args]), expr.dtype)


def _call(expr: Call, args: list[Array]) -> Array:
    if expr.op == "cast":
        return cast(args[0], expr.dtype)
    if expr.op == "clip":
        return np.minimum(np.maximum(args[0], args[1]), args[2])
    if expr.op in UNARY:
        return UNARY[expr.op](args[0])
    return BINARY[expr.op](args[0], args[1])


def cast(value: Array, dtype: str) -> Array:
    """To floats as they are; to integers by truncation and saturation, NaN to 0; to bool by not being 0."""
    if dtype == "bool":
        return value != 0
    if dtype.startswith("float") or value.dtype.kind != "f":
        return value.astype(np.float32).astype(np.float64) if dtype == "float32" else value.astype(dtype)
    limits = np.iinfo(dtype)

    def saturated(item: float) -> int:
        return 0 if math.isnan(item) else int(min(max(item, int(limits.min)), int(limits.max)))

    return np.asarray(np.vectorize(saturated, otypes=[dtype])(value))


def _load(load: Load, axes: Mapping[str, Array], array: Array, mask: Array) -> Array:
    index: list[Array] = []
    for part, extent in zip(load.index, array.shape, strict=True):
        place = _index(part, axes)
        outside = (place < 0) | (place >= extent)
        assert not (outside & mask).any(), f"{load} leaves {array.shape}"
        index.append(np.clip(place, 0, extent - 1))
    return array[tuple(index)]


def _index(form: Index, axes: Mapping[str, Array]) -> Array:
    total = np.asarray(form.const, np.int64)
    for atom, factor in form.terms:
        if isinstance(atom, str):
            total = total + factor * axes[atom]
        elif isinstance(atom, Quotient):
            total = total + factor * (_index(atom.numerator, axes) // atom.divisor)
        else:
            total = total + factor * (_index(atom.numerator, axes) % atom.divisor)
    return total
