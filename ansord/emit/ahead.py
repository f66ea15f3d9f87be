"""Packed operands asked for ahead of their use: while one tile is computed, the next one's part comes.

Called by `walk` where a tile begins, by `block` beside each update. For each block of its rows a tile reads
its part of the weights again, but for the first of them all of it comes from memory: there the processor
waits, and beside the others memory does. Asked for evenly over a whole tile, that of the next one is there
in time, and neither waits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from ansord.emit.address import c_index
from ansord.emit.ctype import CTYPES
from ansord.emit.frame import Scope, scaled
from ansord.emit.pack import Packed
from ansord.emit.unit import Lines
from ansord.nest import Fits, Loop, Node, Parallel, Update, When, ceil
from ansord_client.index import Index

LINE = 64
"""Bytes that come together."""
MOST = 8
"""Lines asked for beside one update: where a tile is read but once, more than it reads itself is no use."""
VARIABLE = "ahead"


@dataclass(frozen=True)
class Ahead:
    """`start`: C text of where the next tile's part begins; `step`: bytes of it for each update."""

    start: str
    step: int

    def declare(self, out: Lines) -> None:
        """At the beginning of a tile."""
        out(f"const char *{VARIABLE} = {self.start};")

    def ask(self, out: Lines) -> None:
        """Beside an update. Beyond the end of the operand asking does no harm."""
        for line in range(min(MOST, ceil(self.step, LINE))):
            out(f"__builtin_prefetch({VARIABLE} + {line * LINE});")
        out(f"{VARIABLE} += {self.step};")


def ahead(over: Sequence[Loop], body: Sequence[Node], scope: Scope) -> Ahead | None:
    """For tiles that the loops `over` walk; None where they walk no packed operand."""
    count = updates(body)
    found = [(one, walked) for one in scope.packed.values() if (walked := _walked(one, over))]
    if not found or not count:
        return None
    packed, loops = max(found, key=lambda pair: pair[0].elements)
    place, size = Index(), 0
    for loop in loops:
        block, stride = packed.sizes[loop.axis][0], packed.strides[loop.axis, "block"]
        place = place + scaled(loop.var, block, stride)
        size = ceil(loop.step, block) * stride
    width = CTYPES[packed.tensor.dtype].bytes
    start = f"(const char *)({packed.name} + {c_index(place + size, scope.bounds)})"
    return Ahead(start, ceil(size * width, count))


def _walked(packed: Packed, over: Sequence[Loop]) -> list[Loop]:
    """The loops that go from one part of the operand to another, outermost first."""
    return [loop for loop in over if (loop.axis, "block") in packed.strides]


def updates(nodes: Sequence[Node]) -> int:
    """How many updates run inside, where every tile is whole."""
    count = 0
    for node in nodes:
        match node:
            case Loop():
                count += _trips(node) * updates(node.body)
            case Parallel():
                count += prod(map(_trips, node.over)) * updates(node.body)
            case Fits():
                count += updates(node.full)
            case When():
                count += max(updates(node.then), updates(node.otherwise))
            case Update():
                count += 1
    return count


def _trips(loop: Loop) -> int:
    trips: int = ceil(min(loop.span, loop.extent), loop.step)
    return trips
