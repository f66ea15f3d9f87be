"""How a group touches memory: for each tensor read or written, elements per step of each axis."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from ansord.dag import Tensor
from ansord.nest.sketch import Group, along
from ansord_client.expr import AxisValue, Call, Expr, Load, at, loads, walk
from ansord_client.index import Index


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

    def step(self, axis: str) -> int | None:
        """Elements per step; None where no constant says it."""
        if axis not in self.axes:
            return 0
        return dict(self.steps).get(axis)


@lru_cache(maxsize=1024)
def accesses(group: Group) -> tuple[Access, ...]:
    """Loads of the anchor, loads of the epilogue, stores, in this order; packed loads are marked."""
    stage = group.stage
    inside = {stage.name, *(s.name for s in group.epilogue)}
    found = [
        _access(group.by_name[load.tensor], load.index, load.tensor in group.packed, False, True)
        for load in stage.loads
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


def _access(tensor: Tensor, index: tuple[Index, ...], packed: bool, store: bool, inner: bool) -> Access:
    offset = tensor.offset(index)
    steps = tuple(
        (atom, f) for atom, f in offset.terms if isinstance(atom, str) and atom not in offset.divided
    )
    return Access(tensor, index, steps, offset.axes, packed, store, inner)


@lru_cache(maxsize=1024)
def vector_axes(group: Group) -> tuple[int, ...]:
    """Positions of the axes worth vectorising: those along which something is contiguous in memory.

    Where there is none, every spatial axis with more than one point; empty for a single point.
    """
    axes = (*group.stage.axes, *group.stage.reduce)
    touched = accesses(group)
    wide = [position for position, axis in enumerate(axes) if axis.extent > 1]
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
    """Scalar operations at one point of the anchor, the reduction's own included."""
    count = sum(
        1 for node in walk(group.stage.body) if not isinstance(node, Load | AxisValue) and hasattr(node, "op")
    )
    return count + (1 if group.stage.reduce else 0)
