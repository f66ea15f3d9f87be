"""Scalar expressions over tensor elements: the one language of `compute`, the dag and the emitter.

Values only; what an operation means is written in `reference` (NumPy) and in the emitter (C).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from ansord_client.index import Index

COMPARISONS = frozenset({"equal", "not_equal", "less", "less_equal", "greater", "greater_equal"})
LOGIC = frozenset({"logical_and", "logical_or", "logical_not"})
BINARY = frozenset({"add", "sub", "mul", "div", "pow", "maximum", "minimum"})
UNARY = frozenset(
    {"relu", "sigmoid", "tanh", "erf", "gelu", "gelu_tanh", "silu", "hard_swish", "exp", "log", "sin", "cos"}
    | {"sqrt", "rsqrt", "neg", "abs", "floor"}
)
OPERATIONS = (
    COMPARISONS | LOGIC | BINARY | UNARY | {"leaky_relu", "clip", "where", "cast"}
)
"""Every name that a `Call` may carry. leaky_relu(x, alpha), clip(x, low, high), where(condition, a, b)."""


@dataclass(frozen=True)
class Const:
    """A number of a given dtype; bools and integers are Python ints, floats Python floats."""

    value: float | int
    dtype: str

    def __str__(self) -> str:
        return repr(self.value)


@dataclass(frozen=True)
class Load:
    """One element of `tensor`, which has one index per axis."""

    tensor: str
    index: tuple[Index, ...]
    dtype: str

    def __str__(self) -> str:
        return f"{self.tensor}[{', '.join(map(str, self.index))}]"


@dataclass(frozen=True)
class AxisValue:
    """An index read as a number: int64, or cast by the `Call` around it."""

    index: Index
    dtype: str = "int64"

    def __str__(self) -> str:
        return str(self.index)


@dataclass(frozen=True)
class Call:
    """An operation on expressions; `dtype` is that of the result (for `cast`, the wanted one)."""

    op: str
    args: tuple[Expr, ...]
    dtype: str

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.op, self.args, self.dtype))

    def __str__(self) -> str:
        name = f"cast_{self.dtype}" if self.op == "cast" else self.op
        infix = _INFIX.get(self.op)
        if infix and len(self.args) == 2:
            return f"({self.args[0]} {infix} {self.args[1]})"
        return f"{name}({', '.join(map(str, self.args))})"


Expr = Const | Load | AxisValue | Call

_INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/", "equal": "==", "not_equal": "!=", "less": "<",
          "less_equal": "<=", "greater": ">", "greater_equal": ">=", "logical_and": "and", "logical_or": "or"}


def rewrite(expr: Expr, leaf: Callable[[Const | Load | AxisValue], Expr]) -> Expr:
    """The same tree with every leaf replaced by `leaf(it)`; untouched branches are shared."""
    if not isinstance(expr, Call):
        return leaf(expr)
    args = tuple(rewrite(arg, leaf) for arg in expr.args)
    return expr if all(a is b for a, b in zip(args, expr.args, strict=True)) else replace(expr, args=args)


def reindex(expr: Expr, change: Callable[[Index], Index]) -> Expr:
    """`expr` with every index, of loads and of axis values, replaced by `change(it)`."""

    def leaf(node: Const | Load | AxisValue) -> Expr:
        if isinstance(node, Load):
            index = tuple(change(part) for part in node.index)
            return node if index == node.index else replace(node, index=index)
        if isinstance(node, AxisValue):
            return replace(node, index=change(node.index))
        return node

    return rewrite(expr, leaf)


def at(expr: Expr, values: Mapping[str, Index]) -> Expr:
    """`expr` with its axes replaced."""
    return reindex(expr, lambda index: index.substitute(values))


def walk(expr: Expr) -> Iterator[Expr]:
    """Every node, the arguments before the call."""
    if isinstance(expr, Call):
        for arg in expr.args:
            yield from walk(arg)
    yield expr


def loads(expr: Expr) -> tuple[Load, ...]:
    """The distinct loads, in order of first appearance."""
    return tuple(dict.fromkeys(node for node in walk(expr) if isinstance(node, Load)))
