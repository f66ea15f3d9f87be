"""How a group touches memory: for each tensor read or written, elements per step of each axis."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from math import gcd, prod

from ansord.dag import Stage, Tensor, options
from ansord.nest.sketch import Group, along
from ansord_client.expr import AxisValue, Call, Expr, Load, at, loads, walk
from ansord_client.index import Index, Quotient


@dataclass(frozen=True)
class Access:
    """One load or store of a group, over the axes of its anchor stage.

    `index` has one form per dimension. `steps` are elements per step of an axis that stands alone in the flat
    position; `axes` are all the axes that matter, also those inside divisions.
    """

    tensor: Tensor
    index: tuple[Index, ...]
    steps: tuple[tuple[str, int], ...]
    axes: frozenset[str]
    packed: bool
    store: bool
    inner: bool
    """Whether it happens at every step of the reduction."""
    count: float = 1.0
    """Loads at neighbouring places, per point of the axes: what a choice by place reads of one tensor."""
    reach: tuple[int, ...] = ()
    """By how many places they lie apart, per dimension; empty for a single one."""

    def step(self, axis: str) -> int | None:
        """Elements per step; None where no constant says it."""
        if axis not in self.axes:
            return 0
        return dict(self.steps).get(axis)

    def grain(self, axis: str) -> int:
        """How many points in a row see the same element, where no constant step is known."""
        atoms = [atom for part in self.index for atom, _ in part.terms if not isinstance(atom, str)]
        inside = [atom for atom in atoms if axis in atom.numerator.axes]
        whole = all(isinstance(one, Quotient) and one.numerator == Index.of(axis) for one in inside)
        return gcd(*(one.divisor for one in inside)) if inside and whole else 1


@lru_cache(maxsize=1024)
def accesses(group: Group) -> tuple[Access, ...]:
    """Loads of the anchor, loads of the epilogue, stores, in this order; packed loads are marked."""
    stage = group.stage
    inside = {stage.name, *(s.name for s in group.epilogue)}
    found = [
        replace(
            _access(group.by_name[load.tensor], load.index, load.tensor in group.packed, False, True),
            count=many, reach=reach,
        )  # fmt: skip
        for load, many, reach in _neighbours(stage)
    ]
    for consumer in group.epilogue:
        body = at(consumer.body, along(consumer, stage))
        found += [
            _access(group.by_name[load.tensor], load.index, False, False, not stage.reduce)
            for load in loads(body)
            if load.tensor not in inside
        ]
    for member in group.writes:
        where = member.where
        if member is not stage:
            where = tuple(part.substitute(along(member, stage)) for part in member.where)
        found.append(_access(member.tensor, where, False, True, not stage.reduce))
    return tuple(found)


def _neighbours(stage: Stage) -> list[tuple[Load, float, tuple[int, ...]]]:
    """The loads of a stage; where its body is a choice by place, one for all that differ by a constant, how
    many they are per point of the axes that they depend on, and how far apart."""
    if not stage.units:
        return [(load, 1.0, ()) for load in stage.loads]
    alike: dict[tuple[object, ...], list[Load]] = {}
    for load in stage.loads:
        alike.setdefault((load.tensor, *(part.terms for part in load.index)), []).append(load)
    result = []
    for same in alike.values():
        axes = frozenset().union(*(part.axes for part in same[0].index))
        points = prod(stage.unit(name) or 1 for name, _ in stage.units if name in axes)
        places = [[part.const for part in load.index] for load in same]
        reach = tuple(max(along) - min(along) for along in zip(*places, strict=True))
        result.append((same[0], len(same) / points, reach))
    return result


def _access(tensor: Tensor, index: tuple[Index, ...], packed: bool, store: bool, inner: bool) -> Access:
    offset = tensor.offset(index)
    steps = tuple(
        (atom, f) for atom, f in offset.terms if isinstance(atom, str) and atom not in offset.divided
    )
    return Access(tensor, index, steps, offset.axes, packed, store, inner)


@lru_cache(maxsize=1024)
def vector_axes(group: Group) -> tuple[int, ...]:
    """Positions of the axes worth vectorising: those along which something is contiguous in memory.

    Where there is none, every spatial axis with more than one point; empty for a single point. Never an axis
    whose points have expressions of their own.
    """
    axes = (*group.stage.axes, *group.stage.reduce)
    touched = accesses(group)
    wide = [p for p, axis in enumerate(axes) if axis.extent > 1 and group.stage.unit(axis.name) is None]
    contiguous = [p for p in wide if any(a.step(axes[p].name) == 1 for a in touched)]
    spatial = [p for p in wide if p < len(group.stage.axes)]
    return tuple(contiguous or spatial)


@lru_cache(maxsize=1024)
def lane_work(group: Group) -> tuple[int, ...]:
    """Per axis, how many nodes of the expressions are written lane by lane when that axis is the vector:
    choices by position, with all below them, and positions read as numbers."""
    stage = group.stage
    bodies = [stage.body, *(at(one.body, along(one, stage)) for one in group.epilogue)]
    return tuple(
        sum(_lane_nodes(body, axis.name) for body in bodies) for axis in (*stage.axes, *stage.reduce)
    )


def _lane_nodes(expr: Expr, axis: str) -> int:
    if isinstance(expr, AxisValue):
        return int(axis in expr.index.axes)
    if not isinstance(expr, Call):
        return 0
    condition = walk(expr.args[0]) if expr.op == "where" else ()
    if any(isinstance(node, AxisValue) and axis in node.index.axes for node in condition):
        return sum(isinstance(node, Call | Load) for node in walk(expr))
    return sum(_lane_nodes(arg, axis) for arg in expr.args)


@lru_cache(maxsize=1024)
def operations(group: Group) -> int:
    """Scalar operations at one point of the anchor, the reduction's own included; of a choice by place, those
    of all points together, shared ones once, per point (rounded up)."""
    if group.stage.units:
        chosen = list(options(group.stage))
        distinct = {node for one in chosen for node in walk(one) if isinstance(node, Call)}
        return -(-len(distinct) // len(chosen))
    count = sum(
        1 for node in walk(group.stage.body) if not isinstance(node, Load | AxisValue) and hasattr(node, "op")
    )
    return count + (1 if group.stage.reduce else 0)
