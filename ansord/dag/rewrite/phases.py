"""A dilated convolution as dense ones side by side: each phase of the places sees one phase of the input.

y[h] sums x[h + kh·d] · k[kh]; with h = h'·d + p that is x[(h' + kh)·d + p], a window over h' of the phase p.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ansord.dag.dag import Axis, Dag, Stage, Tensor
from ansord.dag.rewrite.correlation import Correlation, Window
from ansord.dag.rewrite.extend import copied
from ansord.dag.words import letters, points
from ansord_client.expr import Load, rewrite
from ansord_client.index import Index


@dataclass(frozen=True)
class Phases:
    """A dilated window, cut."""

    window: Window

    @property
    def axis(self) -> Axis:
        """Counts the phases."""
        return Axis(f"p{self.window.space.name}", self.window.dilation)

    @property
    def steps(self) -> Axis:
        """The places of one phase; of some phases there is one less."""
        space = self.window.space
        return Axis(space.name, -(-space.extent // self.window.dilation))

    @property
    def reach(self) -> int:
        """Points of the input that they read."""
        return self.steps.extent + self.window.tap.extent - 1

    def at(self, place: Index) -> Index:
        """A point of a phase as a point of all."""
        return place * self.window.dilation + self.axis.name


def by_phases(dag: Dag, stage: Stage, found: Correlation) -> tuple[Dag, Stage]:
    """The dag in which the dilated windows of a stage are dense, and the stage that has them.

    Phases are axes of a copy of the input and of that stage. It is the one that was, with other loops, where
    the dilations divide its extents; else that one reads it.
    """
    cut = {one.space.name: Phases(one) for one in found.windows if one.dilation > 1}
    dag, source = _source(dag, stage, found, cut)
    windows = {one.dimension: one for one in found.windows if one.dilation > 1}
    parts = [
        Index.of(windows[place].space.name) + windows[place].tap.name if place in windows else part
        for place, part in enumerate(found.source.index)
    ]
    load = Load(source.name, (*(Index.of(one.axis.name) for one in cut.values()), *parts), source.dtype)
    body = rewrite(stage.body, lambda leaf: load if leaf == found.source else leaf)
    steps = (cut[axis.name].steps if axis.name in cut else axis for axis in stage.axes)
    axes = (*(one.axis for one in cut.values()), *steps)
    if all(one.window.space.extent % one.window.dilation == 0 for one in cut.values()):
        places = {name: one.at(Index.of(name)) for name, one in cut.items()}
        where = tuple(part.substitute(places) for part in stage.where)
        dense = replace(stage, axes=axes, body=body, index=where)
        made: tuple[Stage, ...] = (dense,)
    else:
        tensor = replace(stage.tensor, name=f"{stage.name}d", shape=tuple(axis.extent for axis in axes))
        dense = Stage(tensor, axes, body, stage.reduce, stage.combiner)
        made = (dense, _gathered(stage, dense, cut))
    stages = (new for one in dag.stages for new in (made if one is stage else (one,)))
    return Dag(dag.inputs, tuple(stages), dag.outputs), dense


def _source(dag: Dag, stage: Stage, found: Correlation, cut: Mapping[str, Phases]) -> tuple[Dag, Tensor]:
    """The input by phases, which come first."""
    source = dag.tensors[found.source.tensor]
    axes = list(letters(source.shape))
    index = list(points(axes))
    for one in cut.values():
        place = one.window.dimension
        axes[place] = replace(axes[place], extent=one.reach)
        index[place] = one.at(index[place]) + one.window.first
    phases = (one.axis for one in cut.values())
    return copied(dag, stage, source, f"{stage.name}p", (*phases, *axes), index)


def _gathered(stage: Stage, dense: Stage, cut: Mapping[str, Phases]) -> Stage:
    """Every place from where its phase has it."""
    dilations = {name: one.window.dilation for name, one in cut.items()}
    phases = (Index.of(name) % every for name, every in dilations.items())
    steps = (Index.of(axis.name) // dilations.get(axis.name, 1) for axis in stage.axes)
    body = Load(dense.name, (*phases, *steps), stage.tensor.dtype)
    return replace(stage, body=body, reduce=(), combiner=None)
