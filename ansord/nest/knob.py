"""Knobs: the numbers that turn a sketch into a program, and their table for a whole task.

A knob name is `group.kind` or `group.kind.axis`. All sketches of a task share one table, so that numbers
carry over by name between them; a knob that a sketch does not use holds its neutral value.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from ansord.dag import Axis
from ansord.nest.sketch import Group, Sketch
from ansord.nest.target import Target
from ansord_client.expr import walk

UNROLLS = (1, 2, 4, 8)
"""Factors for the innermost reduce loop; larger ones won nothing with register blocks."""
LANE_SHIFTS = (0, 1, 2)
"""Full vectors, halves, quarters."""
BLOCK_LIMIT = 16
"""Points of one axis in a register block; 14 and 16 columns are the widest that ever won."""
WINDOW_LIMIT = 8
"""A reduce axis up to this extent may be written out in the block (kernel windows, capsules)."""


@dataclass(frozen=True)
class Knob:
    """One number: 0 or 1 up to `high`; what it means follows from `kind`.

    block     register block along the axis: points, or vectors on the vector axis
    middle    blocks in the tile inside the outer reduce loops (S2)
    outer     middle tiles in the tile outside them (S1)
    reduce    blocks of a reduce axis inside the inner reduce tile (R1)
    vector    which axis is vectorised: position among all axes, spatial first
    shift     lanes = native lanes >> shift
    scalar    1: no vectors at all
    first     spatial axis whose outermost loop comes first
    outermost reduce axis whose outer loop comes first
    parallel  how many outermost loops share the threads; 0: serial
    unroll    position in UNROLLS
    pin       1: loaded vectors are pinned to registers
    stream    1: what goes to the caller alone is stored past the caches
    prefetch  1: while a tile is computed, the packed constants of the next are asked for
    """

    group: str
    kind: str
    axis: str
    low: int
    high: int

    @property
    def name(self) -> str:
        return f"{self.group}.{self.kind}.{self.axis}" if self.axis else f"{self.group}.{self.kind}"


def group_knobs(group: Group, target: Target, placed: bool = False) -> tuple[Knob, ...]:
    """The knobs that a group uses, in the order of the table; a placed one is not parallel by itself."""
    name, stage = group.name, group.stage
    axes = (*stage.axes, *stage.reduce)
    last = max(len(axes) - 1, 0)
    knobs = [Knob(name, "vector", "", 0, last), Knob(name, "shift", "", 0, len(LANE_SHIFTS) - 1)]
    knobs.append(Knob(name, "scalar", "", 0, 1))
    if not placed:
        knobs.append(Knob(name, "parallel", "", 0, len(stage.axes) if target.threads > 1 else 0))
    if not placed and len(stage.axes) > 1:
        knobs.append(Knob(name, "first", "", 0, len(stage.axes) - 1))
    for axis in stage.axes:
        if stage.unit(axis.name) is None:
            knobs.append(Knob(name, "block", axis.name, 1, min(axis.extent, BLOCK_LIMIT)))
    for axis in stage.reduce:
        knobs.append(Knob(name, "block", axis.name, 1, min(axis.extent, WINDOW_LIMIT)))
    if stage.reduce:
        knobs.append(Knob(name, "unroll", "", 0, len(UNROLLS) - 1))
        knobs.append(Knob(name, "pin", "", 0, 1))
    if not placed and streams(group, target):
        knobs.append(Knob(name, "stream", "", 0, 1))
    if stage.reduce and far(group, target):
        knobs.append(Knob(name, "prefetch", "", 0, 1))
    if group.tiled:
        knobs += _tile_knobs(name, stage.axes, stage.reduce)
    return tuple(knobs)


def streams(group: Group, target: Target) -> bool:
    """Whether everything that a group writes goes to the caller and crowds the last cache: smaller results,
    stored past it, came 1.1 to 1.6 times slower."""
    sizes = [stage.tensor.size * SIZES[stage.tensor.dtype] for stage in group.writes]
    return group.final and min(sizes) > target.l3 // 2


def far(group: Group, target: Target) -> bool:
    """Whether a group reads packed constants that do not stay in a core's cache."""
    packed = (group.by_name[name] for name in group.packed)
    return any(one.constant and one.size * SIZES[one.dtype] > target.l2 for one in packed)


def _tile_knobs(name: str, spatial: Iterable[Axis], reduce: tuple[Axis, ...]) -> list[Knob]:
    knobs = [Knob(name, kind, axis.name, 1, axis.extent) for kind in ("outer", "middle") for axis in spatial]
    knobs += [Knob(name, "reduce", axis.name, 1, axis.extent) for axis in reduce]
    if len(reduce) > 1:
        knobs.append(Knob(name, "outermost", "", 0, len(reduce) - 1))
    return knobs


def task_knobs(sketches: Iterable[Sketch], target: Target) -> tuple[Knob, ...]:
    """The union of the knobs of all sketches, by name; the widest range of each."""
    table: dict[str, Knob] = {}
    for sketch in sketches:
        for group in sketch.everywhere:
            for knob in group_knobs(group, target, group.name in sketch.hosts):
                known = table.get(knob.name)
                if known is None or known.high < knob.high:
                    table[knob.name] = knob
    return tuple(table.values())


def neutral(name: str) -> int:
    """What a knob that a sketch does not use holds: one block, position 0."""
    return 1 if name.split(".")[1] in ("block", "middle", "outer", "reduce") else 0


@lru_cache(maxsize=1024)
def itemsize(group: Group) -> int:
    """Bytes of the widest element that the group touches (or computes with, at packing): it decides the lanes
    of its vectors."""
    inside = [node.dtype for node in walk(group.stage.body)] if group.prepared else []
    return max(SIZES[dtype] for dtype in (*(tensor.dtype for tensor in group.tensors), *inside))


SIZES = {"float32": 4, "float64": 8, "int8": 1, "uint8": 1, "int32": 4, "int64": 8, "bool": 1}
"""Bytes of one element of each type."""
