"""Arithmetic, comparison, logic and activations, element by element: any order of axes will do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ansord_client.dtypes import DTYPES, Number
from ansord_client.models.building import NotCovered, Perm
from ansord_client.models.lowering.at import At

_UNARY = {
    "Relu": "relu",
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "Erf": "erf",
    "Exp": "exp",
    "Log": "log",
    "Sin": "sin",
    "Cos": "cos",
    "Sqrt": "sqrt",
    "Neg": "neg",
    "Abs": "abs",
    "Floor": "floor",
    "Not": "logical_not",
    "HardSwish": "hard_swish",
}
_BINARY = {
    "Add": "add",
    "Sub": "sub",
    "Mul": "mul",
    "Div": "div",
    "Equal": "equal",
    "Less": "less",
    "Greater": "greater",
    "And": "logical_and",
    "Or": "logical_or",
    "Max": "maximum",
    "Min": "minimum",
    "Sum": "add",
    "Mean": "add",
}


def unary(at: At) -> None:
    """Ops that have the same name and meaning here."""
    laid = at.laid(0)
    at.give(at.emit(_UNARY[at.op], laid.name), laid.perm)


def _operands(at: At, places: tuple[int, ...]) -> tuple[list[str | Number], Perm]:
    """Args that broadcast together, plain numbers where one element is known; one stays a tensor at least."""
    tensors, perm = at.aligned(places)
    rank = len(perm)
    args: list[str | Number] = list(tensors)
    for index in reversed(range(len(places))):
        number = at.number(places[index])
        others = [arg for other, arg in enumerate(args) if other != index and isinstance(arg, str)]
        if number is None or not any(len(at.builder.shape(arg)) == rank for arg in others):
            continue
        args[index] = number
    return args, perm


def binary(at: At) -> None:
    """Two args or more, from the left."""
    if len(at.node.input) == 1:
        at.give(at.laid(0).name, at.laid(0).perm)
        return
    args, perm = _operands(at, tuple(range(len(at.node.input))))
    args.sort(key=lambda arg: not isinstance(arg, str)) if len(args) > 2 else None
    value: str | Number = args[0]
    for arg in args[1:]:
        value = at.emit(_BINARY[at.op], value, arg)
    if at.op == "Mean":
        value = at.emit("div", value, float(len(args)))
    at.give(str(value), perm)


def power(at: At) -> None:
    """Squares and roots are their own ops; else float powers of one type."""
    at.floats()
    exponent = at.number(1)
    laid = at.laid(0)
    scalar = at.shape(1) in ((), (1,)) and len(laid.perm) >= len(at.shape(1))
    if exponent is not None and scalar:
        if exponent == 2:
            y = at.emit("mul", laid.name, laid.name)
        else:
            y = at.emit("sqrt", laid.name) if exponent == 0.5 else at.emit("pow", laid.name, float(exponent))
        at.give(y, laid.perm)
        return
    args, perm = _operands(at, (0, 1))
    at.give(at.emit("pow", *args), perm)


def compare(at: At) -> None:
    """Those that take two of our ops; a NaN makes each of them false, but for Xor."""
    args, perm = _operands(at, (0, 1))
    if at.op == "Xor":
        at.give(at.emit("logical_not", at.emit("equal", *args)), perm)
        return
    op = "less" if at.op == "LessOrEqual" else "greater"
    at.give(at.emit("logical_or", at.emit(op, *args), at.emit("equal", *args)), perm)


def where(at: At) -> None:
    """cond ? a : b."""
    (cond, a, b), perm = at.aligned((0, 1, 2))
    args: list[str | Number] = [cond, a, b]
    rank = len(perm)
    for place in (2, 1):
        number, others = at.number(place), [arg for arg in (args[0], args[3 - place]) if isinstance(arg, str)]
        full = any(len(at.builder.shape(arg)) == rank for arg in others)
        if number is not None and full and isinstance(args[3 - place], str):
            args[place] = number
    at.give(at.emit("where", *args), perm)


def clip(at: At) -> None:
    """Bounds as attributes where they are known, else as args of a maximum and a minimum."""
    laid = at.laid(0)
    value = laid.name
    bounds: dict[str, Any] = {}
    for place, bound in ((1, "min"), (2, "max")):
        if not at.has(place):
            continue
        number = at.number(place)
        if number is None and at.known(place) is not None:
            continue  # an infinite bound
        if number is None:
            value = at.emit("maximum" if bound == "min" else "minimum", value, at.name(place))
        else:
            bounds[bound] = number
    if len(bounds) == 2 and bounds["min"] > bounds["max"]:
        bounds["min"] = bounds["max"]
    at.give(at.emit("clip", value, **bounds) if bounds else value, laid.perm)


def cast(at: At) -> None:
    """Cast and CastLike between our types."""
    import onnx

    laid = at.laid(0)
    if at.op == "CastLike":
        dtype = at.dtype(1)
    else:
        dtype = str(np.dtype(onnx.helper.tensor_dtype_to_np_dtype(at.integer("to", 1))))
    if dtype not in DTYPES:
        raise NotCovered(dtype)
    same = dtype == at.dtype(0)
    at.give(laid.name if same else at.emit("cast", laid.name, dtype=dtype), laid.perm)


def prelu(at: At) -> None:
    """x, or x*slope where it is negative."""
    args, perm = _operands(at, (0, 1))
    x = args[0]
    at.give(at.emit("where", at.emit("less", x, 0), at.emit("mul", *args), x), perm)


Maker = Callable[[At, str], str]


def _softplus(at: At, x: str) -> str:
    """log(1 + exp(x)), which does not overflow this way."""
    small = at.emit("exp", at.emit("neg", at.emit("abs", x)))
    return at.emit("add", at.emit("relu", x), at.emit("log", at.emit("add", small, 1.0)))


def _exponential(at: At, x: str, alpha: float, gamma: float = 1.0, inner: float = 1.0) -> str:
    """gamma * (x > 0 ? x : alpha * (exp(x / inner) - 1))."""
    below = at.emit("minimum", x, 0.0)
    below = at.emit("div", below, inner) if inner != 1.0 else below
    low = at.emit("mul", at.emit("sub", at.emit("exp", below), 1.0), gamma * alpha)
    high = at.emit("mul", x, gamma) if gamma != 1.0 else x
    return at.emit("where", at.emit("greater", x, 0.0), high, low)


def _sign(at: At, x: str) -> str:
    ones = at.emit("cast", at.emit("greater", x, 0), dtype=at.dtype(0))
    return at.emit("sub", ones, at.emit("cast", at.emit("less", x, 0), dtype=at.dtype(0)))


def _celu(at: At, x: str) -> str:
    alpha = float(at.attr("alpha", 1.0))
    return _exponential(at, x, alpha, 1.0, alpha)


def _swish(at: At, x: str) -> str:
    alpha = float(at.attr("alpha", 1.0))
    if alpha == 1.0:
        return at.emit("silu", x)
    return at.emit("mul", x, at.emit("sigmoid", at.emit("mul", x, alpha)))


def _hard_sigmoid(at: At, x: str) -> str:
    y = at.emit("add", at.emit("mul", x, float(at.attr("alpha", 0.2))), float(at.attr("beta", 0.5)))
    return at.emit("clip", y, min=0.0, max=1.0)


def _gelu(at: At, x: str) -> str:
    return at.emit("gelu", x, approximate=at.attr("approximate", "none") == "tanh")


def _selu(at: At, x: str) -> str:
    alpha = float(at.attr("alpha", 1.67326319217681884765625))
    return _exponential(at, x, alpha, float(at.attr("gamma", 1.05070102214813232421875)))


def _is_nan(at: At, x: str) -> str:
    return at.emit("logical_not", at.emit("equal", x, x))


def _thresholded(at: At, x: str) -> str:
    above = at.emit("greater", x, float(at.attr("alpha", 1.0)))
    return at.emit("where", above, x, 0.0)


_MADE: Mapping[str, Maker] = {
    "Reciprocal": lambda at, x: at.emit("div", 1.0, x),
    "Ceil": lambda at, x: at.emit("neg", at.emit("floor", at.emit("neg", x))),
    "Tan": lambda at, x: at.emit("div", at.emit("sin", x), at.emit("cos", x)),
    "Elu": lambda at, x: _exponential(at, x, float(at.attr("alpha", 1.0))),
    "Celu": _celu,
    "Selu": _selu,
    "Softplus": _softplus,
    "Softsign": lambda at, x: at.emit("div", x, at.emit("add", at.emit("abs", x), 1.0)),
    "ThresholdedRelu": _thresholded,
    "HardSigmoid": _hard_sigmoid,
    "LeakyRelu": lambda at, x: at.emit("leaky_relu", x, alpha=float(at.attr("alpha", 0.01))),
    "Gelu": _gelu,
    "Mish": lambda at, x: at.emit("mul", x, at.emit("tanh", _softplus(at, x))),
    "Swish": _swish,
}
"""Of floats."""
_MADE_OF_ANY: Mapping[str, Maker] = {"Sign": _sign, "IsNaN": _is_nan}


def made(at: At) -> None:
    """Functions of one element that take several of our ops."""
    laid = at.laid(0)
    if at.op in _MADE:
        at.floats()
    maker = _MADE.get(at.op) or _MADE_OF_ANY[at.op]
    at.give(maker(at, laid.name), laid.perm)


LOWER: Mapping[str, Callable[[At], None]] = {
    **dict.fromkeys(_UNARY, unary),
    **dict.fromkeys(_BINARY, binary),
    **dict.fromkeys((*_MADE, *_MADE_OF_ANY), made),
    **dict.fromkeys(("LessOrEqual", "GreaterOrEqual", "Xor"), compare),
    "Pow": power,
    "Where": where,
    "Clip": clip,
    "Cast": cast,
    "CastLike": cast,
    "PRelu": prelu,
}
