"""From an ONNX file to a Model: each node folded, lowered to our ops, or kept for the fallback.

Called by the front door, in a child process where the file is not trusted. The lowerings of single ops are
the table in `lowering`.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.shape_inference

from ansord_client.errors import BadModel, BadSubgraph
from ansord_client.limits import Limits
from ansord_client.models import fallback, file, functions
from ansord_client.models.building import FOLDED, Builder, Laid, NotCovered, identity
from ansord_client.models.graph import Foreign, Model, Tensor
from ansord_client.models.lowering import LOWER, At
from ansord_client.models.patterns import simplified

_RANDOM = (
    "RandomNormal",
    "RandomUniform",
    "RandomNormalLike",
    "RandomUniformLike",
    "Multinomial",
    "Bernoulli",
)
_UNFOLDED = frozenset({*_RANDOM, "BatchNormalization"})
"""Ops that are not computed at import; ONNX's reference trains the batch norms of operator sets before 14."""


def read(path: Path, dims: file.Dims) -> Model:
    """The model in a file; `dims` gives numbers for named dimensions.

    :raises BadModel: with the place in the file. :raises OSError: the file cannot be read.
    """
    proto, places = file.load(path)
    try:
        with file.mapped(path) as view:
            return simplified(_Import(path, proto, dims, file.Weights(path, view)).model(places))
    except BadModel as error:
        text = str(error)
        raise BadModel(text if text.startswith(str(path)) else f"{path}: {text}") from error


class _Import:
    def __init__(self, path: Path, proto: onnx.ModelProto, dims: file.Dims, weights: file.Weights) -> None:
        self.path, self.graph, self.dims, self.weights = path, proto.graph, dims, weights
        self.opset = file.opset(proto)
        ends = [one.name for one in (*self.graph.input, *self.graph.output)]
        self.builder = Builder(ends)
        self.known: dict[str, Laid] = {}
        """By the file's names."""
        self.reads: dict[str, int] = {}
        for name in (*(name for node in self.graph.node for name in node.input), *ends):
            self.reads[name] = self.reads.get(name, 0) + 1

    def model(self, places: file.Places) -> Model:
        for tensor in self.graph.initializer:
            self.weight(tensor, tensor.name, places.get(tensor.name))
        if self.graph.sparse_initializer:
            raise BadModel(
                f"weight {self.graph.sparse_initializer[0].values.name} is sparse; wanted dense ones"
            )
        inputs = self.inputs()
        file.check_ops(self.graph.node, self.opset)
        for number, node in enumerate(self.graph.node):
            self.node(node, f"node {node.name or number} ({node.op_type})", self.opset)
        outputs = []
        for one in self.graph.output:
            if one.name not in self.known:
                raise BadModel(f"output {one.name}: nothing computes it")
            outputs.append((one.name, self.known[one.name]))
        name = "".join(letter if letter.isprintable() else "?" for letter in self.path.stem)
        return self.builder.finish(name[:200], inputs, outputs)

    def inputs(self) -> list[str]:
        """Those that the caller gives: old files list weights among them."""
        found, used = [], set[str]()
        for one in self.graph.input:
            if one.name not in self.known:
                self.builder.add_input(one.name, file.input_tensor(one, self.dims, used))
                self.hold(one.name, one.name)
                found.append(one.name)
        unknown = sorted(set(self.dims) - used)
        if unknown:
            named = sorted(
                {
                    dim.dim_param
                    for one in self.graph.input
                    for dim in one.type.tensor_type.shape.dim
                    if dim.dim_param
                }
            )
            has = f"it has {', '.join(named)}" if named else "it names none"
            raise BadModel(f"no input has the dimension {unknown[0]!r}; {has}")
        return found

    def hold(self, value: str, name: str) -> None:
        self.known[name] = Laid(value, identity(len(self.builder.shape(value))))

    def weight(self, tensor: onnx.TensorProto, name: str, place: tuple[int, int] | None = None) -> None:
        held = self.weights.constant(tensor, name, place)
        self.hold(self.builder.add_constant(self.builder.fresh(name), held), name)

    def node(self, node: onnx.NodeProto, where: str, opset: int) -> None:
        """Folds, lowers, expands or keeps one node."""
        missing = [name for name in node.input if name and name not in self.known]
        if missing:
            raise BadModel(f"{where}: nothing computes its input {missing[0]!r} before it")
        self.builder.hint = next((name for name in node.output if name), "value")
        at = At(self.builder, node, opset, self.known, self.reads)
        value = file.constant_value(node)
        if value is not None:
            self.weight(value, node.output[0])
            return
        if self.folded(at):
            return
        try:
            at.check_types()
            if at.op not in LOWER and self.expanded(at, where):
                return
            LOWER.get(at.op, _not_covered)(at)
            at.complete()
        except (NotCovered, BadSubgraph):
            self.keep(at, where)

    def expanded(self, at: At, where: str) -> bool:
        """Whether the node was replaced by the body that ONNX's schema has for it."""
        if at.op in _UNFOLDED:
            return False
        types = [self.type_proto(at, place) for place in range(len(at.node.input))]
        body = functions.body(at.node, at.opset, types, f"{self.builder.fresh()}/")
        if body is None:
            return False
        ends = [pair for pair in zip(at.node.output, body.results, strict=False) if pair[0]]
        if not all(result for _, result in ends):
            return False
        for name in (name for node in body.nodes for name in node.input):
            self.reads[name] = self.reads.get(name, 0) + 1
        for name, result in ends:
            self.reads[result] = self.reads.get(result, 0) + self.reads.get(name, 0)
        try:
            for node in body.nodes:
                self.node(node, f"{where}: {node.op_type}", body.opset)
        except BadModel:  # its shapes depend on data, say, where those of the whole do not
            return False
        self.known.update((name, self.known[result]) for name, result in ends)
        return True

    def folded(self, at: At) -> bool:
        """Whether the node was computed: all of its inputs are small constants, or only shapes matter."""
        if at.op in ("Shape", "Size"):
            shape = np.array(at.shape(0), np.int64)
            part = shape[at.integer("start", 0) : at.attr("end", None)]
            at.give(self.builder.constant(np.array(shape.prod()) if at.op == "Size" else part))
            return True
        if at.op in _UNFOLDED or any(one.type in (5, 10) for one in at.node.attribute):
            return False
        arrays = [None if not name else at.known(place) for place, name in enumerate(at.node.input)]
        if any(array is None and name for array, name in zip(arrays, at.node.input, strict=True)):
            return False
        node = self.foreign(at, [name and "constant" for name in at.node.input])
        try:
            results = fallback.run(node, arrays)
        except Exception:  # whatever a reference implementation raises: the node is lowered like any other
            return False
        if any(array.nbytes > FOLDED or array.dtype.kind not in "biuf" for array in results):
            return False
        for place, array in enumerate(results):
            if at.node.output[place]:
                at.give(self.builder.constant(array), output=place)
        return True

    def foreign(self, at: At, reads: list[str]) -> Foreign:
        results = tuple(self.builder.fresh(name) if name else "" for name in at.node.output)
        data = at.node.SerializeToString()
        return Foreign(at.op, tuple(reads), results, data, at.opset, at.plain_attrs())

    def keep(self, at: At, where: str) -> None:
        """Leaves a node to the fallback. Raises BadModel where even that cannot be."""
        reads = [at.name(place) if name else "" for place, name in enumerate(at.node.input)]
        node = self.foreign(at, reads)
        tensors = self.types(at, node, where)
        node = fallback.counted(node, [self.builder.values[name] for name in node.reads], tensors)
        self.builder.add_foreign(node, tensors)
        for place, result in enumerate(node.results):
            if result:
                at.give(result, output=place)

    def types(self, at: At, node: Foreign, where: str) -> list[Tensor]:
        """Of a foreign node's results, by ONNX's inference. Raises BadModel where it finds no numbers."""
        try:
            schema = onnx.defs.get_schema(at.op, at.opset, "")
        except onnx.defs.SchemaError as error:
            raise BadModel(f"{where}: ONNX's operator set {at.opset} has no such op") from error
        types, data = {}, {}
        for place, name in enumerate(at.node.input):
            if name:
                types[name] = self.type_proto(at, place)
                array = at.known(place)
                if array is not None:
                    data[name] = onnx.numpy_helper.from_array(array, name)
        try:
            found = onnx.shape_inference.infer_node_outputs(
                schema, at.node, types, data, opset_imports=[onnx.helper.make_opsetid("", at.opset)]
            )
        except Exception as error:  # onnx's own, of several kinds
            text = str(error).strip().splitlines() or [type(error).__name__]
            raise BadModel(f"{where}: {text[-1]}") from error
        return [self.type_of(found.get(name), name, where) for name in at.node.output]

    def type_proto(self, at: At, place: int) -> onnx.TypeProto:
        if not at.has(place):
            return onnx.TypeProto()
        number = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(at.dtype(place)))
        return onnx.helper.make_tensor_type_proto(number, at.shape(place))

    def type_of(self, found: Any, name: str, where: str) -> Tensor:
        if not name:
            return Tensor((), "bool")
        if found is None or found.WhichOneof("value") != "tensor_type":
            raise BadModel(f"{where}: the type of its result {name} is not known; wanted a tensor")
        tensor = found.tensor_type
        dims = tensor.shape.dim
        if not tensor.HasField("shape") or any(not dim.HasField("dim_value") for dim in dims):
            raise BadModel(f"{where}: the shape of its result {name} depends on data; wanted fixed shapes")
        shape = tuple(dim.dim_value for dim in dims)
        if math.prod(shape) > Limits().elements:
            raise BadModel(f"{where}: its result {name} has {math.prod(shape)} elements")
        return Tensor(shape, file.element_type(tensor.elem_type, where))


def _not_covered(at: At) -> None:
    raise NotCovered(at.op)
