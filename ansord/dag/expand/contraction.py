"""matmul, with NumPy's broadcasting of the batch axes and its rules for vectors."""

from __future__ import annotations

import numpy as np

from ansord.dag.dag import Axis, Tensor
from ansord.dag.expand.scope import Scope, read
from ansord.dag.words import call, cast, points
from ansord_client.graph import Node
from ansord_client.index import Index


def matmul(node: Node, args: tuple[Tensor, Tensor], scope: Scope) -> Tensor:
    """y[*b,i,j] = sum over k of a[*b,i,k] · b[*b,k,j]; a vector has no i, or no j."""
    left, right = args
    batch = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    names = ["b"] if len(batch) == 1 else [f"b{place}" for place in range(len(batch))]
    outer = [Axis(name, extent) for name, extent in zip(names, batch, strict=True)]
    rows, columns = len(left.shape) > 1, len(right.shape) > 1
    depth = left.shape[-2 if node.attrs["transpose_a"] else -1]
    inner = []
    if rows:
        inner.append(Axis("i", left.shape[-1 if node.attrs["transpose_a"] else -2]))
    if columns:
        inner.append(Axis("j", right.shape[-2 if node.attrs["transpose_b"] else -1]))
    first = ["k", "i"] if node.attrs["transpose_a"] else ["i", "k"]
    second = ["j", "k"] if node.attrs["transpose_b"] else ["k", "j"]
    a = read(left, [*points(outer), *map(Index.of, first if rows else ["k"])])
    b = read(right, [*points(outer), *map(Index.of, second if columns else ["k"])])
    return scope.stage(
        node.shape,
        [*outer, *inner],
        call("mul", cast(a, node.dtype), cast(b, node.dtype)),
        reduce=[Axis("k", depth)],
        combiner="add",
    )
