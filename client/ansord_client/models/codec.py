"""A model as bytes and back: what a child process that reads an untrusted file hands to its parent.

    message = map { "error": text } | map { "model": [name, inputs, outputs, values, constants, nodes] }
    value = [name, shape, dtype]        constant = [name, shape, dtype, nil | bytes | [file, offset, length]]
    op = [op, args, attrs, result, unit]     foreign = [op, args, results, node, opset, attrs, flops]

The reader takes nothing on trust: the child ran a parser over hostile bytes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgpack
import numpy as np

from ansord_client.errors import BadModel
from ansord_client.models.graph import Constant, Extent, Foreign, Model, Op, Tensor


def encode(model: Model) -> bytes:
    """The bytes of a model."""
    values = [[name, list(one.shape), one.dtype] for name, one in model.values.items()]
    constants = [
        [name, list(one.shape), one.dtype, _place(one.data)] for name, one in model.constants.items()
    ]
    nodes = [_node(node) for node in model.nodes]
    body = [model.name, list(model.inputs), list(model.outputs), values, constants, nodes]
    packed: bytes = msgpack.packb({"model": body})
    return packed


def encode_error(text: str) -> bytes:
    """Why there is no model."""
    packed: bytes = msgpack.packb({"error": text})
    return packed


def decode(data: bytes) -> Model:
    """The model in these bytes.

    :raises BadModel: the error in them, or bytes that are neither.
    """
    try:
        message = msgpack.unpackb(data, strict_map_key=True)
        if "error" in message:
            raise BadModel(str(message["error"]))
        return _model(*message["model"])
    except (ValueError, TypeError, KeyError, AttributeError, msgpack.UnpackException) as error:
        raise BadModel(f"the process that read the model gave nonsense: {error}") from error


def _place(data: bytes | Extent | None) -> Any:
    return [data.file, data.offset, data.length] if isinstance(data, Extent) else data


def _node(node: Op | Foreign) -> list[Any]:
    if isinstance(node, Op):
        return [node.op, list(node.args), dict(node.attrs), node.result, node.unit]
    return [
        node.op,
        list(node.args),
        list(node.results),
        node.node,
        node.opset,
        dict(node.attrs),
        node.flops,
    ]


def _model(name: Any, inputs: Any, outputs: Any, values: Any, constants: Any, nodes: Any) -> Model:
    known = {_text(one): _tensor(shape, dtype) for one, shape, dtype in values}
    weights = {_text(one): _constant(*rest) for one, *rest in constants}
    ops = tuple(_op(*node) if len(node) == 5 else _foreign(*node) for node in nodes)
    defined = {*weights, *inputs}
    for node in ops:
        if not defined.issuperset(node.reads) or not known.keys() >= {one for one in node.results if one}:
            raise ValueError("a node reads what nothing computes")
        defined.update(node.results)
    if not defined.issuperset(outputs) or not known.keys() >= {*weights, *inputs}:
        raise ValueError("an output that nothing computes")
    return Model(_text(name), tuple(inputs), tuple(outputs), known, weights, ops)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} for a name")
    return value


def _tensor(shape: Any, dtype: Any) -> Tensor:
    if not all(isinstance(extent, int) and extent >= 0 for extent in shape) or np.dtype(dtype).hasobject:
        raise ValueError("a shape or type that cannot be")
    return Tensor(tuple(shape), str(np.dtype(dtype)))


def _constant(shape: Any, dtype: Any, data: Any) -> Constant:
    tensor = _tensor(shape, dtype)
    size = math.prod(tensor.shape) * np.dtype(tensor.dtype).itemsize
    if isinstance(data, list):
        file, offset, length = data
        if ".." in _text(file).split("/") or file.startswith("/") or offset < 0 or length != size:
            raise ValueError("a weight outside its file")
        return Constant(tensor.shape, tensor.dtype, Extent(file, int(offset), length))
    if data is not None and (not isinstance(data, bytes) or len(data) != size):
        raise ValueError("a weight of another size")
    return Constant(tensor.shape, tensor.dtype, data)


def _op(op: Any, args: Any, attrs: Any, result: Any, unit: Any) -> Op:
    if not all(isinstance(arg, str | int | float) for arg in args) or not isinstance(attrs, Mapping):
        raise TypeError("an op's args or attributes")
    return Op(_text(op), tuple(args), attrs, _text(result), _text(unit))


def _foreign(op: Any, args: Any, results: Any, node: Any, opset: Any, attrs: Any, flops: Any) -> Foreign:
    if not isinstance(node, bytes) or not isinstance(attrs, Mapping):
        raise TypeError("a foreign node")
    names = tuple(_text(one) for one in args), tuple(_text(one) for one in results)
    return Foreign(_text(op), *names, node, int(opset), attrs, int(flops))
