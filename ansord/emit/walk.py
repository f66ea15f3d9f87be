"""The loops of a nest in C, from the outermost to the leaves."""

from __future__ import annotations

from collections.abc import Callable

from ansord.dag import Tensor
from ansord.emit.address import Region, c_index
from ansord.emit.ahead import ahead
from ansord.emit.block import BlockEmitter
from ansord.emit.ctype import CTYPES
from ansord.emit.frame import Scope
from ansord.emit.layout import Layout, sized, tile_bytes
from ansord.emit.pack import Laid
from ansord.emit.stream import PIECE
from ansord.emit.unit import Lines, Unit
from ansord.nest import (
    Attach,
    Clear,
    Fits,
    GroupNest,
    Leaf,
    Loop,
    Node,
    Parallel,
    Program,
    When,
)


class Walker:
    """Writes whole groups into one C function."""

    def __init__(self, program: Program, layout: Layout, unit: Unit, out: Lines) -> None:
        self.program, self.layout, self.unit, self.out = program, layout, unit, out

    def group(self, nest: GroupNest) -> None:
        """A group at the root, in a scope of its own."""
        out = self.out
        tensors: dict[str, Tensor | Region | Laid] = dict(self.program.sketch.dag.tensors)
        out.open("{")
        regions: dict[str, Region] = {}
        at = tile_bytes(nest)
        for name, extents, origins in nest.regions:
            region = regions[name] = Region(name, tensors[name].dtype, extents, origins)
            kind = CTYPES[region.dtype].name
            out(f"{kind} *restrict {name} = ({kind} *)(tile + {at}L);")
            at += sized(region.size, region.dtype)
        packs = self.layout.packs[nest.group.name]
        plan = self.program.plans[nest.group.name]
        starts = {name: f"{name}0" if axis.chunks > 1 else None for name, axis in plan.reduce.items()}
        packed = {one.load: one for one in packs}
        units = dict(nest.group.stage.units)
        if plan.vector < len(nest.group.stage.axes) and plan.lanes > 1:  # loops go on by whole vectors
            units.setdefault(nest.group.stage.axes[plan.vector].name, int(plan.lanes))
        if nest.group.prepared:  # plain loops from 0 on, block by block
            units = {name: axis.block for name, axis in plan.spatial.items()}
        tensors |= {**regions, **self.layout.laid}
        scope = Scope(tensors, packed, bounds_of(nest.body), starts, {}, units)
        self._inside(nest, scope)
        out.close()

    def _inside(self, nest: GroupNest, scope: Scope) -> None:
        """The loops of a group; `scope` is its own, or that of its host with its origins."""
        self._pointers(nest, scope)
        plan = self.program.plans[nest.group.name]
        emitter = BlockEmitter(self.unit, nest, scope, plan)
        if plan.stream:
            places = " | ".join(f"(__UINTPTR_TYPE__){stage.name}" for stage in nest.group.writes)
            self.out(f"const int streamed = (({places}) & {PIECE - 1}) == 0;")
        self._nodes(nest.body, emitter)
        if plan.stream:
            self.out(f"{self.unit.fence()}();")

    def _pointers(self, nest: GroupNest, scope: Scope) -> None:
        """Restrict pointers of the group's own scope: OpenMP's outlining forgets those of the function."""
        group = nest.group
        members = {group.stage.name, *(stage.name for stage in group.epilogue)}
        written = [stage.name for stage in group.writes]
        read = [name for s in (group.stage, *group.epilogue) for name in s.reads if name not in members]
        for name in dict.fromkeys([*read, *written]):
            tensor = scope.tensors[name]
            if not isinstance(tensor, Region):
                kind = ("" if name in written else "const ") + CTYPES[tensor.dtype].name
                self.out(f"{kind} *restrict {name} = ({kind} *){self.layout.tensors[name]};")
        for packed in self.layout.packs.get(group.name, ()):
            kind = CTYPES[packed.tensor.dtype].name
            place = self.layout.packed[packed.name]
            self.out(f"const {kind} *restrict {packed.name} = (const {kind} *){place};")

    def _nodes(self, nodes: tuple[Node, ...], emitter: BlockEmitter) -> None:
        first = _first_values(nodes)
        if first is not None:
            emitter.declare(first.block, self.out)
        for node in nodes:
            self._node(node, emitter)

    def _node(self, node: Node, emitter: BlockEmitter) -> None:
        match node:
            case Loop():
                self._loop(node, emitter)
            case Parallel():
                self._parallel(node, emitter)
            case Fits():
                test = f"{node.var} + {node.step} <= {node.extent}"
                full, tail = node.full, node.tail
                self._either(test, lambda: self._nodes(full, emitter), lambda: self._nodes(tail, emitter))
            case When():
                tests = (
                    f"{loop.var} + {loop.step} >= {loop.extent}" if node.last else f"{loop.var} == 0"
                    for loop in node.over
                )
                # The leaves inside assign to accumulators that the scope around them has declared.
                then, rest = node.then, node.otherwise
                self._either(
                    " && ".join(tests), lambda: self._each(then, emitter), lambda: self._each(rest, emitter)
                )
            case Attach():
                self._attach(node, emitter.scope)
            case _:
                emitter.leaf(node, self.out)

    def _either(self, test: str, yes: Callable[[], None], no: Callable[[], None]) -> None:
        self.out.open(f"if ({test}) {{")
        yes()
        self.out.close()
        self.out.open("else {")
        no()
        self.out.close()

    def _each(self, nodes: tuple[Node, ...], emitter: BlockEmitter) -> None:
        for node in nodes:
            self._node(node, emitter)

    def _attach(self, node: Attach, scope: Scope) -> None:
        """A placed group: its origins in the host's scope, its loops in one of its own."""
        for origin in node.origins:
            start, limit = c_index(origin.start, scope.bounds), origin.limit
            inside = f"({start} < 0 ? 0 : {start})" if origin.low else start
            self.out(f"const long {origin.var} = {start} < {limit} ? {inside} : {limit};")
        self.out.open("{")
        origins = {origin.axis: origin.var for origin in node.origins}
        units = {axis: unit for axis, unit in node.nest.group.stage.units if axis not in origins}
        self._inside(node.nest, Scope(scope.tensors, {}, scope.bounds, {}, origins, units))
        self.out.close()

    def _parallel(self, node: Parallel, emitter: BlockEmitter) -> None:
        collapse = f" collapse({len(node.over)})" if len(node.over) > 1 else ""
        self.out(f"#pragma omp for{collapse} schedule(static)")
        for loop in node.over:
            self.out.open(_head(loop) + (" {" if loop is node.over[-1] else ""))
        self._tile(node.over, node.body, emitter)
        self.out.close()
        self.out.depth -= len(node.over) - 1

    def _tile(self, over: tuple[Loop, ...], body: tuple[Node, ...], emitter: BlockEmitter) -> None:
        """What lies inside loops; meanwhile what their next round reads of a packed operand is asked for."""
        found = None
        if emitter.plan.prefetch and emitter.ahead is None:
            found = emitter.ahead = ahead(over, body, emitter.scope)
        if found is not None:
            found.declare(self.out)
        self._nodes(body, emitter)
        if found is not None:
            emitter.ahead = None

    def _loop(self, loop: Loop, emitter: BlockEmitter) -> None:
        unroll = f"#pragma GCC unroll {loop.unroll}"
        if not loop.rest:
            if loop.unroll > 1:
                self.out(unroll)
            self.out.open(f"{_head(loop)} {{")
            self._tile((loop,), loop.body, emitter)
            self.out.close()
            return
        self.out.open("{")
        self.out(f"long {loop.var} = {loop.start or 0};")
        if loop.unroll > 1:
            self.out(unroll)
        self.out.open(f"for (; {loop.var} + {loop.step} <= {_end(loop)}; {loop.var} += {loop.step}) {{")
        self._tile((loop,), loop.body, emitter)
        self.out.close()
        self.out.open(f"if ({loop.var} < {_end(loop)}) {{")
        self._nodes(loop.rest, emitter)
        self.out.close()
        self.out.close()


def bounds_of(nodes: tuple[Node, ...]) -> dict[str, tuple[int, int]]:
    """Inclusive bounds of every variable in a tree of loops."""
    found: dict[str, tuple[int, int]] = {}
    for node in nodes:
        match node:
            case Loop():
                found |= {node.var: (0, node.extent - 1)} | bounds_of(node.body) | bounds_of(node.rest)
            case Parallel():
                found |= {loop.var: (0, loop.extent - 1) for loop in node.over} | bounds_of(node.body)
            case Fits():
                found |= bounds_of(node.full) | bounds_of(node.tail)
            case Attach():
                found |= {origin.var: (0, origin.limit) for origin in node.origins}
                found |= bounds_of(node.nest.body)
    return found


def _first_values(nodes: tuple[Node, ...]) -> Leaf | None:
    """The leaf that gives accumulators their first values in this scope, if one does."""
    for node in nodes:
        if isinstance(node, Clear):
            return node
        if isinstance(node, When) and not node.last and isinstance(node.then[0], Clear):
            return node.then[0]
    return None


def _head(loop: Loop) -> str:
    return f"for (long {loop.var} = {loop.start or 0}; {loop.var} < {_end(loop)}; {loop.var} += {loop.step})"


def _end(loop: Loop) -> str:
    if loop.start is None:
        return str(min(loop.span, loop.extent))
    end = f"{loop.start} + {loop.span}"
    return f"({end} < {loop.extent} ? {end} : {loop.extent})" if loop.clipped else end
