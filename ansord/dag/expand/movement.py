"""Ops that only move elements: transpose, reshape, pad, slice, concat, expand_dims, squeeze."""

from __future__ import annotations

from itertools import accumulate

from ansord.dag.dag import Tensor
from ansord.dag.expand.scope import Scope, read
from ansord.dag.words import choose, compare, letters, number, points, ranges
from ansord_client.expr import Expr
from ansord_client.graph import Node
from ansord_client.index import Index


def transpose(node: Node, args: tuple[Tensor], scope: Scope) -> Tensor:
    """Axis p of the result is axis perm[p] of x."""
    axes = letters(node.shape)
    place = dict(zip(node.attrs["perm"], points(axes), strict=True))
    return scope.stage(node.shape, axes, read(args[0], [place[axis] for axis in sorted(place)]))


def reshape(node: Node, args: tuple[Tensor], scope: Scope) -> Tensor:
    """The same elements in the same order under another shape; also expand_dims and squeeze."""
    axes = letters(node.shape)
    target = Tensor("", node.shape, node.dtype)
    source = args[0].unravel(target.offset(points(axes)), ranges(*axes))
    return scope.stage(node.shape, axes, read(args[0], source))


def pad(node: Node, args: tuple[Tensor], scope: Scope) -> Tensor:
    """`value` around x."""
    (source,) = args
    axes = letters(node.shape)
    conditions: list[Expr] = []
    inside: list[Index] = []
    for axis, extent, (before, after) in zip(axes, source.shape, node.attrs["pads"], strict=True):
        place = Index.of(axis.name)
        inside.append(place - before)
        if before:
            conditions.append(compare("greater_equal", place, before))
        if after:
            conditions.append(compare("less", place, before + extent))
    value = number(node.attrs["value"], node.dtype)
    return scope.stage(node.shape, axes, choose(conditions, read(source, inside), value))


def cut(node: Node, args: tuple[Tensor], scope: Scope) -> Tensor:
    """slice: start + step · i along each axis."""
    axes = letters(node.shape)
    bounds = node.attrs["bounds"]
    source = [at * step + start for at, (start, _, step) in zip(points(axes), bounds, strict=True)]
    return scope.stage(node.shape, axes, read(args[0], source))


def concat(node: Node, args: tuple[Tensor, ...], scope: Scope) -> Tensor:
    """The tensors one after another along an axis: a balanced tree of choices by place."""
    axis: int = node.attrs["axis"]
    axes = letters(node.shape)
    here = points(axes)
    starts = [0, *accumulate(tensor.shape[axis] for tensor in args)]

    def among(first: int, last: int) -> Expr:
        if last - first == 1:
            index = [part - starts[first] if place == axis else part for place, part in enumerate(here)]
            return read(args[first], index)
        middle = (first + last) // 2
        before = compare("less", here[axis], starts[middle])
        return choose([before], among(first, middle), among(middle, last))

    return scope.stage(node.shape, axes, among(0, len(args)))
