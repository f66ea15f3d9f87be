"""The arithmetic of tiles, once, for one program (Python ints) and for a population (NumPy columns).

Replay reads a Plan with integers, legality and features read it with arrays of rows; the formulas are
the same lines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ansord.nest.access import vector_axes
from ansord.nest.knob import UNROLLS, itemsize
from ansord.nest.region import regions
from ansord.nest.sketch import Group, Sketch
from ansord.nest.target import Target
from ansord.nest.tiles import Number, Plan, Reduce, Spatial, ceil


def plans(sketch: Sketch, target: Target, knob: Callable[[str], Number]) -> dict[str, Plan]:
    """The plans of all groups by name; `knob(name)` gives the value or column, neutral where there is none.

    The extents of a placed group are those of the region that one tile of its host needs.
    """
    made: dict[str, Plan] = {}
    for group in sketch.groups:
        made |= plans_within(group, target, knob)
    return made


def plans_within(group: Group, target: Target, knob: Callable[[str], Number]) -> dict[str, Plan]:
    """The plans of a group and of those placed in it."""
    made = {group.name: (host := plan_of(group, target, knob, {}))}
    spans = regions(group, host) if group.placed else {}
    for placed in group.placed:
        name = placed.group.name
        extents = {axis: span.extent for axis, span in spans[name].items()}
        made[name] = plan_of(placed.group, target, knob, extents)
    return made


def plan_of(
    group: Group, target: Target, knob: Callable[[str], Number], region: Mapping[str, Number]
) -> Plan:
    """The plan of one group; `region` gives extents that are not those of the axes.

    Values outside their range are cut to the axis, so any matrix of positive integers is a plan.
    """
    stage, name = group.stage, group.name
    native = target.lanes(itemsize(group))
    scalar = knob(f"{name}.scalar")
    vector = knob(f"{name}.vector")
    if group.prepared:
        wide = vector_axes(group)
        scalar, vector = int(not wide), wide[-1] if wide else 0
    lanes = np.where(scalar == 1, 1, np.maximum(native >> knob(f"{name}.shift"), 1))
    axes = (*stage.axes, *stage.reduce)
    extents: dict[str, Number] = {axis.name: axis.extent for axis in axes} | dict(region)

    def block_of(position: int) -> tuple[Number, Number]:
        axis = axes[position]
        unit = stage.unit(axis.name)
        if unit is not None:
            return 1, unit
        wide = np.where(vector == position, lanes, 1)
        count = np.minimum(knob(f"{name}.block.{axis.name}"), ceil(extents[axis.name], wide))
        return wide, count * wide

    spatial = {}
    for position, axis in enumerate(stage.axes):
        wide, block = block_of(position)
        extent = extents[axis.name]
        middle = np.minimum(knob(f"{name}.middle.{axis.name}"), ceil(extent, block)) * block
        outer = np.minimum(knob(f"{name}.outer.{axis.name}"), ceil(extent, middle)) * middle
        spatial[axis.name] = Spatial(
            extent, wide, block, middle, outer, middle // block, outer // middle, ceil(extent, outer)
        )
    reduce = {}
    for position, axis in enumerate(stage.reduce, len(stage.axes)):
        wide, block = block_of(position)
        count = knob(f"{name}.reduce.{axis.name}") if group.tiled else axis.extent
        whole = ceil(axis.extent, block)
        # A partial block is met inside R1 only: a tile of one block that does not divide is the whole axis.
        lonely = (axis.extent % block != 0) & (np.minimum(count, whole) == 1)
        tile = np.where(lonely, whole, np.minimum(count, whole)) * block
        reduce[axis.name] = Reduce(axis.extent, wide, block, tile, ceil(axis.extent, tile))
    unrolls = np.asarray(UNROLLS)
    return Plan(
        spatial, reduce, vector, lanes,
        knob(f"{name}.first"), knob(f"{name}.outermost"), knob(f"{name}.parallel"),
        unrolls[np.minimum(knob(f"{name}.unroll"), len(UNROLLS) - 1)], knob(f"{name}.pin"),
        knob(f"{name}.stream"), knob(f"{name}.prefetch"),
    )  # fmt: skip
