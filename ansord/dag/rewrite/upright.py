"""The phases of a transposed convolution as convolutions side by side, their taps the right way round.

y[h, p] sums x[h + s(p) - k] · w[t(p, k)]; with k = K - 1 - k' and copies x'[p, i] = x[i + s(p) - K + 1] and
w'[p, k'] = w[t(p, K - 1 - k')] that is x'[p, h + k'] · w'[p, k'], a window over h for each phase p.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ansord.dag.dag import Axis, Dag, Stage, Tensor
from ansord.dag.rewrite.correlation import factors
from ansord.dag.rewrite.extend import copied
from ansord.dag.words import letters, points
from ansord_client.expr import Call, Load
from ansord_client.index import Index


@dataclass(frozen=True)
class Turned:
    """A dimension of the source that is read at `space` - `tap` + `rest`, whose axes are phases."""

    space: Axis
    tap: Axis
    rest: Index


def upright(dag: Dag, stage: Stage) -> tuple[Dag, Stage]:
    """The dag in which no window of a stage goes backwards, and the stage that has them; both as they are
    where none does, or where they are no such phases."""
    for source, weight in factors(dag, stage):
        parts = ((place, _turned(part, stage)) for place, part in enumerate(source.index))
        turned = {place: found for place, found in parts if found is not None}
        if turned and _apart(stage, source, turned):
            return _made(dag, stage, source, weight, turned)
    return dag, stage


def _turned(part: Index, stage: Stage) -> Turned | None:
    taps = [axis for axis in stage.reduce if part.coefficient(axis.name) == -1]
    spaces = [axis for axis in stage.axes if part.coefficient(axis.name) == 1]
    if not taps or not spaces:
        return None
    return Turned(spaces[0], taps[0], part - spaces[0].name + taps[0].name)


def _apart(stage: Stage, source: Load, turned: dict[int, Turned]) -> bool:
    """Whether each dimension has a window of its own, beside phases that are axes of the stage."""
    spaces = {one.space.name for one in turned.values()}
    taps = {one.tap.name for one in turned.values()}
    known = {axis.name for axis in stage.axes} - spaces
    rests = (one.rest for one in turned.values())
    others = [part for place, part in enumerate(source.index) if place not in turned]
    return (
        len(spaces) == len(taps) == len(turned)
        and all(rest.axes <= known for rest in rests)
        and all(part.axes.isdisjoint(spaces | taps) for part in others)
    )


def _made(dag: Dag, stage: Stage, source: Load, weight: Load, turned: dict[int, Turned]) -> tuple[Dag, Stage]:
    moving = frozenset().union(*(one.rest.axes for one in turned.values()))
    phases = tuple(axis for axis in stage.axes if axis.name in moving)
    flip = {one.tap.name: one.tap.extent - 1 - Index.of(one.tap.name) for one in turned.values()}
    tensor = dag.tensors[source.tensor]
    axes = list(letters(tensor.shape))
    index = list(points(axes))
    parts = list(source.index)
    for place, one in turned.items():
        axes[place] = replace(axes[place], extent=one.space.extent + one.tap.extent - 1)
        index[place] = index[place] + one.rest - (one.tap.extent - 1)
        parts[place] = Index.of(one.space.name) + one.tap.name
    name = f"{stage.name}p"
    dag, copy = copied(dag, stage, tensor, name, (*phases, *axes), index)
    kernel = _kernel(dag, stage, weight, phases, flip)
    x = Load(copy.name, (*points(phases), *parts), copy.dtype)
    w = Load(kernel.name, kernel.where, kernel.tensor.dtype)
    dense = replace(stage, body=Call("mul", (x, w), stage.body.dtype))
    stages = (new for one in dag.stages for new in ((kernel, dense) if one is stage else (one,)))
    return Dag(dag.inputs, tuple(stages), dag.outputs), dense


def _kernel(dag: Dag, stage: Stage, weight: Load, phases: tuple[Axis, ...], flip: dict[str, Index]) -> Stage:
    """The weights by phases, which come first, with the taps turned round; laid out once."""
    index = tuple(part.substitute(flip) for part in weight.index)
    read = frozenset().union(*(part.axes for part in index))
    axes = (*phases, *(one for one in (*stage.reduce, *stage.axes) if one.name in read and one not in phases))
    tensor = Tensor(f"{stage.name}k", tuple(axis.extent for axis in axes), weight.dtype)
    return Stage(tensor, axes, Load(weight.tensor, index, weight.dtype))
