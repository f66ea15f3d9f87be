"""Dag to Dag: reshapes and copies that cost a pass over memory and change nothing are taken out.

Called by `expand`; whoever builds a dag by hand may. Rewrites indices, never arithmetic.
"""

from __future__ import annotations

from dataclasses import replace

from ansord.dag.dag import Dag, Stage, Tensor
from ansord_client.expr import Expr, Load, at, reindex, rewrite
from ansord_client.index import Index


def simplify(dag: Dag) -> Dag:
    """The same outputs from fewer stages, named s0, s1 … again.

    From the last stage to the first: what a stage alone reads, at the flat position that it writes, is made
    in the shape of that stage; a copy that is left reading what it writes is its source.
    """
    for name in [stage.name for stage in reversed(dag.stages)]:
        dag = _without_copy(_reshaped_source(dag, dag.by_name[name]), name)
    return _renamed(_live(dag))


def view(stage: Stage, load: Load, source: Tensor) -> bool:
    """Whether the load reads at the same flat position as the stage writes, out of equally many elements."""
    if source.size != stage.tensor.size:
        return False
    read, written = source.offset(load.index), stage.tensor.offset(stage.where)
    return _single(read, stage) == _single(written, stage)


def _single(index: Index, stage: Stage) -> Index:
    """Without the axes that have one point, and simplified."""
    points: dict[str, int | str | Index] = {axis.name: 0 for axis in stage.axes if axis.extent == 1}
    return index.substitute(points).simplify(stage.ranges)


def _reshaped_source(dag: Dag, reader: Stage) -> Dag:
    """What `reader` alone reads as a view, made in the shape of `reader`."""
    for load in reader.loads:
        source = dag.by_name.get(load.tensor)
        if (
            source is None
            or source.tensor.shape == reader.tensor.shape
            or load.tensor in dag.outputs
            or dag.readers[load.tensor] != (reader.name,)
            or [other.tensor for other in reader.loads].count(load.tensor) > 1
            or reader.reduce
            or not reader.in_place
            or not (source.reduce or source.in_place)
            or not view(reader, load, source.tensor)
        ):
            continue
        moved = replace(load, index=_here(reader))
        reader = replace(reader, body=_instead(reader.body, load, moved))
        dag = _replaced(dag, _in_shape_of(reader, source), reader)
    return dag


def _in_shape_of(reader: Stage, source: Stage) -> Stage:
    """`source` writing the reader's shape: a map over the reader's axes; a reduction, or a choice by place,
    at another index."""
    tensor = replace(source.tensor, shape=reader.tensor.shape)
    if source.reduce or source.units:
        offset = source.tensor.offset(source.where)
        return replace(source, tensor=tensor, index=tensor.unravel(offset, source.ranges))
    offset = tensor.offset(_here(reader))
    ranges = reader.ranges
    place = source.tensor.unravel(offset, ranges)
    values = {axis.name: part for axis, part in zip(source.axes, place, strict=True)}
    body = reindex(at(source.body, values), lambda index: _single(index, reader))
    return Stage(tensor, reader.axes, body)


def _instead(body: Expr, old: Load, new: Load) -> Expr:
    return rewrite(body, lambda leaf: new if leaf == old else leaf)


def _here(stage: Stage) -> tuple[Index, ...]:
    """Where the stage writes, as something to read: nothing varies along an axis of one point."""
    return tuple(_single(part, stage) for part in stage.where)


def _without_copy(dag: Dag, name: str) -> Dag:
    """The dag without a stage that copies a tensor as it is, where that can be."""
    stage = dag.by_name[name]
    load = stage.body
    if not isinstance(load, Load) or stage.reduce or load.index != _here(stage) or not stage.in_place:
        return dag
    if dag.tensors[load.tensor].shape != stage.tensor.shape:
        return dag
    outputs = dag.outputs
    if name in outputs:
        if load.tensor in outputs or load.tensor not in dag.by_name:
            return dag
        outputs = tuple(load.tensor if output == name else output for output in outputs)
    stages = tuple(_reading(other, {name: load.tensor}) for other in dag.stages if other.name != name)
    return Dag(dag.inputs, stages, outputs)


def _reading(stage: Stage, names: dict[str, str]) -> Stage:
    """The stage reading other tensors."""

    def leaf(node: Expr) -> Expr:
        return replace(node, tensor=names.get(node.tensor, node.tensor)) if isinstance(node, Load) else node

    return replace(stage, body=rewrite(stage.body, leaf))


def _replaced(dag: Dag, *stages: Stage) -> Dag:
    new = {stage.name: stage for stage in stages}
    return replace(dag, stages=tuple(new.get(stage.name, stage) for stage in dag.stages))


def _live(dag: Dag) -> Dag:
    """Without the stages that no output needs."""
    needed = set(dag.outputs)
    kept: list[Stage] = []
    for stage in reversed(dag.stages):
        if stage.name in needed:
            needed |= set(stage.reads)
            kept.append(stage)
    return replace(dag, stages=tuple(reversed(kept)))


def _renamed(dag: Dag) -> Dag:
    names = {stage.name: f"s{place}" for place, stage in enumerate(dag.stages)}
    stages = tuple(
        replace(_reading(stage, names), tensor=replace(stage.tensor, name=names[stage.name]))
        for stage in dag.stages
    )
    return Dag(dag.inputs, stages, tuple(names[name] for name in dag.outputs))


