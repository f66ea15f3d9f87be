"""Ops that only move elements: transpose, reshape, pad, slice, concat, expand_dims, squeeze."""

from __future__ import annotations

from ansord_client.index import Index
from ansord_client.subgraph import Node

from ansord.dag.dag import Tensor
from ansord.dag.expand.scope import Scope, choose, compare, letters, number, points, read


def pad(node: Node, args: tuple[Tensor], scope: Scope) -> Tensor:
    """`value` around x."""
    (source,) = args
    axes = letters(node.shape)
    conditions = []
    inside = []
    for axis, extent, (before, after) in zip(axes, source.shape, node.attrs["pads"], strict=True):
        place = Index.of(axis.name)
        inside.append(place - before)
        if before:
            conditions.append(compare("greater_equal", place, before))
        if after:
            conditions.append(compare("less", place, before + extent))
    return scope.stage(
        node.shape, axes, choose(conditions, read(source, inside), number(node.attrs["value"], node.dtype))
    )
