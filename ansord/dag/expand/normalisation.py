"""batch_norm, layer_norm, softmax and log_softmax, cut so that no division or root runs per element.

What belongs to a whole row or channel (a mean, a reciprocal) is a small stage of its own.
"""

from __future__ import annotations

from math import prod

from ansord.dag.dag import Axis, Tensor
from ansord.dag.expand.reduction import collapse
from ansord.dag.expand.scope import Operand, Scope, read
from ansord.dag.words import call, letters, number, points
from ansord_client.expr import Expr
from ansord_client.graph import Node
from ansord_client.index import Index


def batch_norm(node: Node, args: tuple[Operand, ...], scope: Scope) -> Tensor:
    """(x - mean) · factor + bias, where factor = scale / sqrt(var + epsilon) per channel.

    The mean is taken off first, as in the definition: folding it into the bias would cancel badly.
    """
    x, scale, bias, mean, var = args
    axes = letters(node.shape)
    channel, here = points(axes[-1:]), points(axes)
    deviation = call("sqrt", call("add", read(var, channel), number(node.attrs["epsilon"], node.dtype)))
    factor = scope.stage(node.shape[-1:], axes[-1:], call("div", read(scale, channel), deviation))
    scaled = call("mul", call("sub", read(x, here), read(mean, here)), read(factor, here))
    return scope.stage(node.shape, axes, call("add", scaled, read(bias, here)))


def layer_norm(node: Node, args: tuple[Tensor, ...], scope: Scope) -> Tensor:
    """(x - mean) · rsqrt(var + epsilon) · scale + bias over the normalised axes; var in two passes."""
    x, scale, bias = args
    over: tuple[int, ...] = node.attrs["axis"]
    count = number(prod(x.shape[axis] for axis in over), node.dtype)
    axes = letters(node.shape)
    rows = _Rows(scope, axes, over)
    here = points(axes)
    mean = rows.map(call("div", rows.at(collapse(scope, x, over, True, "add")), count))
    centred = call("sub", read(x, here), rows.at(mean))
    spread = rows.reduce(call("mul", centred, centred), "add")
    epsilon = number(node.attrs["epsilon"], node.dtype)
    factor = rows.map(call("rsqrt", call("add", call("div", rows.at(spread), count), epsilon)))
    inner = points([axes[axis] for axis in over])
    scaled = call("mul", call("mul", centred, rows.at(factor)), read(scale, inner))
    return scope.stage(node.shape, axes, call("add", scaled, read(bias, inner)))


def softmax(node: Node, args: tuple[Tensor], scope: Scope) -> Tensor:
    """exp(x - max) times the reciprocal of its row's sum; exp runs once per element."""
    axes = letters(node.shape)
    rows = _Rows(scope, axes, (node.attrs["axis"],))
    power = scope.stage(node.shape, axes, call("exp", _below_max(scope, rows, args[0])))
    total = collapse(scope, power, rows.over, True, "add")
    factor = rows.map(call("div", number(1, node.dtype), rows.at(total)))
    return scope.stage(node.shape, axes, call("mul", read(power, points(axes)), rows.at(factor)))


def log_softmax(node: Node, args: tuple[Tensor], scope: Scope) -> Tensor:
    """x - max - log(sum exp(x - max))."""
    axes = letters(node.shape)
    rows = _Rows(scope, axes, (node.attrs["axis"],))
    shifted = _below_max(scope, rows, args[0])
    total = rows.map(call("log", rows.at(rows.reduce(call("exp", shifted), "add"))))
    return scope.stage(node.shape, axes, call("sub", shifted, rows.at(total)))


def _below_max(scope: Scope, rows: _Rows, source: Tensor) -> Expr:
    largest = collapse(scope, source, rows.over, True, "maximum")
    return call("sub", read(source, points(rows.axes)), rows.at(largest))


class _Rows:
    """Values that belong to a row: tensors of the full rank with extent 1 along the axes `over`."""

    def __init__(self, scope: Scope, axes: tuple[Axis, ...], over: tuple[int, ...]) -> None:
        self.scope = scope
        self.axes = axes
        self.over = over
        self.kept = [axis for place, axis in enumerate(axes) if place not in over]
        self.shape = [1 if place in over else axis.extent for place, axis in enumerate(axes)]
        self.index = [Index() if place in over else at for place, at in enumerate(points(axes))]

    def at(self, tensor: Tensor) -> Expr:
        """The row's value, at any element of the row."""
        return read(tensor, self.index)

    def map(self, body: Expr) -> Tensor:
        """A value per row from others."""
        return self.scope.stage(self.shape, letters(self.shape), body)

    def reduce(self, body: Expr, combiner: str) -> Tensor:
        """A value per row from its elements."""
        over = [self.axes[place] for place in self.over]
        return self.scope.stage(self.shape, self.kept, body, reduce=over, combiner=combiner, index=self.index)
