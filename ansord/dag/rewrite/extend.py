"""Input that reaches as far as whole tiles read, zeros behind its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ansord.dag.dag import Axis, Dag, Stage, Tensor
from ansord.dag.rewrite.correlation import Correlation
from ansord_client.expr import AxisValue, Call, Const, Expr, Load, walk
from ansord_client.index import Index

_LETTERS = "ijklmpqr"


def extended(dag: Dag, reader: Stage, found: Correlation, reach: Mapping[int, int]) -> tuple[Dag, Tensor]:
    """The dag with a source of `reader` that has `reach` points per dimension, and that source.

    The source as it is where it suffices; a padding that nobody else reads becomes larger; else a copy.
    """
    source = dag.tensors[found.source.tensor]
    shape = [max(extent, reach.get(place, 0)) for place, extent in enumerate(source.shape)]
    if tuple(shape) == source.shape:
        return dag, source
    tensor = Tensor(f"{reader.name}x", tuple(shape), source.dtype)
    stage = dag.by_name.get(source.name)
    alone = stage and source.name not in dag.outputs and dag.readers[source.name] == (reader.name,)
    if stage is not None and alone and _pads(stage):
        copy = _longer(stage, tensor)
        kept = [copy if one is stage else one for one in dag.stages]
    else:
        copy = _behind(source, tensor)
        place = next(place for place, one in enumerate(dag.stages) if one.name == reader.name)
        kept = [*dag.stages[:place], copy, *dag.stages[place:]]
    return Dag(dag.inputs, tuple(kept), dag.outputs), tensor


def _pads(stage: Stage) -> bool:
    """Whether the stage is a tensor with zeros around it."""
    match stage.body:
        case Call(op="where", args=(condition, _, Const(value=0))):
            places = (AxisValue, Const, Call)
            return stage.in_place and all(isinstance(part, places) for part in walk(condition))
    return False


def _longer(stage: Stage, tensor: Tensor) -> Stage:
    """The padding over more points: where a condition does not end an axis already, another does."""
    assert isinstance(stage.body, Call)
    condition, value, zero = stage.body.args
    ended = {str(index) for part in walk(condition) for index in _ended(part)}
    axes = tuple(replace(axis, extent=extent) for axis, extent in zip(stage.axes, tensor.shape, strict=True))
    for old, axis in zip(stage.axes, axes, strict=True):
        if old.extent < axis.extent and old.name not in ended:
            condition = Call("logical_and", (condition, _below(old.name, old.extent)), "bool")
    return Stage(tensor, axes, Call("where", (condition, value, zero), tensor.dtype))


def _ended(part: Expr) -> list[Index]:
    """What a comparison bounds from above; conditions of paddings are conjunctions."""
    match part:
        case Call(op="less", args=(AxisValue(index=index), Const())):
            return [index]
    return []


def _behind(source: Tensor, tensor: Tensor) -> Stage:
    """A copy with zeros behind it."""
    axes = tuple(Axis(name, extent) for name, extent in zip(_LETTERS, tensor.shape, strict=False))
    value: Expr = Load(source.name, tuple(Index.of(axis.name) for axis in axes), source.dtype)
    conditions = [
        _below(axis.name, extent)
        for axis, extent in zip(axes, source.shape, strict=True)
        if extent < axis.extent
    ]
    condition: Expr = conditions[0]
    for other in conditions[1:]:
        condition = Call("logical_and", (condition, other), "bool")
    zero = Const(0.0, source.dtype)
    return Stage(tensor, axes, Call("where", (condition, value, zero), source.dtype))


def _below(axis: str, bound: int) -> Call:
    return Call("less", (AxisValue(Index.of(axis)), Const(bound, "int64")), "bool")
