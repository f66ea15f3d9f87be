"""Which ops run together: Relay's operator fusion over post-dominators, then layout changes into consumers.

Attention stays three tasks: scores, softmax, mix. In 68 trials each, on two shared cores, BERT's scores (12
heads, 128 tokens) took 92 µs and their softmax 41, both as one task 181; after 20 trials, all of attention as
one task took 349 µs, the three 223. Of the whole's many sketches few place the scores in the mix's tiles.

Pure; called by `partition`. Source: Roesch et al., "Relay: A High-Level Compiler for Deep Learning" (2019),
and TVM's graph partitioner, whose three sweeps and conditions this follows on our op table's kinds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from ansord_client.models.graph import Foreign, Op, Tensor
from ansord_client.ops import TABLE, Fusion

LARGEST = 64
"""Ops in a group."""
MOST_INPUTS = 32

SHAPES = frozenset({"reshape", "expand_dims", "squeeze"})
"""Ops that give the same elements in the same order."""

_MOVES = frozenset({"transpose", "pad", "slice"})
_NORMALISE = frozenset({"softmax", "log_softmax", "layer_norm"})


class Kind(IntEnum):
    """Relay's order of patterns."""

    ELEMENTWISE = Fusion.ELEMENTWISE
    BROADCAST = Fusion.BROADCAST
    INJECTIVE = Fusion.INJECTIVE
    REDUCTION = Fusion.REDUCTION
    HEAVY = Fusion.HEAVY
    OPAQUE = 8


def kind_of(node: Op | Foreign) -> Kind:
    """How a node takes part: the table's kind, but a `compute` that reduces nothing only moves elements."""
    if isinstance(node, Foreign):
        return Kind.OPAQUE
    if node.unit:
        return Kind.HEAVY
    if node.op == "compute" and _maps(node.attrs["expr"]):
        return Kind.INJECTIVE
    return Kind(TABLE[node.op].fusion)


def _maps(expr: str) -> bool:
    return expr.partition("]")[2].lstrip().startswith("=")


@dataclass
class _Vertex:
    """A node, or a unit of nodes in topological order; `edges` are its readers, with the kind of each."""

    nodes: list[Op | Foreign]
    kind: Kind
    edges: list[tuple[int, Kind]]
    leaves: bool = False
    """Whether it is an output of the model."""


def groups(
    nodes: Sequence[Op | Foreign], values: Mapping[str, Tensor], outputs: Sequence[str]
) -> list[list[Op | Foreign]]:
    """The nodes in groups that have one result each; groups and the nodes in them are topological."""
    graph = _vertices(nodes, values, outputs)
    fused = _Groups(graph)
    tree = _dominators(graph)
    for phase in range(2):
        for vertex in range(len(graph)):
            _sweep(graph, tree, fused, vertex, phase)
    _prologues_joined(graph, fused)
    return _ordered(graph, fused)


def _vertices(
    nodes: Sequence[Op | Foreign], values: Mapping[str, Tensor], outputs: Sequence[str]
) -> list[_Vertex]:
    """Units become one vertex, at the place of their last node."""
    last = {node.unit: place for place, node in enumerate(nodes) if isinstance(node, Op) and node.unit}
    graph: list[_Vertex] = []
    waiting: dict[str, list[Op | Foreign]] = {}
    makers: dict[str, int] = {}
    for place, node in enumerate(nodes):
        unit = node.unit if isinstance(node, Op) else ""
        members = [*waiting.pop(unit, []), node] if unit else [node]
        if unit and last[unit] != place:
            waiting[unit] = members
            continue
        inner = {name for member in members for name in member.results}
        makers.update(dict.fromkeys(inner, len(graph)))
        vertex = _Vertex(members, kind_of(node), [], bool(inner & set(outputs)))
        for member in members:
            for name in dict.fromkeys(member.reads):
                if name in makers and name not in inner:
                    graph[makers[name]].edges.append((len(graph), _edge(vertex.kind, values, name, node)))
        graph.append(vertex)
    return graph


def _edge(kind: Kind, values: Mapping[str, Tensor], name: str, node: Op | Foreign) -> Kind:
    """A broadcast that leaves this arg's shape alone is elementwise along this edge."""
    if kind == Kind.BROADCAST and isinstance(node, Op):
        return Kind.ELEMENTWISE if values[name].shape == values[node.result].shape else kind
    return kind


@dataclass(frozen=True, slots=True)
class _Dominator:
    """Of a vertex: its nearest post-dominator (None: the end), depth in the tree, worst kind on the way."""

    parent: int | None
    depth: int
    kind: Kind


def _dominators(graph: Sequence[_Vertex]) -> list[_Dominator]:
    tree: list[_Dominator] = [_Dominator(None, 0, Kind.OPAQUE)] * len(graph)
    for vertex in reversed(range(len(graph))):
        edges = graph[vertex].edges
        if graph[vertex].leaves or not edges:
            tree[vertex] = _Dominator(None, 1, Kind.OPAQUE)
            continue
        parent: int | None = edges[0][0]
        kind = edges[0][1]
        for reader, edge in edges[1:]:
            parent, met = _common(tree, parent, reader)
            kind = max(kind, edge, met)
        tree[vertex] = _Dominator(parent, 1 if parent is None else tree[parent].depth + 1, kind)
    return tree


def _common(tree: Sequence[_Dominator], one: int | None, other: int | None) -> tuple[int | None, Kind]:
    """The nearest vertex that dominates both, and the worst kind on the ways to it."""
    kind = Kind.ELEMENTWISE
    while one != other:
        if one is None or other is None:
            return None, Kind.OPAQUE
        if tree[one].depth < tree[other].depth:
            one, other = other, one
        kind = max(kind, tree[one].kind)
        one = tree[one].parent
    return one, kind


class _Groups:
    """Union of vertices: `root` of each, with the group's kind and size at the root."""

    def __init__(self, graph: Sequence[_Vertex]) -> None:
        self.above = list(range(len(graph)))
        self.kinds = [vertex.kind for vertex in graph]
        self.anchored = [vertex.kind == Kind.HEAVY for vertex in graph]
        self.sizes = [len(vertex.nodes) for vertex in graph]

    def root(self, vertex: int) -> int:
        while self.above[vertex] != vertex:
            self.above[vertex] = self.above[self.above[vertex]]
            vertex = self.above[vertex]
        return vertex

    def kind(self, vertex: int) -> Kind:
        return self.kinds[self.root(vertex)]

    def join(self, child: int, parent: int) -> None:
        """The child's group becomes the parent's; a heavy op's kind goes with it."""
        child, parent = self.root(child), self.root(parent)
        if child == parent:
            return
        self.above[child] = parent
        self.sizes[parent] += self.sizes[child]
        if self.anchored[child]:
            self.anchored[parent] = True
            self.kinds[parent] = max(self.kinds[child], self.kinds[parent])


def _sweep(graph: list[_Vertex], tree: list[_Dominator], fused: _Groups, vertex: int, phase: int) -> None:
    """What one vertex does in one sweep: heavy and light ops in the first, moves in the second.

    Relay's third sweep is about tuples, of which we have none.
    """
    parent, kind = tree[vertex].parent, fused.kind(vertex)
    if parent is None or kind == Kind.OPAQUE or fused.root(vertex) == fused.root(parent):
        return
    edge = tree[vertex].kind
    if kind == Kind.HEAVY:
        allowed = phase == 0 and edge == Kind.ELEMENTWISE
        inner = sinks = frozenset({Kind.ELEMENTWISE, Kind.BROADCAST})
    elif kind <= Kind.BROADCAST:
        allowed = edge <= Kind.INJECTIVE or edge == Kind.REDUCTION
        inner = frozenset({Kind.ELEMENTWISE, Kind.BROADCAST, Kind.INJECTIVE})
        sinks = frozenset(Kind) - {Kind.OPAQUE}
    else:
        allowed = kind == Kind.INJECTIVE and phase == 1
        inner = sinks = frozenset({Kind.ELEMENTWISE, Kind.BROADCAST, Kind.INJECTIVE})
    if not allowed:
        return
    path = _between(graph, vertex, parent)
    if any(fused.kind(one) not in inner for one in path) or fused.kind(parent) not in sinks:
        return
    roots = {fused.root(one) for one in (vertex, *path, parent)}
    if sum(fused.sizes[root] for root in roots) > LARGEST or not _few_inputs(graph, fused, roots):
        return
    for one in (vertex, *path):
        fused.join(one, parent)


def _between(graph: Sequence[_Vertex], start: int, end: int) -> list[int]:
    """The vertices on the ways from `start` to its post-dominator."""
    found: dict[int, None] = {}
    pending = [reader for reader, _ in graph[start].edges]
    while pending:
        vertex = pending.pop()
        if vertex != end and vertex not in found:
            found[vertex] = None
            pending += [reader for reader, _ in graph[vertex].edges]
    return sorted(found)


def _few_inputs(graph: Sequence[_Vertex], fused: _Groups, roots: set[int]) -> bool:
    members = [node for place, one in enumerate(graph) if fused.root(place) in roots for node in one.nodes]
    made = {name for node in members for name in node.results}
    return len({name for node in members for name in node.reads} - made) <= MOST_INPUTS


def _prologues_joined(graph: list[_Vertex], fused: _Groups) -> None:
    """Beyond Relay: groups join their one reader where it can compute them as it reads.

    A transpose, a padding or a slice joins any of our ops: its elements need not be moved in memory. One that
    only changes the shape is free where it stands. Light ops join a softmax or a norm, which reads each
    element a few times, but no contraction, which reads it many times.
    """
    for vertex in reversed(range(len(graph))):
        root = fused.root(vertex)
        readers = {fused.root(reader) for reader, _ in graph[vertex].edges} - {root}
        inside = {fused.root(reader) for reader, _ in graph[vertex].edges} - readers
        if inside or graph[vertex].leaves or len(readers) != 1:
            continue
        (reader,) = readers
        ops = [node for place, one in enumerate(graph) if fused.root(place) == root for node in one.nodes]
        first = [graph[one] for one, _ in graph[vertex].edges]
        fits = fused.sizes[root] + fused.sizes[reader] <= LARGEST and _few_inputs(
            graph, fused, {root, reader}
        )
        if fits and fused.kinds[reader] != Kind.OPAQUE and (_moves(ops) or _light(ops, first)):
            fused.join(vertex, reader)


def _moves(ops: Sequence[Op | Foreign]) -> bool:
    names = {node.op for node in ops}
    return names <= _MOVES | SHAPES and not names <= SHAPES


def _light(ops: Sequence[Op | Foreign], readers: Sequence[_Vertex]) -> bool:
    normalises = all(
        vertex.nodes[0].op in _NORMALISE or (isinstance(one := vertex.nodes[0], Op) and bool(one.unit))
        for vertex in readers
    )
    return normalises and all(kind_of(node) <= Kind.BROADCAST for node in ops)


def _ordered(graph: Sequence[_Vertex], fused: _Groups) -> list[list[Op | Foreign]]:
    """By each group's last vertex, whose result is the only one that others read."""
    members: dict[int, list[int]] = {}
    for vertex in range(len(graph)):
        members.setdefault(fused.root(vertex), []).append(vertex)
    found = sorted(members.values(), key=lambda group: group[-1])
    return [[node for vertex in group for node in graph[vertex].nodes] for group in found]
