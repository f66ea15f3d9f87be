"""Builds a model node by node: types and shapes from the op table, lazy layouts, small constants folded.

Called by the importer. A value of the file is held in any order of its axes (`Laid`): a transpose moves no
element until somebody needs another order, so that channels-last chains meet transposes at their ends only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ansord_client.dtypes import Number
from ansord_client.errors import BadModel
from ansord_client.graph import Node
from ansord_client.limits import Limits
from ansord_client.models.graph import Constant, Foreign, Model, Op, Tensor
from ansord_client.ops import Shape
from ansord_client.reference import evaluate
from ansord_client.subgraph import Subgraph

Perm = tuple[int, ...]
Array = NDArray[Any]

INLINE = 1024
"""Bytes: a constant of the file up to this size may be looked at, larger ones never decide anything. ONNX
writers keep constants of this size inside the model even where weights are external."""

FOLDED = 1 << 16
"""Bytes of a result up to which what depends on known constants alone is computed at once."""

_LIMITS = Limits(bytes=2**62)
"""What a model is cut into must not depend on this machine's memory."""


class NotCovered(Exception):
    """Our ops cannot say this; the node becomes a foreign one."""


@dataclass(frozen=True, slots=True)
class Laid:
    """What the file means is `name` transposed by `perm`: its axis i is axis perm[i] of what is held."""

    name: str
    perm: Perm


def identity(rank: int) -> Perm:
    """Axes in the file's order."""
    return tuple(range(rank))


def channels_last(rank: int) -> Perm:
    """[N, C, *S] held as [N, *S, C]."""
    return (0, rank - 1, *range(1, rank - 1))


class Builder:
    """Grows a model. `known` are the names whose values are there before the first call."""

    def __init__(self, taken: Sequence[str]) -> None:
        self.values: dict[str, Tensor] = {}
        self.constants: dict[str, Constant] = {}
        self.nodes: dict[str, Op | Foreign] = {}
        """By each result."""
        self.known: set[str] = set()
        self.hint = "value"
        self._taken = set(taken)
        self._counts: dict[str, int] = {}
        self._same: dict[tuple[Any, ...], str] = {}
        self._read: dict[tuple[Any, ...], Subgraph] = {}

    # Names and constants

    def fresh(self, hint: str = "") -> str:
        """A name that nothing has yet."""
        hint = hint or self.hint
        name = hint
        while name in self._taken:
            self._counts[hint] = self._counts.get(hint, 0) + 1
            name = f"{hint}:{self._counts[hint]}"
        self._taken.add(name)
        return name

    def add_input(self, name: str, tensor: Tensor) -> None:
        """A value that the caller gives."""
        self.values[name] = tensor

    def add_constant(self, name: str, constant: Constant) -> str:
        """A weight; its name if no other has the same bytes, else that of the other."""
        slot = ("constant", constant.dtype, constant.shape, constant.data)
        if constant.data is not None and slot in self._same:
            return self._same[slot]
        self._same[slot] = name
        self.constants[name] = constant
        self.values[name] = constant.tensor
        self.known.add(name)
        return name

    def constant(self, array: Array) -> str:
        """A constant of given elements."""
        data = np.ascontiguousarray(array).tobytes()
        return self.add_constant(self.fresh(), Constant(array.shape, str(array.dtype), data))

    def data(self, name: str) -> Array | None:
        """The elements of a constant that may be looked at."""
        constant = self.constants.get(name)
        if constant is None or not isinstance(constant.data, bytes):
            return None
        return np.frombuffer(constant.data, constant.dtype).reshape(constant.shape)

    def shape(self, name: str) -> Shape:
        """Of a value as it is held."""
        return self.values[name].shape

    # Ops

    def emit(self, op: str, *args: str | Number, unit: str = "", **attrs: Any) -> str:
        """The value of an op of the table, the same one for the same op again.

        :raises BadSubgraph: the op does not take these args.
        """
        slot = (op, args, repr(sorted(attrs.items())), unit)
        if slot not in self._same:
            sg, reads = self._alone(op, args, attrs)
            folded = self._folded(sg, reads)
            self._same[slot] = folded or self._added(Op(op, args, attrs, self.fresh(), unit), sg.nodes[0])
        return self._same[slot]

    def _alone(self, op: str, args: tuple[str | Number, ...], attrs: Any) -> tuple[Subgraph, tuple[str, ...]]:
        """A subgraph of the op, and what its inputs stand for; layers that repeat share it."""
        reads = tuple(dict.fromkeys(arg for arg in args if isinstance(arg, str)))
        places = tuple(reads.index(arg) if isinstance(arg, str) else repr(arg) for arg in args)
        slot = (op, places, tuple(self.values[name] for name in reads), repr(sorted(attrs.items())))
        if slot not in self._read:
            self._read[slot] = alone(op, args, attrs, self.values)
        return self._read[slot], reads

    def _added(self, op: Op, node: Node) -> str:
        self.values[op.result] = Tensor(node.shape, node.dtype)
        self.nodes[op.result] = op
        if all(name in self.known for name in op.reads):
            self.known.add(op.result)
        return op.result

    def _folded(self, sg: Subgraph, reads: Sequence[str]) -> str | None:
        arrays = [self.data(name) for name in reads]
        node = sg.nodes[0]
        small = node.nbytes <= FOLDED
        there = [array for array in arrays if array is not None]
        if len(there) < len(arrays) or not small:
            return None
        return self.constant(evaluate(sg, there)[0])

    def add_foreign(self, node: Foreign, tensors: Sequence[Tensor]) -> None:
        """A node for the fallback, with the types of its results."""
        for result, tensor in zip(node.results, tensors, strict=True):
            if result:
                self.values[result] = tensor
                self.nodes[result] = node
        if all(name in self.known for name in node.reads):
            self.known.update(result for result in node.results if result)

    def producer(self, name: str) -> Op | None:
        """The op that computes a value, if one does."""
        node = self.nodes.get(name)
        return node if isinstance(node, Op) else None

    # Orders of axes

    def reshaped(self, name: str, shape: Shape) -> str:
        """The same elements in order; a chain of reshapes is one."""
        if shape == self.shape(name):
            return name
        before = self.producer(name)
        if before is not None and before.op == "reshape" and isinstance(before.args[0], str):
            return self.reshaped(before.args[0], shape)
        return self.emit("reshape", name, shape=list(shape))

    def transposed(self, name: str, perm: Perm) -> str:
        """Axes in another order; a reshape where only axes of extent 1 move."""
        shape = self.shape(name)
        if perm == identity(len(perm)):
            return name
        moving = [axis for axis in perm if shape[axis] != 1]
        if moving == sorted(moving):
            return self.reshaped(name, tuple(shape[axis] for axis in perm))
        before = self.producer(name)
        if before is not None and before.op == "transpose" and isinstance(before.args[0], str):
            return self.transposed(before.args[0], tuple(before.attrs["perm"][axis] for axis in perm))
        if before is not None and before.op == "pad" and isinstance(before.args[0], str):
            pads = [before.attrs["pads"][axis] for axis in perm]  # so that it meets what it is padded for
            inner = self.transposed(before.args[0], perm)
            return self.emit("pad", inner, pads=pads, value=before.attrs["value"])
        return self.emit("transpose", name, perm=list(perm))

    def held(self, laid: Laid, perm: Perm) -> str:
        """The value held so that the file's is its transpose by `perm`."""
        order = [0] * len(perm)
        for axis, place in enumerate(perm):
            order[place] = laid.perm[axis]
        return self.transposed(laid.name, tuple(order))

    def plain(self, laid: Laid) -> str:
        """The value in the file's own order of axes."""
        return self.held(laid, identity(len(laid.perm)))

    def meant(self, laid: Laid) -> Shape:
        """The shape that the file means."""
        return tuple(self.shape(laid.name)[axis] for axis in laid.perm)

    # The end

    def finish(self, name: str, inputs: Sequence[str], outputs: Sequence[tuple[str, Laid]]) -> Model:
        """The model, whose outputs have the file's names; without what nobody needs.

        :raises BadModel: no outputs.
        """
        if not outputs:
            raise BadModel(f"{name}: the graph has no outputs")
        renamed: dict[str, str] = {}
        for output, laid in outputs:
            value = self.plain(laid)
            if value in self.nodes and value not in renamed:
                renamed[value] = output
            else:  # an input, a constant, or an output already: the same under another name
                again = self.fresh()
                self.nodes[again] = Op("reshape", (value,), {"shape": list(self.shape(value))}, again)
                self.values[again] = self.values[value]
                renamed[again] = output
        nodes = tuple(_renamed(node, renamed) for node in dict.fromkeys(self.nodes.values()))
        values = {renamed.get(value, value): tensor for value, tensor in self.values.items()}
        ends = tuple(output for output, _ in outputs)
        return Model(name, tuple(inputs), ends, values, self.constants, nodes)


def _renamed(node: Op | Foreign, names: dict[str, str]) -> Op | Foreign:
    if isinstance(node, Op):
        args = tuple(names.get(arg, arg) if isinstance(arg, str) else arg for arg in node.args)
        return replace(node, args=args, result=names.get(node.result, node.result))
    reads = tuple(names.get(arg, arg) for arg in node.args)
    return replace(node, args=reads, results=tuple(names.get(name, name) for name in node.results))


def alone(
    op: str, args: Sequence[str | Number], attrs: Mapping[str, Any], values: Mapping[str, Tensor]
) -> Subgraph:
    """A subgraph of one op, with an input for each distinct value among its args.

    :raises BadSubgraph: the op does not take these args.
    """
    reads = tuple(dict.fromkeys(arg for arg in args if isinstance(arg, str)))
    short = {name: f"x{place}" for place, name in enumerate(reads)}
    spelled = [short[arg] if isinstance(arg, str) else arg for arg in args]
    obj = {
        "ansord": 1,
        "inputs": [
            {"name": short[name], "shape": values[name].shape, "dtype": values[name].dtype} for name in reads
        ],
        "nodes": [{"name": "y", "op": op, "args": spelled, "attrs": written(attrs, spelled, "y")}],
        "outputs": ["y"],
    }
    return Subgraph.from_dict(obj, _LIMITS)


def written(attrs: Any, args: Sequence[str | Number], result: str) -> dict[str, Any]:
    """Attributes for a file: an expression names its tensors by their place, {0}, and its result {y}."""
    if "expr" not in attrs:
        return dict(attrs)
    return {**attrs, "expr": attrs["expr"].format(*args, y=result)}
