"""Walks a subgraph node by node: the one table of what each op computes, and the two ways to compute it.

Called by the front door and by `compare`. Frees every array after its last reader.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ansord_client.dtypes import DTYPES
from ansord_client.graph import Node
from ansord_client.reference import compute, contraction, elementwise, movement, reduction
from ansord_client.reference.step import Array, Step
from ansord_client.subgraph import Subgraph

FUNCTIONS: Mapping[str, Callable[[Step], Array]] = {
    **dict.fromkeys(("conv1d", "conv2d", "conv3d"), contraction.conv),
    **dict.fromkeys(("conv1d_transpose", "conv2d_transpose", "conv3d_transpose"), contraction.conv_transpose),
    "matmul": contraction.matmul,
    "max_pool": reduction.max_pool,
    "avg_pool": reduction.avg_pool,
    **dict.fromkeys(
        ("reduce_sum", "reduce_mean", "reduce_max", "reduce_min", "reduce_prod"), reduction.reduce
    ),
    "softmax": reduction.softmax,
    "log_softmax": reduction.log_softmax,
    "layer_norm": reduction.layer_norm,
    "batch_norm": elementwise.batch_norm,
    **dict.fromkeys(("add", "sub", "mul", "div", "maximum", "minimum", "pow"), elementwise.plain),
    **dict.fromkeys(
        ("equal", "less", "greater", "logical_and", "logical_or", "logical_not"), elementwise.plain
    ),
    **dict.fromkeys(
        ("relu", "sigmoid", "tanh", "erf", "silu", "hard_swish", "exp", "log"), elementwise.plain
    ),
    **dict.fromkeys(("sin", "cos", "sqrt", "rsqrt", "neg", "abs", "floor"), elementwise.plain),
    "leaky_relu": elementwise.leaky_relu,
    "clip": elementwise.clip,
    "gelu": elementwise.gelu,
    "where": elementwise.where,
    "cast": elementwise.convert,
    "transpose": movement.transpose,
    **dict.fromkeys(("reshape", "expand_dims", "squeeze"), movement.reshape),
    "pad": movement.pad,
    "slice": movement.cut,
    "concat": movement.concat,
    "compute": compute.compute,
}
"""By op; every op of the table is here."""

Watch = Callable[[Node, Array], Array]
"""May look at the result of a node, and replace it."""


def evaluate(
    sg: Subgraph, arrays: Sequence[Array], *, wide: bool = True, watch: Watch | None = None
) -> tuple[Array, ...]:
    """The outputs, C-contiguous and in their declared dtypes, for inputs that fit.

    `wide`: floats are computed in float64 from widened inputs, each output rounded once at the end; else
    every node computes in its declared dtype. Integers wrap either way.
    """
    values: dict[str, Array] = {one.name: array for one, array in zip(sg.inputs, arrays, strict=True)}
    readers = {name: 1 for name in sg.outputs}
    for node in sg.live:
        for name in node.reads:
            readers[name] = readers.get(name, 0) + 1
    with np.errstate(all="ignore"):
        for node in sg.live:
            final = watch is None and node.name in sg.outputs and readers[node.name] == 1
            result = FUNCTIONS[node.op](_step(sg, node, values, wide, final))
            values[node.name] = result if watch is None else watch(node, result)
            for name in node.reads:
                readers[name] -= 1
                if not readers[name]:
                    del values[name]
        return tuple(_owned(values[name], sg.tensor(name).dtype, arrays) for name in sg.outputs)


def _step(sg: Subgraph, node: Node, values: Mapping[str, Array], wide: bool, final: bool) -> Step:
    """The type of the args is that of the last tensor among them: the condition of `where` comes first."""
    kinds = [sg.tensor(name).dtype for name in node.reads]
    work = _arithmetic(kinds[-1] if kinds else "float32", wide)
    store = _arithmetic(node.dtype, wide and not final)
    args = tuple(values[arg] if isinstance(arg, str) else np.asarray(arg, work) for arg in node.args)
    return Step(node, args, work, store)


def _arithmetic(dtype: str, wide: bool) -> np.dtype[np.generic]:
    row = DTYPES[dtype]
    return np.dtype(np.float64) if wide and row.kind == "float" else row.numpy


def _owned(array: Array, dtype: str, inputs: Sequence[Array]) -> Array:
    """A contiguous array of its own: never a view of an input or of another output."""
    own = array.flags.c_contiguous and array.base is None and not any(array is one for one in inputs)
    return array if own and array.dtype == np.dtype(dtype) else np.array(array, dtype, order="C")
