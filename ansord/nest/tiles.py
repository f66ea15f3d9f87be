"""The numbers of one group's tiles, as Python ints for a program and as NumPy columns for a population."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

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
    stream: Number
    prefetch: Number

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
