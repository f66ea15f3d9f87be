"""Coordinate descent: every program that differs from good ones in a single number."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from ansord.nest import Knob, Rows, Space
from ansord.search.mutate import TILES
from ansord.sketch import refilled, usable

DRAWS = 4
"""Times that a row is tried in each other sketch, with what it lacks there drawn anew."""


def neighbours(space: Space, rows: Rows, rng: Generator) -> Rows:
    """The legal rows one step from one of `rows`: a tile one more or less, doubled or halved, another choice;
    and the same numbers in every other sketch, those that it has not at random."""
    changed = []
    for row in rows:
        for knob in space.used[int(row[0])]:
            column = space.columns[knob.name]
            for value in _steps(knob, int(row[column])):
                one = row.copy()
                one[column] = value
                changed.append(one)
    others = np.repeat(rows, DRAWS * len(space.sketches), axis=0)
    before = others[:, 0].copy()
    others[:, 0] = np.arange(len(others)) % len(space.sketches)
    others = refilled(space, others, before, rng)
    found = np.concatenate([np.array(changed, np.int64).reshape(-1, rows.shape[1]), others])
    return usable(space, found, {row.tobytes() for row in rows})


def _steps(knob: Knob, value: int) -> list[int]:
    if knob.kind in TILES:
        wanted = {value - 1, value + 1, 2 * value, value // 2}
    else:
        wanted = set(range(knob.low, knob.high + 1))
    return sorted(one for one in wanted - {value} if knob.low <= one <= knob.high)
