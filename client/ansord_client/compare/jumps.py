"""Where rounding can tip a decision: floor, a cast to integers or a comparison of values that were rounded.

Behind such a jump a correct kernel may differ from the reference by a whole step, in the few elements that
lie within a rounding error of the edge.
"""

from __future__ import annotations

from dataclasses import dataclass

from ansord_client.dtypes import DTYPES
from ansord_client.expr import COMPARISONS, Call, Load, walk
from ansord_client.graph import Node
from ansord_client.ops import Definition
from ansord_client.subgraph import Subgraph

_MOVES = {
    "transpose",
    "reshape",
    "expand_dims",
    "squeeze",
    "slice",
    "concat",
    "pad",
    "relu",
    "neg",
    "abs",
} | {
    "clip",
    "floor",
    "maximum",
    "minimum",
    "where",
    "max_pool",
    "reduce_max",
    "reduce_min",
}
"""Float ops that round nothing: their results are elements of their args, or exact."""


@dataclass(frozen=True, slots=True)
class Jumps:
    """`edges`: the float tensors whose rounding decides something. `behind`: tensors that depend on it."""

    edges: tuple[str, ...]
    behind: frozenset[str]


def jumps(sg: Subgraph) -> Jumps:
    """The jumps of the live nodes."""
    rounded: set[str] = set()
    behind: set[str] = set()
    edges: dict[str, None] = {}
    for node in sg.live:
        floats = [name for name in node.reads if DTYPES[sg.tensor(name).dtype].kind == "float"]
        inside = _decides_inside(node)
        decided = [name for name in floats if name in rounded or inside] if _decides(node) else []
        edges |= dict.fromkeys(decided)
        if decided or behind.intersection(node.reads):
            behind.add(node.name)
        if _rounds(node, sg) or (_keeps_rounding(node) and rounded.intersection(node.reads)):
            rounded.add(node.name)
    return Jumps(tuple(edges), frozenset(behind))


def _decides(node: Node) -> bool:
    if node.op == "cast":
        return DTYPES[node.dtype].kind != "float"
    return node.op == "floor" or node.op in COMPARISONS or _definition_decides(node)


def _definition_decides(node: Node) -> bool:
    """Whether an expression decides on what it reads; axes are exact."""
    return any(isinstance(inner, Load) for part in _decisions(node) for inner in walk(part))


def _decides_inside(node: Node) -> bool:
    """Whether an expression decides on something that it computed itself."""
    return any(
        isinstance(arg, Call) and arg.op not in _MOVES and arg.op != "cast"
        for part in _decisions(node)
        for arg in part.args
    )


def _decisions(node: Node) -> list[Call]:
    """The floors and comparisons of a `compute`."""
    definition = node.attrs.get("definition")
    parts = walk(definition.body) if isinstance(definition, Definition) else ()
    return [part for part in parts if isinstance(part, Call) and part.op in COMPARISONS | {"floor"}]


def _keeps_rounding(node: Node) -> bool:
    """A floor leaves whole numbers, however its arg was rounded."""
    return DTYPES[node.dtype].kind == "float" and node.op != "floor"


def _rounds(node: Node, sg: Subgraph) -> bool:
    """Whether the op itself rounds floats."""
    row = DTYPES[node.dtype]
    if row.kind != "float":
        return False
    if node.op == "cast":
        source = DTYPES[sg.tensor(node.reads[0]).dtype]
        return source.bytes > row.bytes or (source.kind == "int" and source.bytes == row.bytes)
    return node.op not in _MOVES
