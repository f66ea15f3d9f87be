"""From a subgraph to tensor expressions: one entry of `EXPANSIONS` for each op of the client's table.

Called by whoever tunes, shows or tests a subgraph. Names of the file never get in: inputs are a0, a1 …,
stages s0, s1 … in the canonical order, so that equal keys give equal dags.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansord.dag.dag import Dag, Tensor
from ansord.dag.expand.contraction import matmul
from ansord.dag.expand.convolution import convolution
from ansord.dag.expand.definition import compute
from ansord.dag.expand.elementwise import clip, convert, gelu, leaky_relu, plain
from ansord.dag.expand.movement import concat, cut, pad, reshape, transpose
from ansord.dag.expand.normalisation import batch_norm, layer_norm, log_softmax, softmax
from ansord.dag.expand.pooling import avg_pool, max_pool
from ansord.dag.expand.reduction import COMBINERS, reduction
from ansord.dag.expand.scope import Operand, Scope
from ansord.dag.expand.transposed import transposed
from ansord.dag.simplify import simplify
from ansord.dag.words import number
from ansord_client.canonical import walk_order
from ansord_client.graph import Node
from ansord_client.subgraph import Subgraph

Expansion = Callable[[Node, Any, Scope], Tensor]

EXPANSIONS: Mapping[str, Expansion] = {
    **dict.fromkeys(("conv1d", "conv2d", "conv3d"), convolution),
    **dict.fromkeys(("conv1d_transpose", "conv2d_transpose", "conv3d_transpose"), transposed),
    "matmul": matmul,
    "max_pool": max_pool,
    "avg_pool": avg_pool,
    **dict.fromkeys(COMBINERS, reduction),
    "softmax": softmax,
    "log_softmax": log_softmax,
    "layer_norm": layer_norm,
    "batch_norm": batch_norm,
    **dict.fromkeys(("add", "sub", "mul", "div", "maximum", "minimum", "pow"), plain),
    **dict.fromkeys(("equal", "less", "greater", "logical_and", "logical_or", "logical_not"), plain),
    **dict.fromkeys(("relu", "sigmoid", "tanh", "erf", "silu", "hard_swish", "exp", "log"), plain),
    **dict.fromkeys(("sin", "cos", "sqrt", "rsqrt", "neg", "abs", "floor", "where"), plain),
    "leaky_relu": leaky_relu,
    "clip": clip,
    "gelu": gelu,
    "cast": convert,
    "transpose": transpose,
    **dict.fromkeys(("reshape", "expand_dims", "squeeze"), reshape),
    "pad": pad,
    "slice": cut,
    "concat": concat,
    "compute": compute,
}


def expand(subgraph: Subgraph) -> Dag:
    """The dag of a validated subgraph: every input, and the stages that its outputs need."""
    tensors = {
        given.name: Tensor(f"a{place}", given.shape, given.dtype, given.constant)
        for place, given in enumerate(subgraph.inputs)
    }
    inputs = tuple(tensors.values())
    scope = Scope()
    for node in walk_order(subgraph.nodes, subgraph.outputs):
        tensors[node.name] = EXPANSIONS[node.op](node, _operands(node, tensors), scope)
    outputs = tuple(tensors[name].name for name in subgraph.outputs)
    return simplify(Dag(inputs, tuple(scope.stages), outputs))


def _operands(node: Node, tensors: Mapping[str, Tensor]) -> tuple[Operand, ...]:
    """Arguments as tensors; numbers take the dtype of the tensors beside them (of the result, in `where`)."""
    given = [tensors[arg] for arg in node.args if isinstance(arg, str)]
    dtype = given[0].dtype if given and node.op != "where" else node.dtype
    return tuple(tensors[arg] if isinstance(arg, str) else number(arg, dtype) for arg in node.args)
