"""The identity of a subgraph: a text that equal computations share, and its hash, the key.

Only integers, words and floats enter, floats as C99 hexadecimal: the same bytes on every host.
Names, order of nodes, dead nodes and spelled-out defaults do not enter. No algebra is done.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from ansord_client.expr import AxisValue, Const, Expr, Load
from ansord_client.graph import Input, Node
from ansord_client.index import Index
from ansord_client.ops import Definition

VERSION = 1


def canonical_text(
    inputs: Sequence[Input], nodes: Sequence[Node], outputs: Sequence[str], numerics: str
) -> str:
    """`["ansord", version, numerics, inputs, nodes, outputs]` as compact JSON.

    Inputs are [dtype, shape, constant] in call order, nodes [op, args, attributes] in the order of
    a walk depth first from the outputs, args in order. Tensors are called i0, i1 … and n0, n1 …
    """
    names = {tensor.name: f"i{position}" for position, tensor in enumerate(inputs)}
    rows = []
    for position, node in enumerate(walk_order(nodes, outputs)):
        args = [names[arg] if isinstance(arg, str) else encoded(arg) for arg in node.args]
        definition = node.attrs.get("definition")
        attrs = defined(definition, node.args) if isinstance(definition, Definition) else encoded(node.attrs)
        names[node.name] = f"n{position}"
        rows.append([node.op, args, attrs])
    heads = [[tensor.dtype, encoded(tensor.shape), tensor.constant] for tensor in inputs]
    ends = [names[name] for name in outputs]
    whole = ["ansord", VERSION, numerics, heads, rows, ends]
    return json.dumps(whole, separators=(",", ":"), sort_keys=True, ensure_ascii=True, allow_nan=False)


def digest(text: str) -> str:
    """The key of a canonical text: SHA-256 as 64 hexadecimal digits."""
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def walk_order(nodes: Sequence[Node], outputs: Sequence[str]) -> tuple[Node, ...]:
    """The nodes that the outputs need, depth first from the outputs, args first and in order."""
    known = {node.name: node for node in nodes}
    ordered: dict[str, Node] = {}
    pending = list(reversed(outputs))
    while pending:
        node = known[pending[-1]]
        missing = next((arg for arg in node.reads if arg in known and arg not in ordered), None)
        if missing is not None:
            pending.append(missing)
        else:
            ordered[node.name] = node
            pending.pop()
    return tuple(ordered.values())


def encoded(value: Any) -> Any:
    """Tuples as lists, floats as hexadecimal text ("0x1.8000000000000p+1"), the rest as it is."""
    if isinstance(value, float):
        return value.hex()
    if isinstance(value, tuple):
        return [encoded(item) for item in value]
    if isinstance(value, Mapping):
        return {key: encoded(item) for key, item in value.items()}
    if value is None or isinstance(value, bool | int | str):
        return value
    raise TypeError(f"{type(value).__name__} has no canonical form")


def defined(definition: Definition, args: Sequence[object]) -> dict[str, Any]:
    """A `compute`: axes are called a0, a1 … by first use, tensors by their position among the args."""
    every = (*definition.axes, *definition.reduce)
    names: dict[str, int | str | Index] = {name: f"a{position}" for position, (name, _) in enumerate(every)}
    return {
        "axes": [extent for _, extent in definition.axes],
        "reduce": [extent for _, extent in definition.reduce],
        "combiner": definition.combiner,
        "body": _body(definition.body, names, args),
    }


def _body(expr: Expr, names: Mapping[str, int | str | Index], args: Sequence[object]) -> Any:
    if isinstance(expr, Const):
        return [expr.dtype, encoded(expr.value)]
    if isinstance(expr, Load):
        return ["load", args.index(expr.tensor), *(str(index.substitute(names)) for index in expr.index)]
    if isinstance(expr, AxisValue):
        return ["axis", str(expr.index.substitute(names))]
    return [expr.op, expr.dtype, *(_body(arg, names, args) for arg in expr.args)]
