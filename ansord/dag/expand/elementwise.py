"""Ops whose element depends on one element of each argument: arithmetic, activations, where, cast."""

from __future__ import annotations

from ansord.dag.dag import Tensor
from ansord.dag.expand.scope import Operand, Scope, read
from ansord.dag.words import call, cast, letters, number, points
from ansord_client.expr import Expr
from ansord_client.graph import Node


def plain(node: Node, args: tuple[Operand, ...], scope: Scope) -> Tensor:
    """Any op that is spelled the same in an expression; arguments broadcast."""
    if node.op == "floor" and not node.dtype.startswith("float"):
        return _map(node, scope, *_elements(node, args))
    return _map(node, scope, call(node.op, *_elements(node, args), dtype=node.dtype))


def leaky_relu(node: Node, args: tuple[Operand], scope: Scope) -> Tensor:
    """x where x > 0, else x · alpha."""
    (x,) = _elements(node, args)
    return _map(node, scope, call("leaky_relu", x, number(node.attrs["alpha"], node.dtype)))


def clip(node: Node, args: tuple[Operand], scope: Scope) -> Tensor:
    """minimum(maximum(x, min), max), either of which may be missing."""
    (x,) = _elements(node, args)
    low, high = node.attrs["min"], node.attrs["max"]
    if low is not None and high is not None:
        body: Expr = call("clip", x, number(low, node.dtype), number(high, node.dtype))
    elif low is not None:
        body = call("maximum", x, number(low, node.dtype))
    else:
        body = x if high is None else call("minimum", x, number(high, node.dtype))
    return _map(node, scope, body)


def gelu(node: Node, args: tuple[Operand], scope: Scope) -> Tensor:
    """By erf, or the tanh form."""
    (x,) = _elements(node, args)
    return _map(node, scope, call("gelu_tanh" if node.attrs["approximate"] else "gelu", x))


def convert(node: Node, args: tuple[Operand], scope: Scope) -> Tensor:
    """Another dtype; a copy where it is the same."""
    (x,) = _elements(node, args)
    return _map(node, scope, cast(x, node.dtype))


def _elements(node: Node, args: tuple[Operand, ...]) -> list[Expr]:
    index = points(letters(node.shape))
    return [read(arg, index) for arg in args]


def _map(node: Node, scope: Scope, body: Expr) -> Tensor:
    return scope.stage(node.shape, letters(node.shape), body)
