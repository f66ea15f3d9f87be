"""Recognises a convolution of stride 1 in a stage, however it was written: every window slides by one.

y[n, h, w, o] = sum over kh, kw, c of x[n, h + kh, w + kw, c] * k[kh, kw, c, o], in any number of dimensions
and any order of axes, dilated or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ansord.dag.dag import Axis, Dag, Stage
from ansord_client.expr import Call, Load
from ansord_client.index import Index


@dataclass(frozen=True)
class Window:
    """One sliding dimension: x is read at `space` + `tap` · `dilation` + `first` along `dimension`."""

    dimension: int
    space: Axis
    tap: Axis
    first: int
    dilation: int = 1


@dataclass(frozen=True)
class Correlation:
    """The parts of such a stage; every dimension of `source` is a window, the channel, or one other axis."""

    source: Load
    weight: Load
    windows: tuple[Window, ...]
    channel: Axis
    batch: tuple[Axis, ...]
    """The other axes of the source."""
    out: tuple[Axis, ...]
    """The axes of the weight alone."""
    group: tuple[Axis, ...] = ()
    """Those of the batch for which there are weights of their own."""


def correlation(dag: Dag, stage: Stage) -> Correlation | None:
    """The stage as a correlation with constant weights; None where it is none, or has no channels to sum."""
    found = (_matched(stage, *pair) for pair in factors(dag, stage))
    return next((one for one in found if one), None)


def factors(dag: Dag, stage: Stage) -> list[tuple[Load, Load]]:
    """What a sum of products of floats reads, where one factor is constant: (source, weight), both ways where
    both are."""
    body = stage.body
    if stage.combiner != "add" or not stage.tensor.dtype.startswith("float"):
        return []
    if not isinstance(body, Call) or body.op != "mul":
        return []
    first, second = body.args
    if not isinstance(first, Load) or not isinstance(second, Load):
        return []
    return [pair for pair in ((first, second), (second, first)) if _constant(dag, pair[1].tensor)]


def _matched(stage: Stage, source: Load, weight: Load) -> Correlation | None:
    reduce = {axis.name: axis for axis in stage.reduce}
    spatial = {axis.name: axis for axis in stage.axes}
    if not all(_single(part) for part in weight.index):
        return None
    read = {str(part) for part in weight.index if part.terms}
    windows, alone = [], []
    for dimension, part in enumerate(source.index):
        window = _window(dimension, part, spatial, reduce)
        if window is not None:
            windows.append(window)
        elif _single(part):
            alone += [str(part)] if part.terms else []
        else:
            return None
    taps = {window.tap.name for window in windows}
    channels = [name for name in reduce if name not in taps]
    batch = [name for name in alone if name in spatial]
    space = {window.space.name for window in windows}
    fits = (
        windows
        and len(channels) == 1
        and sorted(alone) == sorted({*alone})
        and set(alone) == {*channels, *batch}
        and reduce.keys() <= read
        and not read & space
        and {*batch, *space, *read} == {*spatial, *reduce}
        and len(taps) == len(space) == len(windows)
    )
    if not fits:
        return None
    out = tuple(axis for axis in stage.axes if axis.name in read and axis.name not in batch)
    group = tuple(axis for axis in stage.axes if axis.name in read and axis.name in batch)
    batches = tuple(axis for axis in stage.axes if axis.name in batch)
    return Correlation(source, weight, tuple(windows), reduce[channels[0]], batches, out, group)


def _constant(dag: Dag, name: str) -> bool:
    stage = dag.by_name.get(name)
    if stage is None:
        return dag.tensors[name].constant
    return bool(stage.reads) and all(_constant(dag, read) for read in stage.reads)


def _single(part: Index) -> bool:
    """Whether an index is one axis, or the only place of its dimension."""
    if not part.terms:
        return part.const == 0
    (atom, factor), *others = part.terms
    return not others and factor == 1 and isinstance(atom, str) and part.const == 0


def _window(
    dimension: int, part: Index, spatial: Mapping[str, Axis], reduce: Mapping[str, Axis]
) -> Window | None:
    names = {str(atom): factor for atom, factor in part.terms}
    if len(names) != 2 or part.const < 0:
        return None
    space = [axis for name, axis in spatial.items() if names.get(name) == 1]
    tap = [axis for name, axis in reduce.items() if names.get(name, 0) > 0]
    if not space or not tap:
        return None
    return Window(dimension, space[0], tap[0], part.const, names[tap[0].name])
