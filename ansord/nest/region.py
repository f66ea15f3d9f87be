"""What part of a placed stage one tile of its host needs: where it begins and how many points it has.

Pure interval arithmetic over index forms; the same lines serve one program and a column of rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ansord.dag import Stage
from ansord.nest.sketch import Group, along
from ansord_client.expr import at, loads
from ansord_client.index import Index

if TYPE_CHECKING:
    from ansord.nest.plan import Number, Plan


@dataclass(frozen=True)
class Span:
    """A range of one axis: from `start`, a form over the host's axes at the tile's corner, `extent` points."""

    start: Index
    extent: Number


def regions(host: Group, tiles: Plan) -> dict[str, dict[str, Span]]:
    """For each stage placed in `host`, the span of each of its axes, by stage and axis name.

    An axis whose index is not linear, falls, or is read at places that do not move together is taken whole.
    """
    return {
        placed.group.name: _region(host, placed.group.stage, _tile(host, tiles, placed.level))
        for placed in host.placed
    }


def _region(host: Group, stage: Stage, tile: dict[str, Span]) -> dict[str, Span]:
    """What one tile of the host needs of a stage, through whatever stages read it on the way.

    A reader that is placed deeper inside counts with all that it computes during this tile.
    """
    needed = [_needed(index, spans) for index, spans in _reads(host, stage.name, tile)]
    return {
        axis.name: _joined([spans[stage.where.index(Index.of(axis.name))] for spans in needed], axis.extent)
        for axis in stage.axes
    }


def _tile(host: Group, tiles: Plan, level: str) -> dict[str, Span]:
    """The tile of the host at a level, axis by axis."""
    spans = {}
    for name, axis in tiles.spatial.items():
        spans[name] = Span(
            Index.of(name), np.minimum(axis.outer if level == "s0" else axis.middle, axis.extent)
        )
    for name, reduced in tiles.reduce.items():
        inner = level == "r0"
        extent = np.minimum(reduced.tile, reduced.extent) if inner else reduced.extent
        spans[name] = Span(Index.of(name) if inner else Index(), extent)
    return spans


def _reads(
    host: Group, name: str, tile: dict[str, Span]
) -> Iterator[tuple[tuple[Index, ...], dict[str, Span]]]:
    """Every index at which a stage is read, with the spans of the axes over which the index is written."""
    for load in host.stage.loads:
        if load.tensor == name:
            yield load.index, tile
    for consumer in host.epilogue:
        for load in loads(at(consumer.body, along(consumer, host.stage))):
            if load.tensor == name:
                yield load.index, tile
    for placed in host.placed:
        reader = placed.group.stage
        bodies = [reader.body, *(at(s.body, along(s, reader)) for s in placed.group.epilogue)]
        indices = [load.index for body in bodies for load in loads(body) if load.tensor == name]
        if indices:
            spans = _region(host, reader, tile) | _whole(reader)
            yield from ((index, spans) for index in indices)


def _whole(stage: Stage) -> dict[str, Span]:
    return {axis.name: Span(Index(), axis.extent) for axis in stage.reduce}


def _needed(index: tuple[Index, ...], spans: Mapping[str, Span]) -> list[Span | None]:
    """The span of each dimension of one read; None where it is not a rising linear form."""
    result: list[Span | None] = []
    for part in index:
        if part.divided or any(factor < 0 for _, factor in part.terms):
            result.append(None)
            continue
        start, extent = Index.of(part.const), 1
        for axis, factor in part.terms:
            assert isinstance(axis, str)
            start = start + spans[axis].start * factor
            extent = extent + (spans[axis].extent - 1) * factor
        result.append(Span(start, extent))
    return result


def _joined(spans: list[Span | None], whole: int) -> Span:
    """The smallest span that holds all, where they move together; else the whole axis."""
    first = spans[0]
    if first is None or any(span is None or span.start.terms != first.start.terms for span in spans):
        return Span(Index(), whole)
    sure = [span for span in spans if span is not None]
    low = min(span.start.const for span in sure)
    extent = sure[0].extent
    for span in sure:
        extent = np.maximum(extent, span.extent + (span.start.const - low))
    # A region as large as the axis begins at its beginning.
    start = Index(low, first.start.terms)
    return Span(start, np.minimum(extent, whole))
