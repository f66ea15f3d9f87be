"""From a graph of ATen ops to a Model, and which nodes of a graph our ops cover at all.

Both walk a graph in one way: every node is said in ONNX's words, and its result must have the shape and type
that PyTorch says it has.
"""

from __future__ import annotations

import operator
from collections.abc import Collection
from dataclasses import dataclass

from torch.fx import Graph, Node

from ansord_client.errors import BadSubgraph
from ansord_client.models.building import Laid, NotCovered
from ansord_client.models.graph import Model
from ansord_client.models.patterns import simplified
from ansord_client.torch_backend.aten import SAID
from ansord_client.torch_backend.say import Say, tensor_of


@dataclass(frozen=True)
class Region:
    """A graph as a model; its inputs are those placeholders that are not among `weights` (names of both)."""

    model: Model
    inputs: tuple[str, ...]
    weights: tuple[str, ...]


def covered(graph: Graph, weights: Collection[str]) -> set[Node]:
    """The nodes that our ops can compute, whatever computes what they read."""
    say = _say(graph)
    found: set[Node] = set()
    for node in graph.nodes:
        if node.op == "output":
            continue
        if node.op == "call_function" and _said(say, node):
            found.add(node)
        else:
            _given(say, node, weights)
    for node in [one for one in found if _several(one)]:
        if not all(user in found for user in node.users):
            found.difference_update((node, *node.users))
    return found


def region(graph: Graph, weights: Collection[str], name: str) -> Region:
    """A graph whose nodes are all covered, and whose outputs are tensors.

    :raises NotCovered: it is none. :raises BadModel: a model that cannot be.
    """
    say = _say(graph)
    inputs: list[str] = []
    held: list[str] = []
    results: list[Node] = []
    for node in graph.nodes:
        if node.op == "output":
            (value,) = node.args
            results = list(value) if isinstance(value, tuple | list) else [value]
        elif node.op == "placeholder":
            say.input(node, node.name in weights)
            (held if node.name in weights else inputs).append(node.name)
        elif not _said(say, node):
            raise NotCovered(node.name)
    outputs = []
    for place, node in enumerate(results):
        if not isinstance(node, Node) or node.name not in say.held:
            raise NotCovered("an output that is no tensor")
        outputs.append((f"output.{place}", say.held[node.name]))
    model = simplified(say.builder.finish(name, inputs, outputs))
    kept = tuple(one for one in held if one in model.constants)
    return Region(model, tuple(inputs), kept)


def _say(graph: Graph) -> Say:
    return Say({node.name: node for node in graph.nodes})


def _given(say: Say, node: Node, weights: Collection[str]) -> None:
    """What others read of a node that is not ours: its value, or its first ones."""
    try:
        say.input(node, node.name in weights)
    except NotCovered:
        return


def _said(say: Say, node: Node) -> bool:
    """Whether a node could be said; its result is held then."""
    try:
        if node.target is operator.getitem:
            return _taken(say, node)
        rule = SAID.get(node.target)
        if rule is None or any(isinstance(one, complex) for one in node.args):
            return False
        rule(say, node.name, *node.args, **node.kwargs)
        return _several(node) or _fits(say, node)
    except (NotCovered, BadSubgraph, TypeError, ValueError, IndexError):  # arguments that no rule expects
        say.held.pop(node.name, None)
        return False


def _several(node: Node) -> bool:
    return isinstance(node.meta.get("val"), tuple | list)


def _taken(say: Say, node: Node) -> bool:
    source, index = node.args
    if not isinstance(source, Node) or not isinstance(index, int):
        return False
    name = f"{source.name}.{index}" if index else source.name
    if name not in say.held:
        return False
    say.held[node.name] = say.held[name]
    return _fits(say, node)


def _fits(say: Say, node: Node) -> bool:
    laid: Laid = say.held[node.name]
    tensor, value = tensor_of(node), say.builder.values[laid.name]
    if say.builder.meant(laid) == tensor.shape and value.dtype == tensor.dtype:
        return True
    del say.held[node.name]
    return False


__all__ = ["NotCovered", "Region", "covered", "region"]
