"""Program → Source: the whole C file of one kernel.

The kernel object's contract is `client/FORMATS.md` 5: `ansord_run(args, packed, scratch)` and, where
constants are laid out, `ansord_pack(constants, packed)`. Every name in the text is ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from ansord.dag import Dag, Tensor
from ansord.emit.address import Packed, Region, c_index, pack_layout
from ansord.emit.block import BlockEmitter
from ansord.emit.ctype import CTYPES
from ansord.emit.unit import Lines, Unit
from ansord.nest import (
    Attach,
    Clear,
    Fits,
    GroupNest,
    Leaf,
    Loop,
    Nest,
    Node,
    Parallel,
    Program,
    When,
    replay,
)
from ansord_client.expr import Load
from ansord_client.index import Index

ALIGNMENT = 64
"""Bytes; of the packed and scratch buffers and of every tensor inside them."""


@dataclass(frozen=True)
class Source:
    """The C text of a kernel and what its caller must provide: bytes of packed constants and of scratch."""

    text: str
    packed_bytes: int
    scratch_bytes: int
    threads: int
    needs_openmp: bool


def emit(program: Program) -> Source:
    """The C text of a program."""
    return _Emitter(program.sketch.dag, program, replay(program)).source()


class _Emitter:
    def __init__(self, dag: Dag, program: Program, nest: Nest) -> None:
        self.dag, self.program, self.nest = dag, program, nest
        self.unit = Unit()
        self.parallel = any(group.parallel for group in nest.groups)
        self.scratch: dict[str, int] = {}
        self.packs: dict[str, dict[Load, Packed]] = {}
        self.pack_offsets: dict[Load, int] = {}
        self.scratch_bytes = self.packed_bytes = 0
        for group in nest.groups:
            self._lay_out(group)
        # Each thread has memory of its own for the accumulators and the placed stages of one group.
        self.own_bytes = max(map(_own_bytes, nest.groups), default=0)
        self.own_at = self.scratch_bytes
        self.scratch_bytes += self.own_bytes * (nest.threads if self.parallel else 1)

    def _lay_out(self, nest: GroupNest) -> None:
        """Places in scratch and in the packed buffer for what the group stores and packs."""
        for stage in nest.group.writes:
            if stage.name not in self.dag.outputs:
                self.scratch[stage.name] = self._reserve(stage.tensor, stage.tensor.size)
        plan = self.program.plans[nest.group.name]
        layouts = {
            load: pack_layout(load, self.dag.tensors[load.tensor], plan)
            for load in nest.group.stage.loads
            if load.tensor in nest.group.packed
        }
        self.packs[nest.group.name] = layouts
        for load, packed in layouts.items():
            if packed.tensor.constant:
                self.pack_offsets[load] = self.packed_bytes
                self.packed_bytes += _rounded(_bytes(packed.tensor, packed.elements))
            else:
                self.pack_offsets[load] = self._reserve(packed.tensor, packed.elements)

    def _reserve(self, tensor: Tensor, elements: int) -> int:
        start = self.scratch_bytes
        self.scratch_bytes += _rounded(_bytes(tensor, elements))
        return start

    def source(self) -> Source:
        """Assembles the file."""
        body = [*self._run(), *(self._pack() if self.packed_bytes else ())]
        return Source(
            self.unit.text(body), self.packed_bytes, self.scratch_bytes, self.nest.threads, self.parallel
        )

    def _run(self) -> list[str]:
        out = Lines(0)
        out.open("__INT32_TYPE__ ansord_run(void *const *args, const void *packed, void *scratch) {")
        if self.parallel:
            out("#pragma omp parallel num_threads(" + str(self.nest.threads) + ")")
            out.open("{")
        if self.own_bytes:
            slot = f" + omp_get_thread_num() * {self.own_bytes}L" if self.parallel else ""
            out(f"char *tile = (char *)scratch + {self.own_at}L{slot};")
        for group in self.nest.groups:
            self._group(group, out)
        if self.parallel:
            out.close()
        out("(void)packed; (void)scratch;")
        out("return 0;")
        out.close()
        return out.lines

    def _group(self, nest: GroupNest, out: Lines) -> None:
        for load, packed in self.packs[nest.group.name].items():
            if not packed.tensor.constant:
                self._pack_here(load, packed, nest, out)
        if self.parallel and not nest.parallel:
            out("#pragma omp single")
        out.open("{")
        regions = {
            name: Region(name, self.dag.tensors[name].dtype, extents, origins)
            for name, extents, origins in nest.regions
        }
        at = _tile_bytes(nest)
        for name, region in regions.items():
            kind = CTYPES[region.dtype].name
            out(f"{kind} *restrict {name} = ({kind} *)(tile + {at}L);")
            at += _rounded(region.size * CTYPES[region.dtype].bytes)
        tensors = {**self.dag.tensors, **regions}
        self._loops(nest, tensors, _bounds(nest.body), {}, out)
        out.close()

    def _loops(
        self,
        nest: GroupNest,
        tensors: Mapping[str, Tensor | Region],
        bounds: Mapping[str, tuple[int, int]],
        origins: Mapping[str, str],
        out: Lines,
    ) -> None:
        """The loops of a group in its host's scope, or in the scope of a group of its own."""
        self._pointers(nest, tensors, out)
        plan = self.program.plans[nest.group.name]
        starts = {name: f"{name}0" if axis.chunks > 1 else None for name, axis in plan.reduce.items()}
        packs = self.packs.get(nest.group.name, {})
        emitter = BlockEmitter(self.unit, nest, tensors, packs, bounds, starts, origins, bool(plan.pin))
        self._nodes(nest.body, emitter, out)

    def _pointers(self, nest: GroupNest, tensors: Mapping[str, Tensor | Region], out: Lines) -> None:
        """Restrict pointers of the group's own scope: OpenMP's outlining forgets those of the function."""
        group = nest.group
        written = {stage.name for stage in group.writes}
        stages = (group.stage, *group.epilogue)
        read = [name for stage in stages for name in stage.reads if name not in {s.name for s in stages}]
        for name in dict.fromkeys([*read, *sorted(written)]):
            tensor = tensors[name]
            if isinstance(tensor, Region):
                continue
            kind, const = CTYPES[tensor.dtype].name, "" if name in written else "const "
            out(f"{const}{kind} *restrict {name} = ({const}{kind} *){self._place(name)};")
        for load in self.packs.get(group.name, {}):
            kind, buffer = (
                CTYPES[load.dtype].name,
                "packed" if self.dag.tensors[load.tensor].constant else "scratch",
            )
            place = f"((const char *){buffer} + {self.pack_offsets[load]}L)"
            out(f"const {kind} *restrict {load.tensor}p = (const {kind} *){place};")

    def _place(self, name: str) -> str:
        inputs = [tensor.name for tensor in self.dag.inputs]
        if name in inputs:
            return f"args[{inputs.index(name)}]"
        if name in self.dag.outputs:
            return f"args[{len(inputs) + self.dag.outputs.index(name)}]"
        return f"((char *)scratch + {self.scratch[name]}L)"

    def _nodes(self, nodes: tuple[Node, ...], emitter: BlockEmitter, out: Lines) -> None:
        block = _accumulators(nodes)
        if block is not None:
            emitter.declare(block.block, out)
        for node in nodes:
            self._node(node, emitter, out)

    def _node(self, node: Node, emitter: BlockEmitter, out: Lines) -> None:
        match node:
            case Loop():
                self._loop(node, emitter, out)
            case Parallel():
                collapse = f" collapse({len(node.over)})" if len(node.over) > 1 else ""
                out(f"#pragma omp for{collapse} schedule(static)")
                for loop in node.over:
                    out.open(f"{_head(loop)} {{" if loop is node.over[-1] else _head(loop))
                self._nodes(node.body, emitter, out)
                out.close()
                out.depth -= len(node.over) - 1
            case Fits():
                out.open(f"if ({node.var} + {node.step} <= {node.extent}) {{")
                self._nodes(node.full, emitter, out)
                out.close()
                out.open("else {")
                self._nodes(node.tail, emitter, out)
                out.close()
            case Attach():
                for origin in node.origins:
                    start, limit = c_index(origin.start, emitter.bounds), origin.limit
                    out(f"const long {origin.var} = {start} < {limit} ? {start} : {limit};")
                out.open("{")
                origins = {origin.axis: origin.var for origin in node.origins}
                self._loops(node.nest, emitter.tensors, emitter.bounds, origins, out)
                out.close()
            case When():
                tests = (
                    f"{loop.var} + {loop.step} >= {loop.extent}" if node.last else f"{loop.var} == 0"
                    for loop in node.over
                )
                out.open(f"if ({' && '.join(tests)}) {{")
                for then in node.then:
                    self._node(then, emitter, out)
                out.close()
                out.open("else {")
                for otherwise in node.otherwise:
                    self._node(otherwise, emitter, out)
                out.close()
            case _:
                emitter.leaf(node, out)

    def _loop(self, loop: Loop, emitter: BlockEmitter, out: Lines) -> None:
        if not loop.rest:
            if loop.unroll > 1:
                out(f"#pragma GCC unroll {loop.unroll}")
            out.open(f"{_head(loop)} {{")
            self._nodes(loop.body, emitter, out)
            out.close()
            return
        out.open("{")
        out(f"long {loop.var} = {loop.start or 0};")
        if loop.unroll > 1:
            out(f"#pragma GCC unroll {loop.unroll}")
        out.open(f"for (; {loop.var} + {loop.step} <= {_end(loop)}; {loop.var} += {loop.step}) {{")
        self._nodes(loop.body, emitter, out)
        out.close()
        out.open(f"if ({loop.var} < {_end(loop)}) {{")
        self._nodes(loop.rest, emitter, out)
        out.close()
        out.close()

    def _pack(self) -> list[str]:
        """Writes each layout from its first to its last element; padding is zero."""
        out = Lines(0)
        out.open("__INT32_TYPE__ ansord_pack(const void *const *constants, void *packed) {")
        constants = [tensor.name for tensor in self.dag.inputs if tensor.constant]
        for nest in self.nest.groups:
            for load, packed in self.packs[nest.group.name].items():
                if packed.tensor.constant:
                    kind = CTYPES[packed.tensor.dtype].name
                    out.open("{")
                    out(
                        f"const {kind} *restrict from = (const {kind} *)constants[{constants.index(load.tensor)}];"
                    )
                    out(f"{kind} *restrict into = ({kind} *)((char *)packed + {self.pack_offsets[load]}L);")
                    self._pack_loops(packed, nest, out, shared=False)
                    out.close()
        out("return 0;")
        out.close()
        return out.lines

    def _pack_here(self, load: Load, packed: Packed, nest: GroupNest, out: Lines) -> None:
        """Packs an activation, by all threads, before the group that reads it."""
        kind = CTYPES[packed.tensor.dtype].name
        out.open("{")
        out(f"const {kind} *restrict from = (const {kind} *){self._place(load.tensor)};")
        out(f"{kind} *restrict into = ({kind} *)((char *)scratch + {self.pack_offsets[load]}L);")
        self._pack_loops(packed, nest, out, shared=self.parallel)
        out.close()

    def _pack_loops(self, packed: Packed, nest: GroupNest, out: Lines, *, shared: bool) -> None:
        """Writes a layout from its first to its last element; padding is zero."""
        stage = nest.group.stage
        extents = {axis.name: axis.extent for axis in (*stage.axes, *stage.reduce)}
        strides = packed.strides()
        # Blocks of spatial axes and chunks of reduce axes are independent of each other: threads share them.
        if shared:
            leading = sum(level in ("block", "chunk") for _, level, _ in packed.dims)
            out(f"#pragma omp for collapse({leading}) schedule(static)")
        for axis, level, count in packed.dims[:-1]:
            out.open(f"for (long {axis}_{level} = 0; {axis}_{level} < {count}; {axis}_{level}++)")
        last, level, count = packed.dims[-1]
        out.open("{")
        place = "".join(f" + {a}_{le}*{strides[a, le]}L" for a, le, _ in packed.dims[:-1])
        values = {}
        inside = []
        for axis, (block, tile) in packed.sizes.items():
            unit, coarse, fine = (
                (block, "block", "point") if (axis, "point") in strides else (tile, "chunk", "step")
            )
            low = f"{axis}_{coarse}*{unit}L"
            values[axis] = low if axis == last else f"{low} + {axis}_{fine}"
            if axis != last and extents[axis] % unit:
                inside.append(f"{axis} < {extents[axis]}")
        for axis, value in values.items():
            out(f"const long {axis} = {value};")
        ranges = {axis: (0, extent - 1) for axis, extent in extents.items()}
        offset: Index = packed.tensor.offset(packed.load.index)
        kind = CTYPES[packed.tensor.dtype].name
        step = offset.coefficient(last) if last not in offset.divided else None
        size = CTYPES[packed.tensor.dtype].bytes
        out(f"{kind} *restrict to = into{place};")
        if step is None:
            source = f"from[{c_index(offset.substitute({last: Index.of(last) + 'i'}), ranges | {'i': (0, count)})}]"
        else:
            out(f"const {kind} *at = from + {c_index(offset, ranges)};")
            source = f"at[i*{step}L]"
        whole = " && ".join(inside) or "1"
        out(
            f"const long filled = {whole} ? ({last} + {count} <= {extents[last]} ? {count} : {extents[last]} - {last}) : 0;"
        )
        if step == 1:
            out(f"if (filled == {count}) __builtin_memcpy(to, at, {count * size});")
            out("else")
        out.open("{")
        out(f"for (long i = 0; i < filled; i++) to[i] = {source};")
        out(f"for (long i = filled; i < {count}; i++) to[i] = 0;")
        out.close()
        out.close()
        for _ in packed.dims[:-1]:
            out.depth -= 1


def _accumulators(nodes: tuple[Node, ...]) -> Leaf | None:
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


def _bytes(tensor: Tensor, elements: int) -> int:
    return elements * CTYPES[tensor.dtype].bytes


def _rounded(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def _bounds(nodes: tuple[Node, ...]) -> dict[str, tuple[int, int]]:
    """Inclusive bounds of every variable in a tree of loops."""
    found: dict[str, tuple[int, int]] = {}
    for node in nodes:
        match node:
            case Loop():
                found |= {node.var: (0, node.extent - 1)} | _bounds(node.body) | _bounds(node.rest)
            case Parallel():
                found |= {loop.var: (0, loop.extent - 1) for loop in node.over} | _bounds(node.body)
            case Fits():
                found |= _bounds(node.full) | _bounds(node.tail)
            case Attach():
                found |= {origin.var: (0, origin.limit) for origin in node.origins} | _bounds(node.nest.body)
    return found


def _own_bytes(nest: GroupNest) -> int:
    """Memory of one thread: accumulators between outer reduce iterations, regions of placed stages."""
    sizes = {placed.group.name: CTYPES[placed.group.stage.tensor.dtype].bytes for placed in nest.group.placed}
    return _tile_bytes(nest) + sum(_rounded(prod(extents) * sizes[name]) for name, extents, _ in nest.regions)


def _tile_bytes(nest: GroupNest) -> int:
    if not nest.memory:
        return 0
    return _rounded(_bytes(nest.group.stage.tensor, prod(extent for _, extent in nest.memory)))
