"""Program → Nest: the one place where loops are made. Pure; nothing here is searched or scored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from ansord.nest.loops import (
    Attach,
    Block,
    Clear,
    Fetch,
    Finish,
    Fits,
    GroupNest,
    Loop,
    Nest,
    Node,
    Origin,
    Parallel,
    Side,
    Spill,
    Update,
    When,
)  # fmt: skip
from ansord.nest.program import Program
from ansord.nest.region import regions
from ansord.nest.sketch import Group
from ansord.nest.tiles import Reduce, Spatial
from ansord_client.index import Index

Nodes = tuple[Node, ...]


def replay(program: Program) -> Nest:
    """The loops of every group of the program."""
    threads = program.target.threads
    nests = tuple(_Replay(group, program).nest(threads) for group in program.sketch.groups)
    return Nest(nests, threads)


class _Replay:
    """The loops of one group, built from the inside out; `suffix` sets the variables of placed ones apart."""

    def __init__(self, group: Group, program: Program, suffix: str = "") -> None:
        self.group = group
        self.program = program
        self.suffix = suffix
        self.plan = plan = program.plans[group.name]
        names = [*plan.spatial, *plan.reduce]
        self.vector = names[plan.vector] if plan.lanes > 1 else None
        self.levels = [_spatial_loops(name, axis, suffix) for name, axis in plan.spatial.items()]
        self.inner = [_reduce_loops(name, axis, suffix) for name, axis in plan.reduce.items()]
        self.vars = {
            name: _innermost(loops) for name, loops in zip(names, [*self.levels, *self.inner], strict=True)
        }

    def nest(self, threads: int) -> GroupNest:
        """Outermost: S0, shared among the threads, then S1 and the tile."""
        tile = self._through_memory() if self.plan.through_memory else self._in_registers()
        body = _wrap([levels[1] for levels in self.levels], (*self._placed("s1"), *tile))
        body = (*self._placed("s0"), *body)
        order = _moved_first([levels[0] for levels in self.levels], self.plan.first)
        outer = [loop for loop in order if loop]
        depth = min(self.plan.parallel, len(outer)) if threads > 1 else 0
        body = _wrap(outer[depth:], body)
        if depth:
            body = (Parallel(tuple(outer[:depth]), body),)
        memory: tuple[tuple[str | None, int], ...] = ()
        if self.plan.through_memory:
            spatial = self.plan.spatial.values()
            memory = tuple(
                (_innermost(levels[:2]), axis.middle)
                for levels, axis in zip(self.levels, spatial, strict=True)
            )
        pinned = bool(self.plan.pin) and self.vector is not None
        return GroupNest(self.group, body, memory, depth > 0, self._regions(), pinned)

    def _in_registers(self) -> Nodes:
        """Accumulators live from their first to their last addend."""

        def block(sides: tuple[Side, ...]) -> Nodes:
            whole = self._block(sides)
            if not self.plan.reduce:
                return (Finish(whole),)
            inner = (*self._placed("r0"), *self._reduction(whole))
            reduction = _wrap(self._outer_reduce(), inner)
            return (Clear(whole), *reduction, Finish(whole))

        return _wrap([levels[2] for levels in self.levels], self._cases(block))

    def _through_memory(self) -> Nodes:
        """Accumulators wait in memory between the outer iterations of the reduction."""
        outer = tuple(loop for loop in self._outer_reduce() if loop)

        def block(sides: tuple[Side, ...]) -> Nodes:
            whole = self._block(sides)
            start = When(False, outer, (Clear(whole),), (Fetch(whole),))
            end = When(True, outer, (Finish(whole),), (Spill(whole),))
            return (start, *self._reduction(whole), end)

        tile = _wrap([levels[2] for levels in self.levels], self._cases(block))
        return _wrap(outer, (*self._placed("r0"), *tile))

    def _placed(self, level: str) -> Nodes:
        """The groups placed at a level, each for the region of the tile there."""
        nodes: list[Node] = []
        spans = regions(self.group, self.plan) if self.group.placed else {}
        corner = self._corner(level)
        for placed in self.group.placed:
            if placed.level == level:
                name = placed.group.name
                nest = _Replay(placed.group, self.program, f"_{name}").nest(1)
                axes = {axis.name: axis.extent for axis in placed.group.stage.axes}
                origins = tuple(
                    Origin(
                        axis, f"{axis}_{name}", span.start.substitute(corner), axes[axis] - int(span.extent)
                    )
                    for axis, span in spans[name].items()
                    if span.extent < axes[axis]
                )
                nodes.append(Attach(nest, origins))
        return tuple(nodes)

    def _corner(self, level: str) -> dict[str, int | str | Index]:
        """The position of the tile at a level, axis by axis."""
        depth = 1 if level == "s0" else 2
        named = zip(self.plan.spatial, self.levels, strict=True)
        corner: dict[str, int | str | Index] = {
            name: _innermost(levels[:depth]) or 0 for name, levels in named
        }
        for name, levels in zip(self.plan.reduce, self.inner, strict=True):
            corner[name] = _innermost(levels[:1]) or 0
        return corner

    def _regions(self) -> tuple[tuple[str, tuple[int, ...], tuple[str | None, ...]], ...]:
        result = []
        spans = regions(self.group, self.plan) if self.group.placed else {}
        for placed in self.group.placed:
            stage, name = placed.group.stage, placed.group.name
            extents, origins = [], []
            whole = {axis.name: axis.extent for axis in stage.axes}
            for part in stage.where:
                axis = next(iter(part.axes), None)
                extents.append(int(spans[name][axis].extent) if axis else 1)
                cut = axis is not None and extents[-1] < whole[axis]
                origins.append(f"{axis}_{name}" if cut else None)
            result.append((name, tuple(extents), tuple(origins)))
        return tuple(result)

    def _cases(self, block: Callable[[tuple[Side, ...]], Nodes]) -> Nodes:
        """The text of the block for whole and partial blocks of each axis."""

        def choose(rest: list[tuple[str, Spatial]], sides: tuple[Side, ...]) -> Nodes:
            if not rest:
                return block(sides)
            (name, axis), *others = rest
            side = Side(name, self.vars[name], min(axis.block, axis.extent), axis.lanes)
            if axis.extent <= axis.block or axis.extent % axis.block == 0:
                return choose(others, (*sides, side))
            if not self.plan.reduce and self.group.stage.unit(name):
                # Points that are computed together share most of their text: one for whole and partial units.
                return choose(others, (*sides, replace(side, extent=axis.extent)))
            partial = replace(side, points=axis.extent % axis.block)
            return (
                Fits(
                    side.var,
                    axis.block,
                    axis.extent,
                    choose(others, (*sides, side)),
                    choose(others, (*sides, partial)),
                ),
            )

        return choose(list(self.plan.spatial.items()), ())

    def _block(self, sides: tuple[Side, ...]) -> Block:
        reduce = tuple(
            Side(name, self.vars[name], min(axis.block, axis.extent), axis.lanes)
            for name, axis in self.plan.reduce.items()
        )
        return Block(sides, reduce, self.plan.lanes, self.vector)

    def _outer_reduce(self) -> list[Loop | None]:
        return _moved_first([levels[0] for levels in self.inner], self.plan.outermost)

    def _reduction(self, block: Block) -> Nodes:
        """R1: the vector axis last, else the last axis that loops; the innermost is unrolled."""
        loops = [(levels[1], side) for levels, side in zip(self.inner, block.reduce, strict=True)]
        loops.sort(key=lambda pair: pair[1].axis == self.vector)
        body: Nodes = (Update(block),)
        innermost = True
        for position in range(len(loops) - 1, -1, -1):
            loop, side = loops[position]
            axis = self.plan.reduce[side.axis]
            if loop is None:
                continue
            rest: Nodes = ()
            if axis.extent % axis.block:
                rest = _with_points(body, side.axis, axis.extent % axis.block)
            body = (replace(loop, body=body, rest=rest, unroll=self.plan.unroll if innermost else 1),)
            innermost = False
        return body


def _spatial_loops(name: str, axis: Spatial, suffix: str) -> tuple[Loop | None, Loop | None, Loop | None]:
    outer = _loop(name, f"0{suffix}", None, axis.extent, axis.outer, axis.extent)
    start = outer.var if outer else None
    middle = _loop(name, f"1{suffix}", start, axis.outer, axis.middle, axis.extent)
    start = middle.var if middle else start
    return outer, middle, _loop(name, f"2{suffix}", start, axis.middle, axis.block, axis.extent)


def _reduce_loops(name: str, axis: Reduce, suffix: str) -> tuple[Loop | None, Loop | None]:
    outer = _loop(name, f"0{suffix}", None, axis.extent, axis.tile, axis.extent)
    return outer, _loop(name, f"1{suffix}", outer.var if outer else None, axis.tile, axis.block, axis.extent)


def _loop(name: str, level: str, start: str | None, span: int, step: int, extent: int) -> Loop | None:
    """None where there is but one iteration."""
    return Loop(name, f"{name}{level}", start, span, step, extent) if step < min(span, extent) else None


def _innermost(loops: tuple[Loop | None, ...]) -> str | None:
    return next((loop.var for loop in reversed(loops) if loop), None)


def _moved_first(loops: list[Loop | None], position: int) -> list[Loop | None]:
    position = min(position, max(len(loops) - 1, 0))
    return [*loops[position : position + 1], *loops[:position], *loops[position + 1 :]]


def _wrap(loops: Sequence[Loop | None], body: Nodes) -> Nodes:
    for loop in reversed(loops):
        if loop:
            body = (replace(loop, body=body),)
    return body


def _with_points(nodes: Nodes, axis: str, points: int) -> Nodes:
    """The same nodes where the block covers only `points` of a reduce axis."""
    result: list[Node] = []
    for node in nodes:
        if isinstance(node, Loop):
            result.append(
                replace(
                    node,
                    body=_with_points(node.body, axis, points),
                    rest=_with_points(node.rest, axis, points),
                )
            )
        elif isinstance(node, Update):
            sides = tuple(replace(s, points=points) if s.axis == axis else s for s in node.block.reduce)
            result.append(Update(replace(node.block, reduce=sides)))
        else:
            result.append(node)
    return tuple(result)
