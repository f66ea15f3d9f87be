"""Input as a rewrite reads it: as far as whole tiles reach, or phase by phase; zeros behind its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ansord.dag.dag import Axis, Dag, Stage, Tensor
from ansord.dag.rewrite.correlation import Correlation
from ansord.dag.words import choose, compare, letters, points, ranges
from ansord_client.expr import AxisValue, Call, Const, Expr, Load, at, reindex, walk
from ansord_client.index import Index


def extended(dag: Dag, reader: Stage, found: Correlation, reach: Mapping[int, int]) -> tuple[Dag, Tensor]:
    """The dag with a source of `reader` that has `reach` points per dimension, and that source.

    The source as it is where it suffices; else a copy of it.
    """
    source = dag.tensors[found.source.tensor]
    shape = tuple(max(extent, reach.get(place, 0)) for place, extent in enumerate(source.shape))
    if shape == source.shape:
        return dag, source
    axes = letters(shape)
    return copied(dag, reader, source, f"{reader.name}x", axes, points(axes))


def copied(
    dag: Dag, reader: Stage, source: Tensor, name: str, axes: tuple[Axis, ...], index: Sequence[Index]
) -> tuple[Dag, Tensor]:
    """The dag with a tensor over `axes`: what `source` has at `index`, which is never negative, and zeros
    behind its end. A copy or a padding that `reader` alone reads is not made for that: it is written so."""
    bounds = ranges(*axes)
    value: Expr = Load(source.name, tuple(index), source.dtype)
    stages = list(dag.stages)
    made = dag.by_name.get(source.name)
    alone = source.name not in dag.outputs and dag.readers[source.name] == (reader.name,)
    if made is not None and alone and _copies(made):
        values = {axis.name: part for axis, part in zip(made.axes, index, strict=True)}
        value = reindex(at(made.body, values), lambda part: part.simplify(bounds))
        stages.remove(made)
    conditions: list[Expr] = []
    match value:
        case Call(op="where", args=(condition, value, _)):
            conditions.append(condition)
    ended = {part for condition in conditions for node in walk(condition) for part in _ended(node)}
    for part, extent in zip(index, source.shape, strict=True):
        if part.interval(bounds)[1] >= extent and part not in ended:
            conditions.append(compare("less", part, extent))
    value = choose(conditions, value, Const(0.0, source.dtype))
    tensor = replace(source, name=name, shape=tuple(axis.extent for axis in axes), constant=False)
    stages.insert(stages.index(reader), Stage(tensor, axes, value))
    return Dag(dag.inputs, tuple(stages), dag.outputs), tensor


def _copies(stage: Stage) -> bool:
    """Whether the stage is a tensor as it is, or with zeros around it."""
    match stage.body:
        case Load():
            return stage.in_place
        case Call(op="where", args=(condition, Load(), Const(value=0))):
            places = (AxisValue, Const, Call)
            return stage.in_place and all(isinstance(part, places) for part in walk(condition))
    return False


def _ended(part: Expr) -> list[Index]:
    """What a comparison bounds from above; conditions of paddings are conjunctions."""
    match part:
        case Call(op="less", args=(AxisValue(index=index), Const())):
            return [index]
    return []
