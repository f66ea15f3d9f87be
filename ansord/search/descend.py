"""Coordinate descent: every program that differs from a good one in a single number."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from ansord.nest import Knob, Rows, Space
from ansord.search.mutate import TILES
from ansord.sketch import refilled, usable

DRAWS = 4
"""Times that a row is tried in each other sketch, with what it lacks there drawn anew."""


def neighbours(space: Space, row: Rows, rng: Generator) -> Rows:
    """The legal rows one step from `row`: a tile one more or less, doubled or halved, another choice; and the
    same numbers in every other sketch, those that it has not at random."""
    changed = []
    for knob in space.used[int(row[0])]:
        column = space.columns[knob.name]
        for value in _steps(knob, int(row[column])):
            one = row.copy()
            one[column] = value
            changed.append(one)
    others = np.tile(row, (DRAWS * len(space.sketches), 1))
    others[:, 0] = np.arange(len(others)) % len(space.sketches)
    others = refilled(space, others, np.full(len(others), row[0]), rng)
    return usable(space, np.stack([*changed, *others]), {row.tobytes()})


def _steps(knob: Knob, value: int) -> list[int]:
    if knob.kind in TILES:
        wanted = {value - 1, value + 1, 2 * value, value // 2}
    else:
        wanted = set(range(knob.low, knob.high + 1))
    return sorted(one for one in wanted - {value} if knob.low <= one <= knob.high)
