"""batch_norm, layer_norm, softmax and log_softmax, cut so that no division or root runs per element.

What belongs to a whole row or channel (a reciprocal, a mean) is a small stage of its own.
"""

from __future__ import annotations

from ansord_client.subgraph import Node

from ansord.dag.dag import Tensor
from ansord.dag.expand.scope import Operand, Scope, call, letters, number, points, read


def batch_norm(node: Node, args: tuple[Operand, ...], scope: Scope) -> Tensor:
    """(x - mean) · factor + bias, where factor = scale / sqrt(var + epsilon) per channel.

    The mean is taken off first, as in the definition: folding it into the bias would cancel badly.
    """
    x, scale, bias, mean, var = args
    channels = letters(node.shape)[-1:]
    at = points(channels)
    deviation = call("sqrt", call("add", read(var, at), number(node.attrs["epsilon"], node.dtype)))
    factor = scope.stage(node.shape[-1:], channels, call("div", read(scale, at), deviation))
    axes = letters(node.shape)
    here = points(axes)
    scaled = call("mul", call("sub", read(x, here), read(mean, here)), read(factor, here))
    return scope.stage(node.shape, axes, call("add", scaled, read(bias, here)))
