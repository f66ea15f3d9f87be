"""Which tensors are exact on whole inputs: values are multiples of a power of two and small enough.

A tensor's grain g says that all of its values are multiples of 2^g. Sums and products keep a grain; division,
roots and the like have none. If moreover the sum of the magnitudes of all terms is at most 2^24 grains (2^53
in float64), then no order of summation, and no fused multiply-add, ever rounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ansord_client.dtypes import DTYPES, Number
from ansord_client.expr import COMPARISONS, LOGIC, AxisValue, Call, Const, Expr, Load
from ansord_client.graph import Node
from ansord_client.ops import Definition
from ansord_client.reference import evaluate
from ansord_client.reference.step import Array
from ansord_client.subgraph import Subgraph

Grain = int | None
"""None: no grain, the values are rounded."""

_FINEST = -12
"""A number with a finer grain, such as 0.1, leaves no room for sums: rounded."""

_ROUGH, _SLACK = "float32", 1.1
"""Magnitudes are summed up in single precision, and counted for a little more than that gives."""

_SUMS = COMPARISONS | LOGIC | {"add", "sub", "maximum", "minimum", "where", "clip", "concat"}
_SAME = {"relu", "neg", "abs", "floor", "cast", "transpose", "reshape", "expand_dims", "squeeze", "slice"} | {
    "reduce_sum",
    "reduce_max",
    "reduce_min",
    "max_pool",
}
_PRODUCTS = {"mul", "matmul"} | {f"conv{n}d{kind}" for n in (1, 2, 3) for kind in ("", "_transpose")}


def grains(sg: Subgraph) -> dict[str, Grain]:
    """The grain of every live tensor for whole inputs."""
    found: dict[str, Grain] = {one.name: 0 for one in sg.inputs}
    for node in sg.live:
        args = [found[arg] if isinstance(arg, str) else _number(arg) for arg in node.args]
        found[node.name] = _node(sg, node, args)
    return found


def largest(sg: Subgraph, arrays: Sequence[Array]) -> float:
    """The largest sum of magnitudes in any exact float tensor, as a share of what stays exact."""
    exact = {name for name, grain in grains(sg).items() if grain is not None}
    nodes = [_magnitude(node, exact) for node in sg.live if node.name in exact]
    read = {name for node in nodes for name in node.reads}
    ends = tuple(node.name for node in nodes if node.name not in read)
    if not ends:
        return 0.0
    inputs = tuple(replace(one, dtype=_ROUGH) for one in sg.inputs)
    worst = 0.0

    def watch(node: Node, values: Array) -> Array:
        nonlocal worst
        declared = sg.tensor(node.name).dtype
        if DTYPES[declared].kind == "float":
            grain = found[node.name] or 0
            worst = max(worst, _SLACK * float(values.max()) * 2.0**-grain * DTYPES[declared].eps / 2)
        return values

    found = grains(sg)
    magnitudes = [np.abs(array) for array in arrays]
    evaluate(Subgraph(inputs, tuple(nodes), ends), magnitudes, watch=watch)
    return worst


def _number(value: Number) -> Grain:
    grain = 1 - value.as_integer_ratio()[1].bit_length()
    return grain if grain >= _FINEST else None


def _node(sg: Subgraph, node: Node, args: list[Grain]) -> Grain:
    definition = node.attrs.get("definition")
    if isinstance(definition, Definition):
        return _combined(definition, dict(zip(node.reads, args, strict=True)))
    known = [grain for grain in args if grain is not None]
    if len(known) < len(args):
        return None
    extra = [
        _number(node.attrs[name]) for name in ("min", "max", "value") if node.attrs.get(name) is not None
    ]
    if None in extra:
        return None
    if node.op == "cast" and DTYPES[node.dtype].kind != "float":
        return 0
    if node.op == "reduce_prod":
        return 0 if known == [0] else None
    if node.op in ("reduce_mean", "avg_pool"):
        return _mean(sg, node, known[0])
    return _operation(node.op, [*known, *(grain for grain in extra if grain is not None)])


def _operation(op: str, args: list[int]) -> Grain:
    if op in COMPARISONS or op in LOGIC:
        return 0
    if op in _PRODUCTS:
        return sum(args)
    return min(args) if op in _SUMS or op in _SAME or op == "pad" else None


def _mean(sg: Subgraph, node: Node, grain: int) -> Grain:
    """Exact where it divides by one power of two everywhere."""
    count = sg.terms(node)
    padded = node.op == "avg_pool" and (node.attrs["ceil_mode"] or any(map(any, node.attrs["padding"])))
    return None if padded or count & (count - 1) else grain - count.bit_length() + 1


def _combined(definition: Definition, tensors: dict[str, Grain]) -> Grain:
    grain = _expression(definition.body, tensors)
    return None if definition.combiner == "mul" and grain != 0 and definition.terms > 1 else grain


def _expression(expr: Expr, tensors: dict[str, Grain]) -> Grain:
    if isinstance(expr, Const):
        return _number(expr.value)
    if isinstance(expr, Load):
        return tensors[expr.tensor]
    if isinstance(expr, AxisValue):
        return 0
    args = [_expression(arg, tensors) for arg in expr.args]
    known = [grain for grain in args if grain is not None]
    return _operation(expr.op, known) if len(known) == len(args) else None


def _magnitude(node: Node, exact: set[str]) -> Node:
    """A node that bounds the magnitude of every partial sum of `node` from the magnitudes of its args."""
    args = tuple(arg if isinstance(arg, str) else abs(float(arg)) for arg in node.args)
    node = replace(node, args=args, dtype=_ROUGH)
    definition = node.attrs.get("definition")
    if isinstance(definition, Definition):
        return _compute(node, definition)
    if node.op in COMPARISONS or node.op in LOGIC:
        return replace(node, op="maximum", args=(1.0, 1.0))
    if node.op == "where":
        return replace(node, op="maximum", args=args[1:])
    if node.op in ("sub", "minimum", "reduce_min"):
        return replace(node, op={"sub": "add", "minimum": "maximum", "reduce_min": "reduce_max"}[node.op])
    if node.op == "clip":
        bounds = [abs(float(node.attrs[name])) for name in ("min", "max") if node.attrs[name] is not None]
        return replace(node, op="maximum", args=(args[0], max(bounds)))
    if node.op == "floor":
        return replace(node, op="add", args=(args[0], 1.0))
    if node.op in ("relu", "neg", "abs", "cast"):
        return replace(node, op="abs")
    if node.op == "pad":
        return replace(node, attrs={**node.attrs, "value": abs(float(node.attrs["value"]))})
    return node


def _compute(node: Node, definition: Definition) -> Node:
    body = _bound(definition.body)
    combiner = "maximum" if definition.combiner == "minimum" else definition.combiner
    text = definition.text
    bounded = Definition(definition.axes, definition.reduce, combiner, body, text)
    # Tensors that only conditions read are no longer in the body, but stay args of the node.
    return replace(node, attrs={"definition": bounded})


def _bound(expr: Expr) -> Expr:
    if isinstance(expr, Const):
        return Const(abs(float(expr.value)), _ROUGH)
    if isinstance(expr, Load):
        return replace(expr, dtype=_ROUGH)
    if isinstance(expr, AxisValue) or expr.op in COMPARISONS or expr.op in LOGIC:
        return Const(1.0, _ROUGH)
    args = tuple(_bound(arg) for arg in (expr.args[1:] if expr.op == "where" else expr.args))
    op = {"sub": "add", "minimum": "maximum", "where": "maximum", "clip": "maximum"}.get(expr.op, expr.op)
    if op == "floor":
        return Call("add", (args[0], Const(1.0, _ROUGH)), _ROUGH)
    if op in ("relu", "neg", "abs"):
        return args[0]
    if len(args) == 3:
        args = (args[0], Call("maximum", args[1:], _ROUGH))
    return Call(op, args, _ROUGH)
