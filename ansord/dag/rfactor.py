"""Reduction factorisation: one reduction as partial results, side by side, and their reduction.

before: s[i] = add(k 64) x[i, k]
after:  sr[f, i] = add(k 8) x[i, f*8 + k];  s[i] = add(f 8) sr[f, i]
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ansord.dag.dag import Axis, Dag, Stage, Tensor
from ansord.dag.words import choose, compare
from ansord_client.expr import Const, Expr, Load, at
from ansord_client.index import Index

FACTOR = "f"
"""The axis of the partial results; no expansion uses the letter."""


def neutral(combiner: str, dtype: str) -> Const:
    """What a combiner leaves everything else untouched by."""
    if combiner in ("add", "mul"):
        value: float | int = 0 if combiner == "add" else 1
        return Const(float(value) if dtype.startswith("float") else value, dtype)
    sign = -1 if combiner == "maximum" else 1
    if dtype.startswith("float"):
        return Const(sign * float("inf"), dtype)
    if dtype == "bool":
        return Const(int(sign > 0), dtype)
    limits = np.iinfo(dtype)
    return Const(int(limits.min if sign < 0 else limits.max), dtype)


def rfactor(dag: Dag, name: str, axis: str, chunks: int) -> Dag:
    """The dag in which stage `name` reduces `chunks` partial results over pieces of its reduce axis.

    Where the pieces do not divide the axis, the last one is filled up with the combiner's neutral value.

    :raises KeyError: no such stage or axis.
    """
    stage = dag.by_name[name]
    assert stage.combiner is not None
    extent = {one.name: one.extent for one in stage.reduce}[axis]
    piece = -(-extent // chunks)
    position = Index.of(FACTOR) * piece + axis
    body: Expr = at(stage.body, {axis: position})
    if piece * chunks != extent:
        inside = compare("less", position, extent)
        body = choose([inside], body, neutral(stage.combiner, stage.tensor.dtype))
    factor = Axis(FACTOR, chunks)
    shape = (chunks, *(one.extent for one in stage.axes))
    part = Stage(
        Tensor(f"{name}r", shape, stage.tensor.dtype),
        (factor, *stage.axes),
        body,
        tuple(replace(one, extent=piece) if one.name == axis else one for one in stage.reduce),
        stage.combiner,
    )
    index = (Index.of(FACTOR), *(Index.of(one.name) for one in stage.axes))
    whole = replace(
        stage, body=Load(part.name, index, stage.tensor.dtype), reduce=(factor,), combiner=stage.combiner
    )
    stages = tuple(new for one in dag.stages for new in ((part, whole) if one.name == name else (one,)))
    return Dag(dag.inputs, stages, dag.outputs)
