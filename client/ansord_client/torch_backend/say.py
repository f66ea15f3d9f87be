"""Says ATen nodes in ONNX's words, so that PyTorch's graphs and ONNX files are lowered by the same rules.

Called for every node of a graph. A model that is tuned as an ONNX file finds its kernels here again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import torch
from torch.fx import Node

from ansord_client.models.building import Builder, Laid, NotCovered, identity
from ansord_client.models.graph import Constant, Tensor
from ansord_client.models.lowering import LOWER, At

OPSET = 21


class Say:
    """A graph on its way into a Builder. `held`: values by the names of nodes; of several results, the first
    has the node's name and the others "NAME.1" and on."""

    def __init__(self, nodes: Mapping[str, Node]) -> None:
        self.builder = Builder(list(nodes))
        self.held: dict[str, Laid] = {}
        self.reads = {name: len(node.users) for name, node in nodes.items()}
        self._temporary = 0

    # What comes from outside

    def input(self, node: Node, constant: bool) -> None:
        """A tensor that is given. Raises NotCovered for one that our ops cannot hold."""
        tensor = tensor_of(node)
        if constant:
            self.builder.add_constant(node.name, Constant(tensor.shape, tensor.dtype, None))
        else:
            self.builder.add_input(node.name, tensor)
        self.held[node.name] = Laid(node.name, identity(len(tensor.shape)))

    # What a node reads

    def name(self, arg: Any, like: Any = None) -> str:
        """Of a node, or of a number in the type of `like`; "" for None."""
        if arg is None:
            return ""
        if isinstance(arg, Node):
            if arg.name not in self.held:
                raise NotCovered(arg.name)
            return str(arg.name)
        if isinstance(arg, int | float) and isinstance(like, Node):
            dtype = np.dtype(tensor_of(like).dtype)
            if dtype.kind not in "f" and (isinstance(arg, float) or dtype.kind == "b"):
                raise NotCovered("a number of another type")
            return self.constant(np.array(arg, dtype))
        raise NotCovered(f"an argument of type {type(arg).__name__}")

    def constant(self, array: Any) -> str:
        """A known array."""
        name = self.temporary()
        value = self.builder.constant(np.asarray(array))
        self.held[name] = Laid(value, identity(len(self.builder.shape(value))))
        return name

    def ints(self, *items: int) -> str:
        """A known list of integers."""
        return self.constant(np.array(items, np.int64))

    def shape(self, arg: Any) -> tuple[int, ...]:
        """Of a node."""
        return tensor_of(arg).shape

    def temporary(self) -> str:
        """A name for a value that one more node reads."""
        self._temporary += 1
        name = f".{self._temporary}"
        self.reads[name] = 1
        return name

    # What it means

    def say(self, op: str, *inputs: str, to: str = "", outputs: int = 1, **attrs: Any) -> str:
        """One ONNX node; the name of its (first) result.

        :raises NotCovered: our ops cannot say it. :raises BadSubgraph: they do not take these args.
        """
        to = to or self.temporary()
        results = [to, *(f"{to}.{place}" for place in range(1, outputs))]
        self.reads.update((name, 1) for name in results[1:])
        plain = {name: value for name, value in attrs.items() if value is not None}
        node = onnx.helper.make_node(op, list(inputs), results, **plain)
        at = At(self.builder, node, OPSET, self.held, self.reads)
        at.check_types()
        LOWER[op](at)
        at.complete()
        return to


def tensor_of(node: Node) -> Tensor:
    """Shape and type of a node's value. Raises NotCovered for what is no plain tensor of numbers on a CPU."""
    value = node.meta.get("val")
    if not isinstance(value, torch.Tensor) or value.device.type != "cpu" or value.layout != torch.strided:
        raise NotCovered("no tensor on a CPU")
    if any(not isinstance(extent, int) for extent in value.shape):
        raise NotCovered("a symbol for a size")
    return Tensor(tuple(value.shape), str(value.dtype).removeprefix("torch."))
