"""Random annotation: sketches filled with numbers, many rows at a time, valid by construction or dropped."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
from numpy.random import Generator

from ansord.nest import WINDOW_LIMIT, Group, Knob, Rows, Space, distinct, vector_axes
from ansord.sketch.legal import registers, usable

ROUNDS = 6
"""Attempts to fill a population; tiny spaces have fewer programs than were asked for."""

SCALAR = 1 / 16
"""Share of rows without vectors: hardly ever the best, but the only ones where lanes are too much text."""


def annotate(space: Space, count: int, rng: Generator, among: Sequence[int] | None = None) -> Rows:
    """Up to `count` distinct legal rows, spread evenly over the sketches (those `among`, where given)."""
    sketches = range(len(space.sketches)) if among is None else among
    found = space.no_rows
    for _ in range(ROUNDS):
        missing = count - len(found)
        if missing <= 0:
            break
        per_sketch = -(-2 * missing // len(sketches))
        drawn = [_draw(space, sketch, per_sketch, rng) for sketch in sketches]
        rows = usable(space, np.concatenate(drawn))
        found = distinct(np.concatenate([found, rows[rng.permutation(len(rows))]]))
    return found[:count]


def _draw(space: Space, sketch: int, count: int, rng: Generator) -> Rows:
    rows = np.tile(space.neutral_row, (count, 1))
    rows[:, 0] = sketch
    groups = {group.name: group for group in space.sketches[sketch].everywhere}
    for knob in space.used[sketch]:
        rows[:, space.columns[knob.name]] = draw(space, groups[knob.group], knob, count, rng)
    for group in groups.values():
        _fit_registers(space, group, rows, rng)
    return rows


def refilled(space: Space, rows: Rows, before: Rows, rng: Generator) -> Rows:
    """Rows that had the sketches `before`: numbers that say something only since are drawn. A stage that has
    just got loops of its own would have one scalar a turn otherwise, on one thread."""
    made = rows.copy()
    changed = np.flatnonzero(rows[:, 0] != before)
    for sketch, places in space.blocks(rows[changed]):
        where = changed[places]
        drawn = _draw(space, sketch, len(where), rng)
        made[where] = np.where(space.uses[before[where]], rows[where], drawn)
    return made


def _fit_registers(space: Space, group: Group, rows: Rows, rng: Generator) -> None:
    """Cuts the sides of the register block, in random order, to what the registers still hold: nearly all
    blocks drawn side by side would not fit."""
    units = prod(group.stage.unit(name) or 1 for name, _ in group.stage.units)
    room = np.full(len(rows), max(1, registers(space.target, group) // units))
    free = [axis.name for axis in group.stage.axes if group.stage.unit(axis.name) is None]
    for position in rng.permutation(len(free)):
        column = space.columns[f"{group.name}.block.{free[position]}"]
        rows[:, column] = np.minimum(rows[:, column], room)
        room = np.maximum(1, room // rows[:, column])


def draw(space: Space, group: Group, knob: Knob, count: int, rng: Generator) -> Rows:
    """Random values of one knob: tile counts log-uniformly, choices evenly."""
    match knob.kind:
        case "vector":
            axes = vector_axes(group) or (0,)
            return rng.choice(np.asarray(axes), size=count)
        case "scalar":
            lone = not vector_axes(group)
            return (rng.random(count) < (1.0 if lone else SCALAR)).astype(np.int64)
        case "shift":
            return rng.choice(np.arange(knob.high + 1), size=count, p=_decreasing(knob.high + 1))
        case "block" if any(axis.name == knob.axis for axis in group.stage.reduce):
            return _written_out(group, knob, count, rng)
        case "block" | "middle" | "outer" | "reduce":
            return log_uniform(knob.low, knob.high, count, rng)
    return rng.integers(knob.low, knob.high + 1, size=count)


def _written_out(group: Group, knob: Knob, count: int, rng: Generator) -> Rows:
    """A reduce axis stays a loop, or is written out by a divisor; as vector axis it gets accumulators."""
    extent = next(axis.extent for axis in group.stage.reduce if axis.name == knob.axis)
    divisors = [n for n in range(1, WINDOW_LIMIT + 1) if extent % n == 0]
    whole = rng.random(count) < 0.5
    return np.where(whole, 1, rng.choice(np.asarray(divisors), size=count))


def log_uniform(low: int, high: int, count: int, rng: Generator) -> Rows:
    """Integers whose logarithm is uniform in low … high."""
    drawn = np.exp(rng.uniform(np.log(low), np.log(high + 1), size=count))
    return np.clip(drawn.astype(np.int64), low, high)


def _decreasing(count: int) -> list[float]:
    weights = [0.5**position for position in range(count)]
    return [weight / sum(weights) for weight in weights]
