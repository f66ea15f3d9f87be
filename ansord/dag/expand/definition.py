"""compute: the user's own expression, with our names for tensors and axes."""

from __future__ import annotations

from dataclasses import replace

from ansord.dag.dag import Axis, Tensor
from ansord.dag.expand.scope import Scope
from ansord.dag.words import letters, points
from ansord_client.expr import AxisValue, Const, Expr, Load, at, rewrite
from ansord_client.graph import Node
from ansord_client.ops import Definition

_REDUCED = "uvxyzstw"


def compute(node: Node, args: tuple[Tensor, ...], scope: Scope) -> Tensor:
    """The definition as it stands; axes of the result are i, j, k …, reduced ones u, v, x …"""
    definition: Definition = node.attrs["definition"]
    tensors = dict(zip(node.reads, args, strict=True))
    axes = letters(definition.shape)
    reduce = [
        Axis(_REDUCED[place] if place < len(_REDUCED) else f"u{place}", extent)
        for place, (_, extent) in enumerate(definition.reduce)
    ]
    ours = zip((*definition.axes, *definition.reduce), points([*axes, *reduce]), strict=True)

    def leaf(part: Const | Load | AxisValue) -> Expr:
        return replace(part, tensor=tensors[part.tensor].name) if isinstance(part, Load) else part

    body = at(rewrite(definition.body, leaf), {name: index for (name, _), index in ours})
    return scope.stage(node.shape, axes, body, reduce=reduce, combiner=definition.combiner)
