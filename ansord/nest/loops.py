"""The loop tree of a program: what `show` prints and the emitter writes in C.

Derived from a Program by replay, never edited. Loops run over positions, not tile numbers:
`for h1 = h0 … min(h0 + span, extent) step step`, so the innermost variable is the axis itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ansord.nest.sketch import Group
from ansord_client.index import Index


@dataclass(frozen=True)
class Loop:
    """`var` runs from `start` (a variable, or 0) over `span` positions, cut at `extent`, by `step`.

    `rest` runs once for the last, partial step when there is one; without it partial steps run the body.
    """

    axis: str
    var: str
    start: str | None
    span: int
    step: int
    extent: int
    body: tuple[Node, ...] = ()
    rest: tuple[Node, ...] = ()
    unroll: int = 1

    @property
    def clipped(self) -> bool:
        """Whether the span can reach over the extent."""
        return self.start is not None and self.extent % self.span != 0


@dataclass(frozen=True)
class Parallel:
    """The product of the loops `over` is divided among the threads."""

    over: tuple[Loop, ...]
    body: tuple[Node, ...]


@dataclass(frozen=True)
class Fits:
    """`full` where a whole step from `var` is inside the extent, else `tail`."""

    var: str | None
    step: int
    extent: int
    full: tuple[Node, ...]
    tail: tuple[Node, ...]


@dataclass(frozen=True)
class When:
    """`then` in the first (or last) iteration of all the loops `over`, else `otherwise`."""

    last: bool
    over: tuple[Loop, ...]
    then: tuple[Node, ...]
    otherwise: tuple[Node, ...]


@dataclass(frozen=True)
class Side:
    """One axis of a register block: `points` positions from `var` (None: from 0), in vectors of `lanes`.

    `extent`: what lies beyond it is left out, point by point; None where nothing does.
    """

    axis: str
    var: str | None
    points: int
    lanes: int = 1
    extent: int | None = None

    @property
    def vectors(self) -> int:
        """Vectors, the last of which may be partial."""
        return -(-self.points // self.lanes)


@dataclass(frozen=True)
class Block:
    """A register block of one group: every accumulator is a variable of its own."""

    spatial: tuple[Side, ...]
    reduce: tuple[Side, ...]
    lanes: int
    vector: str | None


@dataclass(frozen=True)
class Clear:
    """Accumulators start at the combiner's neutral value."""

    block: Block


@dataclass(frozen=True)
class Fetch:
    """Accumulators are loaded from the tile memory."""

    block: Block


@dataclass(frozen=True)
class Update:
    """One step of the reduction for every point of the block; without a reduction, nothing."""

    block: Block


@dataclass(frozen=True)
class Spill:
    """Accumulators are stored to the tile memory."""

    block: Block


@dataclass(frozen=True)
class Finish:
    """The epilogue is computed on the accumulators, and what is wanted later is stored."""

    block: Block


@dataclass(frozen=True)
class Origin:
    """Where the region of a placed group begins on one axis: `var` is `start`, a rising form over the host's
    variables, moved into 0 … limit: where conditions guard the reads, a tile needs less than it spans."""

    axis: str
    var: str
    start: Index
    limit: int

    @property
    def low(self) -> bool:
        """Whether `start` can be negative."""
        return self.start.const < 0

    def __str__(self) -> str:
        start = f"max({self.start}, 0)" if self.low else str(self.start)
        return f"{self.var} = min({start}, {self.limit})"


@dataclass(frozen=True)
class Attach:
    """A placed group, for the region that the tile of its host needs."""

    nest: GroupNest
    origins: tuple[Origin, ...]


Leaf = Clear | Fetch | Update | Spill | Finish
Node = Loop | Parallel | Fits | When | Attach | Clear | Fetch | Update | Spill | Finish


@dataclass(frozen=True)
class GroupNest:
    """The loops of one group. `memory` gives, per spatial axis, the first variable of the tile whose
    accumulators live in memory and the points of that tile; empty where registers hold them."""

    group: Group
    body: tuple[Node, ...]
    memory: tuple[tuple[str | None, int], ...]
    parallel: bool
    regions: tuple[tuple[str, tuple[int, ...], tuple[str | None, ...]], ...] = ()
    """For each stage placed here: its tensor, the extents of its region and the variables of its origin,
    per dimension of the tensor."""
    pinned: bool = False
    """Vectors that are loaded stay in registers for all their uses."""

    def __str__(self) -> str:
        """What the loops do not tell: what runs them, which operands are laid out when, what is pinned."""
        constant = {name for name in self.group.packed if self.group.by_name[name].constant}
        kinds = (constant, "once"), (set(self.group.packed) - constant, "in this call")
        words = [f"{', '.join(sorted(names))} laid out {when}" for names, when in kinds if names]
        if not self.parallel:
            words.insert(0, "at packing" if self.group.prepared else "one thread")
        words += ["vectors pinned"] if self.pinned else []
        return f"{self.group.name}:" + (f"  ({'; '.join(words)})" if words else "")


@dataclass(frozen=True)
class Nest:
    """All groups in the order in which they run, each seeing what the ones before have stored."""

    groups: tuple[GroupNest, ...]
    threads: int

    def __str__(self) -> str:
        lines: list[str] = []
        for nest in self.groups:
            lines.append(str(nest))
            lines.extend(_lines(nest.body, nest.group, 1))
        return "\n".join(lines) + "\n"


def _lines(nodes: tuple[Node, ...], group: Group, depth: int) -> Iterator[str]:
    pad = "  " * depth
    for node in nodes:
        match node:
            case Loop():
                yield f"{pad}for {_range(node)}" + (f" unroll {node.unroll}" if node.unroll > 1 else "")
                yield from _lines(node.body, group, depth + 1)
                if node.rest:
                    yield f"{pad}rest {node.var}"
                    yield from _lines(node.rest, group, depth + 1)
            case Parallel():
                yield f"{pad}parallel " + " · ".join(_range(loop) for loop in node.over)
                yield from _lines(node.body, group, depth + 1)
            case Fits():
                yield f"{pad}if {node.var or 0} + {node.step} <= {node.extent}"
                yield from _lines(node.full, group, depth + 1)
                yield f"{pad}else"
                yield from _lines(node.tail, group, depth + 1)
            case Attach():
                where = " ".join(map(str, node.origins))
                yield f"{pad}{node.nest.group.name} here{': ' if where else ''}{where}" + (
                    "  (vectors pinned)" if node.nest.pinned else ""
                )
                yield from _lines(node.nest.body, node.nest.group, depth + 1)
            case When():
                word = "last" if node.last else "first"
                yield f"{pad}if {word} {' '.join(loop.var for loop in node.over)}"
                yield from _lines(node.then, group, depth + 1)
                yield f"{pad}else"
                yield from _lines(node.otherwise, group, depth + 1)
            case _:
                yield pad + _leaf(node, group)


def _range(loop: Loop) -> str:
    end = f"{loop.start}+{loop.span}" if loop.start else str(min(loop.span, loop.extent))
    if loop.clipped:
        end = f"min({end}, {loop.extent})"
    return f"{loop.var} {loop.start or 0}…{end} step {loop.step}"


def _leaf(node: Leaf, group: Group) -> str:
    stage, block = group.stage, node.block
    sides = [*block.spatial, *(block.reduce if isinstance(node, Update) else ())]
    shape = " ".join(
        f"{side.axis}:{side.points}"
        + (f"/{side.lanes}" if side.axis == block.vector and side.lanes > 1 else "")
        + (f"<{side.extent}" if side.extent is not None else "")
        for side in sides
        if side.points > 1
    )
    match node:
        case Update():
            return f"block [{shape}] {stage.name} {stage.combiner} {stage.value}"
        case Finish():
            parts = [f"{s.name} = {s.value}" for s in group.epilogue]
            if not stage.reduce:
                parts.insert(0, f"{stage.name} = {stage.value}")
            stores = ", ".join(s.name for s in group.writes)
            return f"finish [{shape}] " + "; ".join([*parts, f"store {stores}"])
    return f"{type(node).__name__.lower()} [{shape}] {stage.name}"
