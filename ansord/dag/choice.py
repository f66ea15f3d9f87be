"""Choices by place: an expression for each point of an index, and which of them a point gets.

Written with `where` and `less`, like every condition on the place; where the place is known when the text is
written, nothing of it is left.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from ansord.dag.dag import Stage
from ansord.dag.words import choose, compare
from ansord_client.expr import AxisValue, Call, Const, Expr
from ansord_client.index import Index


def choice(index: Index, options: Sequence[Expr]) -> Expr:
    """`options[index]`; a tree, so that few comparisons tell which one."""
    if len(options) == 1:
        return options[0]
    middle = len(options) // 2
    return _choice(index, options, 0, middle)


def _choice(index: Index, options: Sequence[Expr], first: int, middle: int) -> Expr:
    def half(part: Sequence[Expr], start: int) -> Expr:
        return part[0] if len(part) == 1 else _choice(index, part, start, len(part) // 2)

    below = compare("less", index, first + middle)
    lower, upper = half(options[:middle], first), half(options[middle:], first + middle)
    return choose([below], lower, upper)


def settled(expr: Expr, point: Mapping[str, int]) -> Expr:
    """The option that a point gets, wherever its coordinates alone decide."""
    while isinstance(expr, Call) and expr.op == "where":
        known = _truth(expr.args[0], point)
        if known is None:
            return expr
        expr = expr.args[1 if known else 2]
    return expr


def options(stage: Stage) -> Iterator[Expr]:
    """The stage's body at each point of its units; itself where it has none."""
    names = [name for name, _ in stage.units]
    for point in product(*(range(stage.unit(name) or 1) for name in names)):
        yield settled(stage.body, dict(zip(names, point, strict=True)))


def _truth(condition: Expr, point: Mapping[str, int]) -> bool | None:
    match condition:
        case Call(op="less", args=(AxisValue(index=index), Const(value=bound))) if index.axes <= point.keys():
            return index.evaluate(point) < bound
    return None
