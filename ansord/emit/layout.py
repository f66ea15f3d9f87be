"""Where a kernel's intermediate tensors, packed operands and threads' own memory lie in its two buffers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

from ansord.dag import Dag
from ansord.emit.ctype import CTYPES
from ansord.emit.pack import Laid, Packed, laid, pack_layouts
from ansord.nest import GroupNest, Nest, Program

ALIGNMENT = 64
"""Bytes; of the packed and scratch buffers and of every tensor inside them."""


@dataclass(frozen=True)
class Layout:
    """C texts of places, and the sizes of the buffers in bytes.

    `tensors`: of every argument and intermediate tensor. `packs`: per group what it packs; `packed`: where,
    by name; `laid`: what is computed there in the first place, by tensor. `own`: bytes of each thread's own
    memory, from `own_at` of the scratch buffer on.
    """

    tensors: dict[str, str]
    packs: dict[str, tuple[Packed, ...]]
    packed: dict[str, str]
    laid: dict[str, Laid]
    packed_bytes: int
    scratch_bytes: int
    own: int
    own_at: int


def lay_out(dag: Dag, program: Program, nest: Nest) -> Layout:
    """The layout of a program's kernel."""
    arguments = [*(tensor.name for tensor in dag.inputs), *dag.outputs]
    tensors = {name: f"args[{position}]" for position, name in enumerate(arguments)}
    plans = program.plans
    packs = {g.group.name: pack_layouts(g.group, plans[g.group.name], dag.tensors) for g in nest.groups}
    packed: dict[str, str] = {}
    direct = _laid(program, packs)
    fixed = constants(program)
    scratch_bytes = packed_bytes = 0
    for group in nest.groups:
        for stage in group.group.writes:
            if stage.name in direct:
                continue
            if group.group.prepared:
                tensors[stage.name] = f"((char *)packed + {packed_bytes}L)"
                packed_bytes += sized(stage.tensor.size, stage.tensor.dtype)
            elif stage.name not in tensors:
                tensors[stage.name] = f"((char *)scratch + {scratch_bytes}L)"
                scratch_bytes += sized(stage.tensor.size, stage.tensor.dtype)
        for one in packs[group.group.name]:
            size = sized(one.elements, one.tensor.dtype)
            if one.tensor.name in fixed:
                packed[one.name] = f"((char *)packed + {packed_bytes}L)"
                packed_bytes += size
            else:
                packed[one.name] = f"((char *)scratch + {scratch_bytes}L)"
                scratch_bytes += size
    tensors |= {name: packed[one.of.name] for name, one in direct.items()}
    own = max(map(own_bytes, nest.groups), default=0)
    threads = nest.threads if any(group.parallel for group in nest.groups) else 1
    scratch = scratch_bytes + own * threads
    return Layout(tensors, packs, packed, direct, packed_bytes, scratch, own, scratch_bytes)


def _laid(program: Program, packs: Mapping[str, Sequence[Packed]]) -> dict[str, Laid]:
    """What is computed at packing and read packed only, and once: it needs no place of its own."""
    groups = program.sketch.groups
    stages = [s for group in groups for one in group.within for s in (one.stage, *one.epilogue)]
    read = Counter(load.tensor for stage in stages for load in stage.loads)
    made = {stage.name for group in groups if group.prepared for stage in group.writes}
    every = [one for of_group in packs.values() for one in of_group if one.tensor.name in made]
    found = {one.tensor.name: laid(one) for one in every if read[one.tensor.name] == 1}
    return {name: one for name, one in found.items() if one is not None}


def constants(program: Program) -> frozenset[str]:
    """What is known when constants are laid out: they, and what the kernel's packing computes from them."""
    sketch = program.sketch
    made = (group.writes for group in sketch.groups if group.prepared)
    inputs = (tensor.name for tensor in sketch.dag.inputs if tensor.constant)
    return frozenset(inputs) | {stage.name for writes in made for stage in writes}


def own_bytes(nest: GroupNest) -> int:
    """Memory of one thread: accumulators between outer reduce iterations, regions of placed stages."""
    placed = {one.group.name: one.group.stage.tensor.dtype for one in nest.group.placed}
    return tile_bytes(nest) + sum(sized(prod(extents), placed[name]) for name, extents, _ in nest.regions)


def tile_bytes(nest: GroupNest) -> int:
    """Memory of the accumulators alone."""
    points = prod(extent for _, extent in nest.memory)
    return sized(points, nest.group.stage.tensor.dtype) if nest.memory else 0


def sized(elements: int, dtype: str) -> int:
    """Bytes, rounded up so that the next tensor is aligned."""
    return -(-elements * CTYPES[dtype].bytes // ALIGNMENT) * ALIGNMENT
