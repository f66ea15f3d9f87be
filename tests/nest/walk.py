"""Runs the loops of a nest and says which points of which leaf they reach: the meaning of the loop tree.

Only for tests; nothing is computed at the points.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from ansord.nest import Attach, Fits, Leaf, Loop, Node, Parallel, Side, When
from ansord_client.index import Index

Scope = Mapping[str, int]
Point = tuple[int, ...]


@dataclass(frozen=True)
class Event:
    """A leaf that is reached with these values of the loop variables; for Attach, the whole of it."""

    leaf: Leaf | Attach
    scope: Scope

    def spatial(self) -> list[Point]:
        """The spatial points of the block, relative to the origin of its region."""
        assert not isinstance(self.leaf, Attach)
        return self._points(self.leaf.block.spatial)

    def reduce(self) -> list[Point]:
        """The reduce points of the block."""
        assert not isinstance(self.leaf, Attach)
        return self._points(self.leaf.block.reduce)

    def _points(self, sides: tuple[Side, ...]) -> list[Point]:
        first = [self.scope[side.var] if side.var else 0 for side in sides]
        ranges = [range(low, low + side.points) for low, side in zip(first, sides, strict=True)]
        return list(product(*ranges))


def walk(nodes: tuple[Node, ...], scope: Scope) -> Iterator[Event]:
    """Every leaf in the order of execution; an attached group as one event, then its own leaves' turn."""
    for node in nodes:
        match node:
            case Loop():
                yield from _loop(node, scope)
            case Parallel():
                yield from _parallel(node, scope)
            case Fits():
                fits = (scope[node.var] if node.var else 0) + node.step <= node.extent
                yield from walk(node.full if fits else node.tail, scope)
            case When():
                there = _last if node.last else _first
                yield from walk(
                    node.then if all(there(loop, scope) for loop in node.over) else node.otherwise, scope
                )
            case _:
                yield Event(node, dict(scope))


def _first(loop: Loop, scope: Scope) -> bool:
    return scope[loop.var] == 0


def _last(loop: Loop, scope: Scope) -> bool:
    return scope[loop.var] + loop.step >= loop.extent


def _positions(loop: Loop, scope: Scope) -> range:
    start = scope[loop.start] if loop.start else 0
    return range(start, min(start + loop.span, loop.extent), loop.step)


def _loop(loop: Loop, scope: Scope) -> Iterator[Event]:
    start = scope[loop.start] if loop.start else 0
    end = min(start + loop.span, loop.extent)
    for place in _positions(loop, scope):
        partial = bool(loop.rest) and place + loop.step > end
        yield from walk(loop.rest if partial else loop.body, {**scope, loop.var: place})


def _parallel(node: Parallel, scope: Scope) -> Iterator[Event]:
    for places in product(*(_positions(loop, scope) for loop in node.over)):
        names = [loop.var for loop in node.over]
        yield from walk(node.body, {**scope, **dict(zip(names, places, strict=True))})


def origins(node: Attach, scope: Scope) -> dict[str, int]:
    """Where the region of an attached group begins, by axis; axes that are taken whole are missing."""
    return {o.axis: min(max(value(o.start, scope), 0), o.limit) for o in node.origins}


def value(form: Index, scope: Scope) -> int:
    """The number that a form is; conservative interval arithmetic is exact on single points."""
    low, high = form.interval({name: (scope[name], scope[name]) for name in form.axes})
    assert low == high
    return low
