"""What is fixed about a statement, as small tables: everything that the cost formulas need beside the tiles.

A statement is one loop group of a sketch, at the root or placed in another. Sketches differ mostly in where
they place theirs, so that rows of several sketches are judged in one go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import gcd, prod

import numpy as np
from numpy.typing import NDArray

from ansord.nest import LEVELS, SIZES, Access, Group, accesses, itemsize, lane_work, operations
from ansord_client.expr import Call, walk
from ansord_client.index import Index, Quotient, Remainder

Table = NDArray[np.float32]

CALLS = 12.0
"""Cycles for an operation that is a function of the mathematics library, per vector."""
_FUNCTIONS = {"exp", "log", "sin", "cos", "tanh", "erf", "pow", "sigmoid", "silu", "gelu", "gelu_tanh"}


@dataclass(frozen=True)
class Layout:
    """How a packed operand lies: blocks, then reduce steps, then the points of the block."""

    read: int
    """Position among the accesses that load at every step."""
    spatial: NDArray[np.int64]
    """Its spatial axes."""
    fastest: int
    """Its last reduce axis: its steps are next to one another where the block has one point; -1: none."""
    elements: float
    """To be moved at each call; 0 for a constant."""
    even: NDArray[np.bool_]
    """[X]: along this axis the tensor itself lies element by element, so that runs of it are copied whole."""


@dataclass(frozen=True)
class Statement:
    """A loop group by itself, wherever it is placed.

    D dimensions of all accesses together, A accesses, X axes (spatial, then reduce).
    """

    group: Group
    axes: int
    """Spatial and reduce axes together."""
    far: Table
    """[D, X]: how far a dimension moves with one step of an axis."""
    least: Table
    """[D, 1]: a tile takes so many places of it, and `far` times its points of each axis: one, less the first
    step of each, and those beyond one load that its neighbours take."""
    limits: Table
    """[D, 1]: extents of the dimensions."""
    ranges: tuple[tuple[int, int], ...]
    """[A]: first dimension of each access, and the first of the next."""
    sizes: Table
    """[A, 1]: bytes of an element."""
    packed: NDArray[np.bool_]
    """[A, 1]."""
    reads: tuple[NDArray[np.int64], ...]
    """[I]: the axes that matter to each access that loads at every step."""
    counts: Table
    """[I, 1]: loads per point of these axes."""
    grains: Table
    """[I, X]: lanes along this axis are loaded so many by so many, all of them the same; 0: in one piece."""
    wide: NDArray[np.bool_]
    """[I, X]: lanes along this axis lie side by side; else one element serves all."""
    layouts: tuple[Layout, ...]
    """Of the packed ones among these."""
    strides: Table
    """[D, 1]: the largest power of two, up to a page, that divides the bytes from one place of a dimension to
    the next. 0 where it does not matter to caches: packed, or the last dimension."""
    lane_work: Table
    """[X]: nodes that are written lane by lane where the axis is the vector."""
    work: float
    """Vector operations at each point and step."""
    finish: float
    """Vector operations and accesses at each point, once."""
    library: float
    """Cycles of library functions, at each point once, or at every step without a reduction."""
    ideal: float
    """Scalar operations of the whole statement."""
    itemsize: int


@lru_cache(maxsize=4096)
def statement(group: Group) -> Statement:
    """The tables of a group in which nothing is placed."""
    stage = group.stage
    names = [axis.name for axis in (*stage.axes, *stage.reduce)]
    touched = accesses(group)
    far: list[list[float]] = []
    limits: list[list[int]] = []
    ranges: list[tuple[int, int]] = []
    strides: list[float] = []
    reach: list[list[int]] = []
    for access in touched:
        dims = list(zip(access.index, access.tensor.shape, strict=True)) or [(Index(), 1)]
        ranges.append((len(far), len(far) + len(dims)))
        far += [[_moves(part, name) for name in names] for part, _ in dims]
        limits += [[extent] for _, extent in dims]
        strides += _strides(access, len(dims))
        reach += [[apart] for apart in access.reach] or [[0]] * len(dims)
    inner = [access for access in touched if access.inner and not access.store]
    calls = [sum(isinstance(n, Call) for n in walk(one.body)) for one in group.epilogue]
    outer = sum(not access.inner or access.store for access in touched)
    points = prod(axis.extent for axis in (*stage.axes, *stage.reduce))
    work = max(operations(group) - 1, 1) if stage.reduce else max(operations(group), 1)
    moves = np.asarray(far, np.float32).reshape(len(far), len(names))
    return Statement(
        group,
        axes=len(names), far=moves,
        least=1 + np.asarray(reach, np.float32).reshape(-1, 1) - moves.sum(1, keepdims=True),
        limits=np.asarray(limits, np.float32).reshape(-1, 1),
        ranges=tuple(ranges),
        sizes=np.asarray([[SIZES[a.tensor.dtype]] for a in touched], np.float32).reshape(-1, 1),
        packed=np.asarray([[a.packed] for a in touched], bool).reshape(-1, 1),
        reads=tuple(np.flatnonzero([n in a.axes for n in names]) for a in inner),
        counts=np.asarray([[access.count] for access in inner], np.float32).reshape(-1, 1),
        grains=_table(inner, names, lambda a, n: _apart(a, n) * a.grain(n)),
        wide=_table(inner, names, lambda a, n: n in a.axes and (a.step(n) == 1 or a.packed)) > 0,
        lane_work=np.asarray(lane_work(group) or (0,), np.float32),
        work=float(work), finish=float(1 + sum(calls) + outer), library=CALLS * _library(group),
        ideal=float(points * work),
        layouts=tuple(_layout(n, a, names, len(stage.axes)) for n, a in enumerate(inner) if a.packed),
        strides=np.asarray(strides, np.float32).reshape(-1, 1),
        itemsize=itemsize(group),
    )  # fmt: skip


@lru_cache(maxsize=4096)
def alone(group: Group) -> Group:
    """The group without those placed in it."""
    return replace(group, placed=())


def depth(level: str) -> int:
    """0 for a group of its own, 1 to 3 for one that is placed."""
    return LEVELS.index(level) + 1 if level else 0


PAGE = 4096
"""Bytes after which a first-level cache begins anew: 64 sets of 64 bytes, on every current CPU."""


def _strides(access: Access, count: int) -> list[float]:
    """Bytes between places of each dimension, as the largest power of two that divides them, up to a page."""
    found, step = [], SIZES[access.tensor.dtype]
    for extent in reversed(access.tensor.shape):
        found.append(float(gcd(step, PAGE)))
        step *= extent
    found = [0.0, *found[1:]][::-1]
    return [0.0] * count if access.packed or not found else found


def _layout(read: int, access: Access, names: Sequence[str], spatial: int) -> Layout:
    mine = [place for place, name in enumerate(names) if name in access.axes]
    fly = 0 if access.tensor.constant else access.tensor.size
    return Layout(
        read, np.asarray([place for place in mine if place < spatial], np.int64),
        max((place for place in mine if place >= spatial), default=-1), float(fly),
        np.asarray([access.step(name) == 1 for name in names], bool),
    )  # fmt: skip


def _table(
    touched: Sequence[Access], names: Sequence[str], holds: Callable[[Access, str], int]
) -> Table:
    cells = [[holds(access, name) for name in names] for access in touched]
    return np.asarray(cells, np.float32).reshape(len(touched), len(names))


def _apart(access: Access, axis: str) -> bool:
    """Whether neither one load serves all lanes along the axis, nor one vector has them side by side."""
    return access.step(axis) not in (0, 1) and not access.packed


def _moves(part: Index, axis: str) -> float:
    """How far an index moves with one step of an axis, on average; its sign does not matter."""
    total = 0.0
    for atom, factor in part.terms:
        if isinstance(atom, Quotient):
            total += abs(factor) * _moves(atom.numerator, axis) / atom.divisor
        elif isinstance(atom, Remainder):
            total += abs(factor) * _moves(atom.numerator, axis)
        elif atom == axis:
            total += abs(factor)
    return total


def _library(group: Group) -> int:
    bodies = [stage.body for stage in group.epilogue]
    if not group.stage.reduce:
        bodies.append(group.stage.body)
    return sum(isinstance(n, Call) and n.op in _FUNCTIONS for body in bodies for n in walk(body))
