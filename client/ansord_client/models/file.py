"""An ONNX file as it lies on disk: the graph without what our importer must not meet, and where weights lie.

The only module beside `lowering`, `importer` and `fallback` that needs `onnx`. Called in a child process
where the file is not trusted. Reads no weights: it finds out where their bytes are.
"""

from __future__ import annotations

import math
import mmap
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.inliner
import onnx.version_converter
from google.protobuf.message import DecodeError
from onnx import numpy_helper

from ansord_client.errors import BadModel
from ansord_client.models.beside import beside
from ansord_client.models.building import INLINE
from ansord_client.models.graph import Constant, Extent, Tensor
from ansord_client.models.wire import Light, lightened

OLDEST = 13
"""The operator set from which on the importer knows the ops; older files are converted first."""

LARGEST = 2**31 - 1
"""Bytes of a protobuf message."""

HEAD, TRIES = 256, 64
"""Bytes of a weight that are looked for first, and how often."""

Dims = Mapping[str, int]

Places = Mapping[str, tuple[int, int]]
"""Where the bytes of initializers lie in the model's file, from and to, for those that were not parsed."""


def load(path: Path) -> tuple[onnx.ModelProto, Places]:
    """The model in a file, of operator set 13 or newer, without local functions.

    :raises BadModel: no ONNX model, or one that cannot be brought to that. :raises OSError: not readable.
    """
    size = path.stat().st_size
    if size > LARGEST:
        raise BadModel(f"{path}: found {size} bytes, wanted less than 2 GiB: save it with external data")
    light = _light(path) if size else None
    try:
        model = onnx.load_model_from_string(light.model if light else path.read_bytes())
        if light and (model.functions or opset(model) < OLDEST):  # what rewrites a model takes it whole
            light, model = None, onnx.load_model_from_string(path.read_bytes())
    except DecodeError as error:
        raise BadModel(f"{path}: no ONNX model, or a damaged one: {error}") from error
    if not model.graph.node and not model.graph.output:
        raise BadModel(f"{path}: no ONNX model: it has no graph")
    if model.functions:
        model = onnx.inliner.inline_local_functions(model)
    return _modern(path, model), light.places if light else {}


def _light(path: Path) -> Light | None:
    with mapped(path) as view:
        return lightened(view, INLINE)


def opset(model: onnx.ModelProto) -> int:
    """The version of ONNX's own operator set that a model is written in."""
    versions = [one.version for one in model.opset_import if one.domain in ("", "ai.onnx")]
    return max(versions, default=1)


def _modern(path: Path, model: onnx.ModelProto) -> onnx.ModelProto:
    found = opset(model)
    if found >= OLDEST:
        return model
    try:
        return onnx.version_converter.convert_version(model, OLDEST)
    except Exception as error:  # whatever the C++ converter raises
        text = str(error).strip().splitlines() or [type(error).__name__]
        raise BadModel(
            f"{path}: operator set {found}, wanted {OLDEST} or newer, and converting failed: {text[-1]}"
        ) from error


def element_type(number: int, where: str) -> str:
    """NumPy's name of an ONNX element type.

    :raises BadModel: strings, and what NumPy does not know.
    """
    try:
        dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(number))
    except (KeyError, TypeError):
        dtype = np.dtype(object)
    if dtype.kind not in "biuf" or dtype.isbuiltin != 1:
        known = onnx.TensorProto.DataType.keys()
        name = known[number].lower() if 0 <= number < len(known) else str(number)
        raise BadModel(f"{where}: elements of type {name}; wanted numbers that NumPy has")
    return str(dtype)


def input_tensor(value: onnx.ValueInfoProto, dims: Dims, used: set[str]) -> Tensor:
    """The type of a graph's input, its named dimensions replaced by numbers; `used` collects the names.

    :raises BadModel: no tensor, or a dimension without a number.
    """
    where = f"input {value.name}"
    if value.type.WhichOneof("value") != "tensor_type":
        raise BadModel(f"{where}: found {value.type.WhichOneof('value')}, wanted a tensor")
    tensor = value.type.tensor_type
    dtype = element_type(tensor.elem_type, where)
    if not tensor.HasField("shape"):
        raise BadModel(f"{where}: its rank is not known; wanted a shape")
    shape = tuple(_dimension(value.name, axis, dim, dims, used) for axis, dim in enumerate(tensor.shape.dim))
    return Tensor(shape, dtype)


def _dimension(name: str, axis: int, dim: Any, dims: Dims, used: set[str]) -> int:
    names = [f"{name}:{axis}", *([dim.dim_param] if dim.dim_param else [])]
    for one in names:
        if one in dims:
            used.add(one)
            return dims[one]
    if dim.dim_param or dim.dim_value < 1:
        found = f"the dimension {dim.dim_param!r}" if dim.dim_param else "no number"
        raise BadModel(f"input {name}, axis {axis}: found {found}, wanted a number: give --dim {names[-1]}=N")
    return int(dim.dim_value)


def check_ops(nodes: Sequence[onnx.NodeProto], version: int) -> None:
    """That ONNX knows every op, and that none has graphs of its own.

    :raises BadModel: with all nodes for which that does not hold.
    """
    found: dict[str, list[str]] = {}
    for number, node in enumerate(nodes):
        if node.domain not in ("", "ai.onnx"):
            why = f"the operator set {node.domain!r} is not known"
        elif branches(node):
            why = "control flow is not supported"
        elif not onnx.defs.has(node.op_type, version, ""):
            why = f"ONNX's operator set {version} has no such op"
        else:
            continue
        found.setdefault(why, []).append(f"node {node.name or number} ({node.op_type})")
    if found:
        said = "; ".join(f"{why}: {', '.join(names)}" for why, names in found.items())
        raise BadModel(f"{said}; export with ONNX's own ops, fixed shapes and no branches or loops")


def branches(node: onnx.NodeProto) -> bool:
    """Whether it has graphs of its own: control flow."""
    inner = (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS)
    return any(one.type in inner for one in node.attribute)


def constant_value(node: onnx.NodeProto) -> onnx.TensorProto | None:
    """The tensor that a Constant node holds; None for other nodes, and for text."""
    if node.op_type != "Constant" or len(node.attribute) != 1 or list(node.output) in ([], [""]):
        return None
    held = node.attribute[0]
    if held.name == "value":
        return held.t
    if held.name in ("value_float", "value_floats"):
        numbers = np.array(held.f if held.name == "value_float" else held.floats, np.float32)
    elif held.name in ("value_int", "value_ints"):
        numbers = np.array(held.i if held.name == "value_int" else held.ints, np.int64)
    else:
        return None
    return numpy_helper.from_array(numbers)


@contextmanager
def mapped(path: Path) -> Iterator[mmap.mmap]:
    """The bytes of a file."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        yield view


class Weights:
    """Finds the bytes of initializers: in the model's own file, or in files beside it."""

    def __init__(self, path: Path, view: mmap.mmap) -> None:
        self.path, self.view = path, view
        self.at = 0

    def constant(
        self, proto: onnx.TensorProto, name: str, ends: tuple[int, int] | None = None
    ) -> Constant:
        """A weight, its bytes inline where they are few; `ends`: where they lie, if the tensor lacks them.

        :raises BadModel: a type or place that cannot be.
        """
        where = f"{self.path}: weight {name}"
        dtype, shape = element_type(proto.data_type, where), tuple(proto.dims)
        length = math.prod(shape) * np.dtype(dtype).itemsize
        if proto.data_location == onnx.TensorProto.EXTERNAL:
            return Constant(shape, dtype, self.external(proto, length, where))
        raw = proto.HasField("raw_data")
        found = len(proto.raw_data) if raw or not ends else ends[1] - ends[0]
        if found != length and (raw or ends):
            raise BadModel(f"{where}: found {found} bytes, wanted {length}; the file is damaged")
        if ends and not raw:
            return Constant(shape, dtype, Extent("", ends[0], length))
        if length > INLINE and raw:
            place = self.find(proto.raw_data)
            if place >= 0:
                return Constant(shape, dtype, Extent("", place, length))
        try:
            array = np.ascontiguousarray(numpy_helper.to_array(proto))
        except (TypeError, ValueError) as error:
            raise BadModel(f"{where}: {error}; the file is damaged") from error
        data = array.tobytes()
        place = self.find(data) if length > INLINE else -1
        return Constant(shape, dtype, Extent("", place, length) if place >= 0 else data)

    def find(self, data: bytes) -> int:
        """Where these bytes lie in the file, -1 if nowhere. Weights stand in order, so the next is near."""
        head, place = data[:HEAD], self.at
        for _ in range(TRIES):  # comparing where the first bytes are found beats searching for all of them
            place = self.view.find(head, place)
            if place < 0 or self.view[place : place + len(data)] == data:
                break
            place += 1
        else:
            place = -1
        place = self.view.find(data) if place < 0 else place
        if place >= 0:
            self.at = place + len(data)
        return place

    def external(self, proto: onnx.TensorProto, length: int, where: str) -> bytes | Extent | None:
        """The place in another file, which must lie below the model's folder; None where it is not there."""
        fields = {one.key: one.value for one in proto.external_data}
        location = fields.get("location", "")
        try:
            file = beside(self.path, location)
        except BadModel as error:
            raise BadModel(f"{where}: {error}") from error
        try:
            offset, given = int(fields.get("offset", 0)), int(fields.get("length", length))
        except ValueError as error:
            raise BadModel(f"{where}: offset or length of its external data is no number") from error
        if given != length or offset < 0:
            raise BadModel(f"{where}: found {given} bytes at {offset} of {location}, wanted {length}")
        if not file.is_file():
            return None
        if os.path.getsize(file) < offset + length:
            raise BadModel(f"{where}: {location} ends before byte {offset + length}; it is cut off")
        if length > INLINE:
            return Extent(location, offset, length)
        with file.open("rb") as opened:
            opened.seek(offset)
            data: bytes = opened.read(length)
            return data
