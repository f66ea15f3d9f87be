"""The few words in which expressions are written, by expansions and rewrites alike."""

from __future__ import annotations

from collections.abc import Sequence

from ansord.dag.dag import Axis
from ansord_client.expr import AxisValue, Call, Const, Expr
from ansord_client.index import Index


def letters(shape: Sequence[int]) -> tuple[Axis, ...]:
    """One axis per dimension, named i, j, k …"""
    return tuple(Axis(name, extent) for name, extent in zip("ijklmpqr", shape, strict=False))


def ranges(*axes: Axis) -> dict[str, tuple[int, int]]:
    """Inclusive bounds of axes."""
    return {axis.name: (0, axis.extent - 1) for axis in axes}


def points(axes: Sequence[Axis]) -> tuple[Index, ...]:
    """The axes as an index."""
    return tuple(Index.of(axis.name) for axis in axes)


def call(op: str, *args: Expr, dtype: str | None = None) -> Call:
    """An operation whose result has the dtype of its last argument, or `dtype`."""
    return Call(op, args, dtype or args[-1].dtype)


def cast(value: Expr, dtype: str) -> Expr:
    """`value` in another dtype; itself where it has it already."""
    return value if value.dtype == dtype else Call("cast", (value,), dtype)


def number(value: float, dtype: str) -> Const:
    """A literal of a dtype."""
    return Const(float(value) if dtype.startswith("float") else int(value), dtype)


def compare(op: str, index: Index, bound: int) -> Call:
    """A condition on the place, not on the data."""
    return Call(op, (AxisValue(index), Const(bound, "int64")), "bool")


def choose(conditions: Sequence[Expr], inside: Expr, outside: Expr) -> Expr:
    """`inside` where all conditions hold; the plain value where there is none."""
    if not conditions:
        return inside
    condition = conditions[0]
    for other in conditions[1:]:
        condition = call("logical_and", condition, other)
    return call("where", condition, inside, outside)
