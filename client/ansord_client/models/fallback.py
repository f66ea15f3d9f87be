"""Runs what our ops do not cover: NumPy for the common ones, ONNX's reference implementation for the rest.

Called by the importer to fold constants, by the interpreter and by the runtime. Needs `onnx` but for lookups.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ansord_client.errors import BadModel
from ansord_client.models.graph import Foreign, Tensor

Array = NDArray[Any]


def run(node: Foreign, arrays: Sequence[Array | None]) -> tuple[Array, ...]:
    """The results, in order; `arrays` has None for args that are left out.

    :raises BadModel: an index outside its table or of a shape that does not fit; ONNX's reference
        implementation cannot run it, or `onnx` is not installed.
    """
    if node.op in LOOKUPS:
        try:
            table, index = arrays
            assert table is not None and index is not None
            return (np.asarray(LOOKUPS[node.op](node, table, index)),)
        except (IndexError, TypeError, ValueError) as error:
            raise BadModel(f"{node.op}: {error}") from error
    evaluator, inputs, outputs = _evaluator(node)
    feeds = {name: array for name, array in zip(inputs, arrays, strict=True) if name}
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            found = iter(evaluator.run([name for name in outputs if name], feeds))
    except Exception as error:  # of many kinds
        raise BadModel(f"{node.op}: ONNX's reference implementation failed: {error}") from error
    return tuple(np.asarray(next(found)) if name else np.zeros(()) for name in outputs)


@lru_cache(1024)
def _evaluator(node: Foreign) -> tuple[Any, list[str], list[str]]:
    try:
        import onnx
        import onnx.reference
    except ImportError as error:
        raise BadModel(
            f"{node.op} needs ONNX's reference implementation: install ansord-client[onnx]"
        ) from error
    proto = onnx.NodeProto.FromString(node.node)
    try:
        evaluator = onnx.reference.ReferenceEvaluator(proto, opsets={"": node.opset})
    except Exception as error:
        raise BadModel(f"{node.op}: ONNX has no reference implementation of it") from error
    return evaluator, list(proto.input), list(proto.output)


def _gather(node: Foreign, table: Array, index: Array) -> Array:
    return np.take(table, index, node.attrs.get("axis", 0))


def _gather_elements(node: Foreign, table: Array, index: Array) -> Array:
    """The index may be shorter than the table along every axis."""
    axis = node.attrs.get("axis", 0) % index.ndim
    part = tuple(slice(None if one == axis else extent) for one, extent in enumerate(index.shape))
    return np.take_along_axis(table[part], index, axis)


def _gather_nd(node: Foreign, table: Array, index: Array) -> Array:
    """The last axis of the index has a place in the table's axes after those of the batch."""
    batch = int(node.attrs.get("batch_dims", 0))
    ahead = index.shape[:batch]
    own = np.indices(ahead).reshape(batch, *ahead, *[1] * (index.ndim - 1 - batch))
    return np.asarray(table[(*own, *np.moveaxis(index, -1, 0))])


LOOKUPS = {"Gather": _gather, "GatherElements": _gather_elements, "GatherND": _gather_nd}
"""ONNX's reference implementation loops in Python here, and fails for some shapes of GatherElements."""


def counted(node: Foreign, reads: Sequence[Tensor], results: Sequence[Tensor]) -> Foreign:
    """The node with its flops: those of a contraction from its weights, else one per element of a result."""
    sizes = [math.prod(one.shape) for one in reads]
    made = sum(math.prod(one.shape) for one, name in zip(results, node.results, strict=True) if name)
    flops = made
    if node.op in ("LSTM", "GRU", "RNN"):
        steps, batch = reads[0].shape[0], reads[0].shape[1]
        flops = 2 * steps * batch * (sizes[1] + sizes[2])
    elif "Conv" in node.op and len(reads) > 1:
        weights = next((one for one in reads[1:] if len(one.shape) > 2), reads[1])
        flops = 2 * (sizes[0] if "Transpose" in node.op else made) * math.prod(weights.shape[1:])
    elif node.op == "Attention" and len(reads) > 2:
        first = math.prod(results[0].shape)
        flops = 2 * (sizes[0] + first) * reads[1].shape[-2]
    elif node.op == "Einsum":
        flops = 2 * math.prod(_extents(str(node.attrs.get("equation", "")), reads).values())
    elif "MatMul" in node.op or node.op == "Gemm":
        flops = 2 * made * reads[0].shape[-1] if reads[0].shape else made
    elif node.op in ("Gather", "GatherElements", "GatherND", "Identity"):
        flops = 0
    return replace(node, flops=flops)


def _extents(equation: str, reads: Sequence[Tensor]) -> dict[str, int]:
    """Of each letter; what an ellipsis stands for counts as one letter for each place from the end."""
    extents: dict[str, int] = {}
    for term, one in zip(equation.replace(" ", "").split("->")[0].split(","), reads, strict=False):
        before, dots, after = term.partition("...")
        middle = len(one.shape) - len(before) - len(after) if dots else 0
        letters = [*before, *(f"-{place}" for place in range(middle, 0, -1)), *after]
        for letter, extent in zip(letters, one.shape, strict=False):
            extents[letter] = max(extent, extents.get(letter, 1))
    return extents
