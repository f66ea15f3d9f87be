"""A subgraph: the strict reader of contract 1 and the values that it yields.

Called by everybody. A Subgraph that exists is valid: names resolve, types and shapes fit, limits hold.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ansord_client.canonical import canonical_text, digest
from ansord_client.graph import Contents, Input, Node, Tuning, Use
from ansord_client.limits import Limits
from ansord_client.ops import TABLE, Definition, Shape
from ansord_client.reader import read
from ansord_client.reading import Value, parse_json, plain
from ansord_client.writer import write


@dataclass(frozen=True)
class Subgraph:
    """`nodes` are in topological order, as given where that allows it, dead ones included."""

    inputs: tuple[Input, ...]
    nodes: tuple[Node, ...]
    outputs: tuple[str, ...]
    numerics: str = "fast"
    name: str = ""
    uses: tuple[Use, ...] = (Use(None, 1.0),)
    tuning: Tuning = Tuning()

    @staticmethod
    def from_dict(obj: Mapping[str, Any], limits: Limits | None = None) -> Subgraph:
        """A subgraph from the object that a file would hold; tuples and NumPy scalars are welcome.

        :raises BadSubgraph: whatever the file format refuses.
        """
        limits = limits or Limits()
        text = json.dumps(plain(Value(obj), limits), ensure_ascii=False, separators=(",", ":"))
        return Subgraph.from_json(text, limits)

    @staticmethod
    def from_json(data: bytes | str, limits: Limits | None = None) -> Subgraph:
        """A subgraph from the text of a file.

        :raises BadSubgraph: whatever the file format refuses.
        """
        limits = limits or Limits()
        return Subgraph(*read(parse_json(data, limits), limits))

    def to_dict(self) -> dict[str, Any]:
        """An object that `from_dict` reads back to an equal subgraph."""
        return write(
            Contents(self.inputs, self.nodes, self.outputs, self.numerics, self.name, self.uses, self.tuning)
        )

    @cached_property
    def _tensors(self) -> dict[str, Input | Node]:
        every: tuple[Input | Node, ...] = (*self.inputs, *self.nodes)
        return {tensor.name: tensor for tensor in every}

    def tensor(self, name: str) -> Input | Node:
        """The input or node of a name.

        :raises KeyError: there is none.
        """
        return self._tensors[name]

    @cached_property
    def live(self) -> tuple[Node, ...]:
        """The nodes that the outputs need, topological."""
        needed = set(self.outputs)
        for node in reversed(self.nodes):
            if node.name in needed:
                needed.update(node.reads)
        return tuple(node for node in self.nodes if node.name in needed)

    @cached_property
    def flops(self) -> int:
        """Multiplies, divisions, additions and subtractions of the direct definition of all live nodes."""
        return sum(self.flops_of(node) for node in self.live)

    def flops_of(self, node: Node) -> int:
        """Those of one node."""
        return TABLE[node.op].flops(self.arg_shapes(node), node.attrs, node.shape)

    def terms(self, node: Node) -> int:
        """How many terms one element of a node's result sums up, at most; 1 where nothing is reduced."""
        return TABLE[node.op].reduction(self.arg_shapes(node), node.attrs, node.shape)

    def arg_shapes(self, node: Node) -> tuple[Shape, ...]:
        """Of each arg; () for plain numbers."""
        return tuple(self.tensor(arg).shape if isinstance(arg, str) else () for arg in node.args)

    @cached_property
    def reductions(self) -> dict[str, int]:
        """Per live tensor, the largest product of reduction extents on a path to it; 1 without one."""
        product = {tensor.name: 1 for tensor in self.inputs}
        for node in self.live:
            product[node.name] = self.terms(node) * max((product[name] for name in node.reads), default=1)
        return product

    @cached_property
    def canonical(self) -> str:
        """The text whose hash is the key."""
        return canonical_text(self.inputs, self.nodes, self.outputs, self.numerics)

    @cached_property
    def key(self) -> str:
        """The identity: 64 hexadecimal digits."""
        return digest(self.canonical)


def load_subgraph(path: str | os.PathLike[str], limits: Limits | None = None) -> Subgraph:
    """The subgraph in a file.

    :raises BadSubgraph: whatever the format refuses. :raises OSError: the file cannot be read.
    """
    limits = limits or Limits()
    with Path(path).open("rb") as file:
        return Subgraph.from_json(file.read(limits.file_bytes + 1), limits)


__all__ = ["Definition", "Input", "Node", "Subgraph", "Tuning", "Use", "load_subgraph"]
