"""Which tasks are alike: the same structure of operations, and about the same number of flops.

Kernels of like tasks reach like speeds; one that is far slower than its group has not been searched enough.
"""

from __future__ import annotations

import math

from ansord_client.subgraph import Node, Subgraph

GOLDEN = (1 + math.sqrt(5)) / 2
"""Sizes within about this factor are alike, as in TVM's task scheduler."""
TELLING = ("kernel", "stride", "dilation", "transpose_a", "transpose_b", "approximate", "expr")
"""Attributes that change the kind of work, not just its size or its numbers."""
USUAL = {1, False}


def similar(subgraph: Subgraph) -> str:
    """The name of the subgraph's group, for people too: `conv2d 3x3 stride=2x2 · add · relu @41`."""
    ops = " · ".join(_structure(subgraph, node) for node in subgraph.live)
    size = int(math.log(subgraph.flops + 1, GOLDEN))
    return f"{ops} @{size}"


def _structure(subgraph: Subgraph, node: Node) -> str:
    """The op, its window and those attributes that change the kind of work."""
    words = [node.op]
    if node.op.startswith("conv"):
        words.append(_text(subgraph.tensor(str(node.args[1])).shape[:-2]))
    groups = node.attrs.get("groups", 1)
    if groups != 1:
        words.append("depthwise" if groups == subgraph.arg_shapes(node)[0][-1] else "grouped")
    for name in TELLING:
        value = node.attrs.get(name, 1)
        if not USUAL.issuperset(value if isinstance(value, tuple) else (value,)):
            words.append(f"{name}={_text(value)}")
    if node.dtype != "float32":
        words.append(node.dtype)
    return " ".join(words)


def _text(value: object) -> str:
    return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)
