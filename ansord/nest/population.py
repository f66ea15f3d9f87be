"""Many candidates at once: one integer matrix over the task's knob table plus a sketch column.

Sampling, legality, mutation, features and scores are array operations on these rows, per block of
equal sketch. Only what is measured or shown becomes a Program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ansord.dag import Dag
from ansord.nest.knob import Knob, group_knobs, neutral, task_knobs
from ansord.nest.plan import plan_of, plans_within
from ansord.nest.program import Program
from ansord.nest.sketch import Group, Sketch
from ansord.nest.step import Define
from ansord.nest.target import Target
from ansord.nest.tiles import Number, Plan

Rows = NDArray[np.int64]
"""[candidates, 1 + knobs]: column 0 is the sketch's position in the space."""


@dataclass(frozen=True)
class Space:
    """Everything a task may become: its sketches and the one table of knobs."""

    dag: Dag
    sketches: tuple[Sketch, ...]
    target: Target

    @cached_property
    def knobs(self) -> tuple[Knob, ...]:
        """The union of the sketches' knobs."""
        return task_knobs(self.sketches, self.target)

    @cached_property
    def columns(self) -> dict[str, int]:
        """Knob name to matrix column."""
        return {knob.name: position for position, knob in enumerate(self.knobs, 1)}

    @cached_property
    def used(self) -> tuple[tuple[Knob, ...], ...]:
        """For each sketch the knobs that it uses, in table order."""
        return tuple(
            tuple(
                knob
                for group in sketch.everywhere
                for knob in group_knobs(group, self.target, group.name in sketch.hosts)
            )
            for sketch in self.sketches
        )

    @cached_property
    def uses(self) -> NDArray[np.bool_]:
        """[sketches, 1 + knobs]: which columns say something of a row of each sketch."""
        found = np.zeros((len(self.sketches), 1 + len(self.knobs)), bool)
        found[:, 0] = True
        for place, used in enumerate(self.used):
            found[place, [self.columns[knob.name] for knob in used]] = True
        return found

    @cached_property
    def neutral_row(self) -> Rows:
        """Every knob at its neutral value."""
        return np.array([0, *(neutral(knob.name) for knob in self.knobs)], dtype=np.int64)

    def plans(self, nest: Group, rows: Rows) -> dict[str, Plan]:
        """The tiles of a group at the root and of those placed in it, by name, for rows that have it."""
        return plans_within(nest, self.target, self._reader(rows))

    def plan(self, group: Group, rows: Rows, region: Mapping[str, Number] | None = None) -> Plan:
        """The tiles of one group for rows of whatever sketches have it; `region` as for a placed one."""
        return plan_of(group, self.target, self._reader(rows), region or {})

    def _reader(self, rows: Rows) -> Callable[[str], Number]:
        def column(name: str) -> Number:
            position = self.columns.get(name)
            return rows[:, position] if position is not None else np.full(len(rows), neutral(name))

        return column

    @cached_property
    def notes(self) -> dict[str, Any]:
        """What the rooms above work out once for a space, under names of their own."""
        return {}

    def blocks(self, rows: Rows) -> Iterator[tuple[int, Rows]]:
        """Sketch position and the positions of its rows."""
        for sketch in np.unique(rows[:, 0]):
            yield int(sketch), np.flatnonzero(rows[:, 0] == sketch)

    def program(self, row: Rows) -> Program:
        """One row as a Program."""
        used = self.used[int(row[0])]
        values = tuple((knob.name, int(row[self.columns[knob.name]])) for knob in used)
        return Program(self.sketches[int(row[0])], self.target, values)

    @property
    def no_rows(self) -> Rows:
        """A population of nobody."""
        return np.empty((0, 1 + len(self.knobs)), np.int64)

    @cached_property
    def definitions(self) -> tuple[list[int], ...]:
        """The positions of the sketches of each definition of the task."""
        found: dict[tuple[Define, ...], list[int]] = {}
        for place, sketch in enumerate(self.sketches):
            found.setdefault(sketch.definition, []).append(place)
        return tuple(found.values())

    def row(self, program: Program) -> Rows | None:
        """The row of a program; None where the space lacks its sketch."""
        place = self._places.get(str(program.sketch))
        return None if place is None else self._row(place, program.values)

    def read(self, text: str) -> Rows | None:
        """The row of a program's text, whose structure is not parsed: that takes milliseconds. None where the
        space lacks its sketch, and for what is no program. It may be of a task that has an axis more or less,
        such as one for images."""
        structure, _, numbers = text.partition(" | ")
        pairs = [pair.partition("=") for pair in numbers.split()]
        if not all(value.removeprefix("-").isdecimal() and len(value) < 19 for _, _, value in pairs):
            return None
        values = [(name, int(value)) for name, _, value in pairs]
        place = self._places.get(structure)
        return None if place is None else self._row(place, _counted(values, self.used[place]))

    def _row(self, place: int, values: Sequence[tuple[str, int]]) -> Rows:
        row = self.neutral_row.copy()
        row[0] = place
        for name, value in values:
            if name in self.columns:
                row[self.columns[name]] = value
        return row

    @cached_property
    def _places(self) -> dict[str, int]:
        """Each sketch's position, by its text: that is short, and comparing structures is not."""
        return {str(sketch): place for place, sketch in enumerate(self.sketches)}

    def canonical(self, rows: Rows) -> Rows:
        """The same programs with every number cut to what it does, so that doubles are equal rows."""
        return self.cleaned(rows)[0]

    def cleaned(self, rows: Rows) -> tuple[Rows, list[tuple[Group, Rows, dict[str, Plan]]]]:
        """The rows in canonical form; each nest of some sketches, with the positions of their rows and the
        plans of its groups there."""
        low, high = self._ranges
        clean = np.clip(rows, low[rows[:, 0]], high[rows[:, 0]])
        clean[:, 0] = rows[:, 0]
        found = []
        for nest, where in self.nests(rows):
            block = clean[where]
            made = self.plans(nest, block)
            for group in nest.within:
                _cut(group.name, made[group.name], block, self._columns_of[nest][group.name])
            clean[where] = block
            found.append((nest, where, made))
        return clean, found

    def nests(self, rows: Rows) -> Iterator[tuple[Group, Rows]]:
        """Each group at the root of some sketch, with the positions of the rows of all that have it: what
        sketches have in common is worked out once."""
        here = np.unique(rows[:, 0])
        for nest, of in self._nests.items():
            if of[here].any():
                yield nest, np.flatnonzero(of[rows[:, 0]])

    @cached_property
    def _nests(self) -> dict[Group, NDArray[np.bool_]]:
        """[sketches] for each group at the root: which of them have it."""
        found: dict[Group, NDArray[np.bool_]] = {}
        for place, sketch in enumerate(self.sketches):
            for group in sketch.groups:
                if not group.prepared:
                    found.setdefault(group, np.zeros(len(self.sketches), bool))[place] = True
        return found

    @cached_property
    def _columns_of(self) -> dict[Group, dict[str, dict[str, int]]]:
        """For each group at the root the columns of the knobs that it and those placed in it use, by name."""
        return {
            nest: {
                group.name: {
                    knob.name: self.columns[knob.name]
                    for knob in group_knobs(group, self.target, group is not nest)
                }
                for group in nest.within
            }
            for nest in self._nests
        }

    @cached_property
    def _ranges(self) -> tuple[Rows, Rows]:
        """[sketches, 1 + knobs] twice: the least and the largest number; the neutral one of unused knobs."""
        low = np.tile(self.neutral_row, (len(self.sketches), 1))
        high = low.copy()
        for place, used in enumerate(self.used):
            for knob in used:
                column = self.columns[knob.name]
                low[place, column], high[place, column] = knob.low, knob.high
        return low, high


def _counted(values: Sequence[tuple[str, int]], used: Sequence[Knob]) -> list[tuple[str, int]]:
    """The values, with axes that are meant by position counted as `used` counts them."""
    theirs, ours = _blocks(name for name, _ in values), _blocks(knob.name for knob in used)
    found = []
    for name, value in values:
        group, _, kind = name.partition(".")
        axes, own = theirs.get(group, []), ours.get(group, [])
        if kind in ("vector", "first") and axes != own and value < len(axes) and axes[value] in own:
            value = own.index(axes[value])
        found.append((name, value))
    return found


def _blocks(names: Iterable[str]) -> dict[str, list[str]]:
    """Per group the axes that have blocks, in their order."""
    found: dict[str, list[str]] = {}
    for name in names:
        group, _, rest = name.partition(".block.")
        if rest:
            found.setdefault(group, []).append(rest)
    return found


def _cut(group: str, tiles: Plan, rows: Rows, columns: Mapping[str, int]) -> None:
    """Cuts one group's numbers, in place; `columns` are those of the knobs in use."""

    def put(kind: str, axis: str, values: Rows) -> None:
        column = columns.get(f"{group}.{kind}.{axis}" if axis else f"{group}.{kind}")
        if column is not None:
            rows[:, column] = values

    for name, axis in tiles.spatial.items():
        put("block", name, axis.block // axis.lanes)
        put("middle", name, axis.blocks)
        put("outer", name, axis.tiles)
    for name, reduced in tiles.reduce.items():
        put("block", name, reduced.block // reduced.lanes)
        put("reduce", name, reduced.tile // reduced.block)
    # Few lanes, shifted, can be one lane: scalar by another name.
    scalar = tiles.lanes == 1
    put("scalar", "", np.asarray(scalar, dtype=np.int64))
    put("shift", "", np.where(scalar, 0, rows[:, columns[f"{group}.shift"]]))
    for kind in ("pin", "stream", "prefetch"):  # of vectors only
        put(kind, "", np.where(scalar, 0, np.asarray(getattr(tiles, kind))))
    counts = np.stack(
        [np.broadcast_to(axis.chunks, len(rows)) for axis in tiles.spatial.values()]
        or [np.ones(len(rows))]
    )
    looping = counts > 1
    put("parallel", "", np.minimum(np.asarray(tiles.parallel), looping.sum(axis=0)))
    # Which loop comes first matters only where it loops, and the first that loops is first anyway.
    put("first", "", _order(np.asarray(tiles.first), looping))
    if len(tiles.reduce) > 1:
        chunked = (
            np.stack([np.broadcast_to(axis.chunks, len(rows)) for axis in tiles.reduce.values()]) > 1
        )
        put("outermost", "", _order(np.asarray(tiles.outermost), chunked))


def _order(first: Rows, looping: NDArray[np.bool_]) -> Rows:
    first = np.minimum(first, len(looping) - 1)
    matters = looping[first, np.arange(looping.shape[1])]
    natural = np.argmax(looping, axis=0)
    return np.where(matters & (first != natural), first, 0)


def distinct(rows: Rows, known: set[bytes] | None = None) -> Rows:
    """The rows without doubles and without those whose bytes are in `known`, in their order."""
    seen = set() if known is None else set(known)
    keep = []
    for position, row in enumerate(rows):
        key = row.tobytes()
        if key not in seen:
            seen.add(key)
            keep.append(position)
    return rows[keep]
