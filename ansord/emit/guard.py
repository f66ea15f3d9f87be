"""Conditions on positions: what they guard may be read only where they hold, so C must not hoist it."""

from __future__ import annotations

from functools import lru_cache

from ansord.emit.address import c_index
from ansord.emit.ctype import literal
from ansord.emit.frame import Frame, Point
from ansord.emit.ops import COMPARE
from ansord_client.expr import COMPARISONS, LOGIC, AxisValue, Call, Const, Expr, walk


@lru_cache(maxsize=4096)
def is_guard(condition: Expr) -> bool:
    """Whether a condition compares positions only, so that it may guard what it makes legal to read."""
    nodes = list(walk(condition))
    return any(isinstance(node, AxisValue) for node in nodes) and all(
        isinstance(node, AxisValue | Const)
        or (isinstance(node, Call) and node.op in COMPARISONS | LOGIC | {"cast"})
        for node in nodes
    )


def truth(condition: Expr, frame: Frame, point: Point, lane: int | None) -> bool | None:
    """The condition where it is the same in every iteration, else None."""
    if not isinstance(condition, Call):
        return None
    if condition.op in ("logical_and", "logical_or"):
        sides = [truth(arg, frame, point, lane) for arg in condition.args]
        decisive = condition.op == "logical_or"
        if decisive in sides:
            return decisive
        return None if None in sides else not decisive
    if condition.op not in ("less", "less_equal", "greater", "greater_equal"):
        return None
    bounds = [_bounds(side, frame, point, lane) for side in condition.args]
    if condition.op.startswith("greater"):
        bounds.reverse()
    left, right = bounds
    if left is None or right is None:
        return None
    if condition.op in ("less", "greater"):
        return True if left[1] < right[0] else False if left[0] >= right[1] else None
    return True if left[1] <= right[0] else False if left[0] > right[1] else None


def _bounds(expr: Expr, frame: Frame, point: Point, lane: int | None) -> tuple[float, float] | None:
    if isinstance(expr, Const):
        return expr.value, expr.value
    if isinstance(expr, AxisValue):
        return frame.flat(expr.index, point, lane).interval(frame.scope.bounds)
    return None


def condition_text(condition: Expr, frame: Frame, point: Point, lane: int | None) -> str:
    """The condition in C, without the parts that hold in every iteration."""
    if isinstance(condition, Const):
        return literal(condition.value, condition.dtype)
    if isinstance(condition, AxisValue):
        return c_index(frame.flat(condition.index, point, lane), frame.scope.bounds)
    assert isinstance(condition, Call)
    args = condition.args
    if condition.op in ("logical_and", "logical_or"):
        neutral = condition.op == "logical_and"
        args = tuple(arg for arg in args if truth(arg, frame, point, lane) is not neutral)
    texts = [condition_text(arg, frame, point, lane) for arg in args]
    match condition.op:
        case "logical_and" | "logical_or":
            joint = " && " if condition.op == "logical_and" else " || "
            return texts[0] if len(texts) == 1 else f"({joint.join(texts)})"
        case "logical_not":
            return f"!{texts[0]}"
        case "cast":
            return texts[0]
    return f"({texts[0]} {COMPARE[condition.op]} {texts[1]})"
