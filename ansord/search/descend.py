"""Coordinate descent: every program that differs from a good one in a single number. Pure."""

from __future__ import annotations

import numpy as np

from ansord.nest import Knob, Rows, Space
from ansord.search.mutate import TILES
from ansord.sketch import usable


def neighbours(space: Space, row: Rows) -> Rows:
    """The legal rows one step from `row`: a tile one more or less, doubled or halved, another choice; and the
    same numbers in every other sketch."""
    changed = []
    for knob in space.used[int(row[0])]:
        column = space.columns[knob.name]
        for value in _steps(knob, int(row[column])):
            one = row.copy()
            one[column] = value
            changed.append(one)
    for sketch in range(len(space.sketches)):
        other = row.copy()
        other[0] = sketch
        changed.append(other)
    return usable(space, np.stack(changed), {row.tobytes()})


def _steps(knob: Knob, value: int) -> list[int]:
    if knob.kind in TILES:
        wanted = {value - 1, value + 1, 2 * value, value // 2}
    else:
        wanted = set(range(knob.low, knob.high + 1))
    return sorted(one for one in wanted - {value} if knob.low <= one <= knob.high)
