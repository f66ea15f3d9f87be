"""What part of a placed stage one tile of its host needs: where it begins and how many points it has.

Interval arithmetic over index forms. What does not depend on numbers is worked out once per group; the
rest are the same few lines for one program and for a column of rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ansord.dag import Stage
from ansord.nest.sketch import Group, along
from ansord.nest.tiles import Number, Plan
from ansord_client.expr import at, loads
from ansord_client.index import Index


@dataclass(frozen=True)
class Span:
    """A range of one axis: `extent` points from `start`, a form over the host's axes at the tile's corner."""

    start: Index
    extent: Number


@dataclass(frozen=True)
class _Need:
    """How one axis of a placed stage follows from its reader: from `start` on, 1 + sum of
    (points - 1) · factor over the reader's axes, plus `more`; all of it where `terms` is None."""

    start: Index
    terms: tuple[tuple[str, int], ...] | None
    more: int
    reader: str | None
    """The placed stage whose axes the terms are, or None for the host's."""


def regions(host: Group, tiles: Plan) -> dict[str, dict[str, Span]]:
    """For each stage placed in `host`, the span of each of its axes, by stage and axis name.

    An axis whose index is not linear, falls, or is read at places that do not move together is taken whole. A
    region that would leave its tensor is moved back into it.
    """
    return {
        placed.group.name: _spans(host, tiles, placed.group.stage, placed.level) for placed in host.placed
    }


def _spans(host: Group, tiles: Plan, stage: Stage, level: str) -> dict[str, Span]:
    """What one tile of the host needs of a stage, through whatever stages read it on the way.

    A reader that is placed deeper inside counts with all that it computes during this tile.
    """
    own = next(p.level for p in host.placed if p.group.stage is stage)
    points: dict[str | None, dict[str, Number]] = {None: _tile(tiles, level, own)}
    result = {}
    for axis in stage.axes:
        extent: Number = 1
        needs = _needs(host, stage.name, level)[axis.name]
        for need in needs:
            if need.terms is None:
                extent = axis.extent
                continue
            if need.reader not in points:
                reader = next(p.group.stage for p in host.placed if p.group.name == need.reader)
                spans = _spans(host, tiles, reader, level)
                whole: dict[str, Number] = {a.name: a.extent for a in reader.reduce}
                points[need.reader] = whole | {name: span.extent for name, span in spans.items()}
            over = points[need.reader]
            reach = 1 + need.more + sum((over[name] - 1) * factor for name, factor in need.terms)
            extent = np.maximum(extent, reach)
        result[axis.name] = Span(needs[0].start, np.minimum(extent, axis.extent))
    return result


def _tile(tiles: Plan, level: str, own: str) -> dict[str, Number]:
    """The points of the host's tile at a level, axis by axis; for a stage whose `own` level lies deeper,
    with those by which the last of the smaller tiles there hangs over."""
    points: dict[str, Number] = {}
    for name, axis in tiles.spatial.items():
        whole = axis.outer if level == "s0" else axis.middle
        points[name] = whole if level != own and level == "s0" else np.minimum(whole, axis.extent)
    for name, reduced in tiles.reduce.items():
        whole = reduced.chunks * reduced.tile if own == "r0" else reduced.extent
        points[name] = np.minimum(reduced.tile, reduced.extent) if level == "r0" else whole
    return points


@lru_cache(maxsize=4096)
def _needs(host: Group, name: str, level: str) -> Mapping[str, tuple[_Need, ...]]:
    """Per axis of a placed stage, what each read of it needs; equal starts, or the whole axis."""
    stage = next(placed.group.stage for placed in host.placed if placed.group.name == name)
    found: dict[str, tuple[_Need, ...]] = {}
    for axis in stage.axes:
        dimension = stage.where.index(Index.of(axis.name))
        needs = [
            _need(host, index[dimension], reader, level, axis.extent) for index, reader in _reads(host, name)
        ]
        first = needs[0].start
        # Points that have expressions of their own are computed together.
        together = stage.unit(axis.name) is not None
        if together or any(need.terms is None or need.start.terms != first.terms for need in needs):
            found[axis.name] = (_Need(Index(), None, 0, None),)
            continue
        low = min(need.start.const for need in needs)
        start = Index(low, first.terms)
        farthest: dict[tuple[tuple[tuple[str, int], ...] | None, str | None], int] = {}
        for need in needs:  # neighbours that are read alike need what the farthest of them does
            read = need.terms, need.reader
            farthest[read] = max(farthest.get(read, 0), need.start.const - low)
        found[axis.name] = tuple(_Need(start, terms, more, by) for (terms, by), more in farthest.items())
    return found


def _need(host: Group, part: Index, reader: str | None, level: str, size: int) -> _Need:
    """One read along one dimension of `size` points."""
    rising = not part.divided and all(factor > 0 for _, factor in part.terms)
    if not rising or (reader is not None and not _follows(host, part, reader, level, size)):
        return _Need(Index(), None, 0, None)
    start = Index.of(part.const)
    terms = tuple((str(axis), factor) for axis, factor in part.terms)
    for axis, factor in terms:
        start = start + _corner(host, reader, axis, level) * factor
    return _Need(start, terms, 0, reader)


def _follows(host: Group, part: Index, reader: str, level: str, size: int) -> bool:
    """Whether a region for this read holds what the reader reads also where the reader's own has been moved.

    Moved back from the end, the reader begins at the last place that it can: the region, moved too, may not
    begin behind what is read from there. Moved up to 0, the region must begin at 0 as well.
    """
    stage = next(placed.group.stage for placed in host.placed if placed.group.name == reader)
    needs = _needs(host, reader, level)
    extents = {axis.name: axis.extent for axis in (*stage.axes, *stage.reduce)}
    terms = {str(axis): factor for axis, factor in part.terms}
    moved = [axis for axis in terms if axis in needs and needs[axis][0].terms is not None]
    if len(moved) != 1:
        return not moved
    rest = sum((extents[axis] - 1) * factor for axis, factor in terms.items() if axis != moved[0])
    last = (extents[moved[0]] - 1) * terms[moved[0]] + part.const + rest
    return size - 1 <= last and (needs[moved[0]][0].start.const >= 0 or part.const <= 0)


def _corner(host: Group, reader: str | None, axis: str, level: str) -> Index:
    """Where a reader's axis stands at the corner of the host's tile."""
    if reader is not None:
        stage = next(placed.group.stage for placed in host.placed if placed.group.name == reader)
        if any(reduced.name == axis for reduced in stage.reduce):
            return Index()
        return _needs(host, reader, level)[axis][0].start
    if level != "r0" and any(reduced.name == axis for reduced in host.stage.reduce):
        return Index()
    return Index.of(axis)


@lru_cache(maxsize=4096)
def _reads(host: Group, name: str) -> tuple[tuple[tuple[Index, ...], str | None], ...]:
    """Every index at which a placed stage is read, and over whose axes it is written."""
    return tuple(_find_reads(host, name))


def _find_reads(host: Group, name: str) -> Iterator[tuple[tuple[Index, ...], str | None]]:
    for group, reader in ((host, None), *((p.group, p.group.name) for p in host.placed)):
        stage = group.stage
        for body in (stage.body, *(at(s.body, along(s, stage)) for s in group.epilogue)):
            yield from ((load.index, reader) for load in loads(body) if load.tensor == name)
