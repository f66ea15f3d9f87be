"""The arithmetic of tiles, once, for one program (Python ints) and for a population (NumPy columns).

A Plan holds for one group the points, spans and counts of every axis at every level. Replay reads it
with integers, legality and features read it with arrays of rows; the formulas are the same lines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ansord.nest.knob import UNROLLS, itemsize
from ansord.nest.region import regions
from ansord.nest.sketch import Group, Sketch
from ansord.nest.target import Target

Number = Any
"""An int, or an integer array with one element per row."""


@dataclass(frozen=True)
class Spatial:
    """One spatial axis: `block` points in the register block, `middle` points in the tile of S2 and
    `outer` in that of S1; `blocks`, `tiles`, `chunks` count the loops S2, S1, S0."""

    extent: Number
    lanes: Number
    block: Number
    middle: Number
    outer: Number
    blocks: Number
    tiles: Number
    chunks: Number

    @property
    def ragged(self) -> Number:
        """Whether the last block is partial."""
        return self.extent % self.block != 0

    @property
    def covered(self) -> Number:
        """Points including those of the partial block that are computed in vain."""
        return ceil(self.extent, self.block) * self.block


@dataclass(frozen=True)
class Reduce:
    """One reduce axis: `block` points written out in the block, `tile` points in the inner loop R1, and
    `chunks` outer iterations R0."""

    extent: int
    lanes: Number
    block: Number
    tile: Number
    chunks: Number

    @property
    def ragged(self) -> Number:
        """Whether the last block is partial."""
        return self.extent % self.block != 0


@dataclass(frozen=True)
class Plan:
    """The numbers of one group."""

    spatial: dict[str, Spatial]
    reduce: dict[str, Reduce]
    vector: Number
    lanes: Number
    first: Number
    outermost: Number
    parallel: Number
    unroll: Number
    pin: Number

    @property
    def through_memory(self) -> Number:
        """Whether accumulators are stored and loaded around the inner reduction: both an outer reduce
        loop and a spatial loop inside it exist."""
        looped = product(axis.blocks for axis in self.spatial.values()) > 1
        split = product(axis.chunks for axis in self.reduce.values()) > 1
        return looped & split


def ceil(value: Number, by: Number) -> Number:
    """Division rounded up, for positive numbers."""
    return -(-value // by)


def product(values: Any) -> Number:
    """The product, 1 of nothing."""
    result: Number = 1
    for value in values:
        result = result * value
    return result


def plans(sketch: Sketch, target: Target, knob: Callable[[str], Number]) -> dict[str, Plan]:
    """The plans of all groups by name; `knob(name)` gives the value or column, neutral where there is none.

    The extents of a placed group are those of the region that one tile of its host needs.
    """
    made: dict[str, Plan] = {}
    for group in sketch.groups:
        made[group.name] = host = _plan(sketch, group, target, knob, {})
        spans = regions(group, host) if group.placed else {}
        for placed in group.placed:
            name = placed.group.name
            extents = {axis: span.extent for axis, span in spans[name].items()}
            made[name] = _plan(sketch, placed.group, target, knob, extents)
    return made


def _plan(
    sketch: Sketch, group: Group, target: Target, knob: Callable[[str], Number], region: Mapping[str, Number]
) -> Plan:
    """The plan of one group; `region` gives extents that are not those of the axes.

    Values outside their range are cut to the axis, so any matrix of positive integers is a plan.
    """
    stage, name = group.stage, group.name
    native = target.lanes(itemsize(group))
    scalar = knob(f"{name}.scalar")
    vector = knob(f"{name}.vector")
    lanes = np.where(scalar == 1, 1, np.maximum(native >> knob(f"{name}.shift"), 1))
    axes = (*stage.axes, *stage.reduce)
    extents: dict[str, Number] = {axis.name: axis.extent for axis in axes} | dict(region)

    def block_of(position: int) -> tuple[Number, Number]:
        axis = axes[position]
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
    )  # fmt: skip
