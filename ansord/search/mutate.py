"""Mutation and crossover of whole populations: array operations, no Python per candidate.

Children are raw: the caller brings them to canonical form and drops what is not legal.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ansord.nest import Rows, Space
from ansord.sketch import draw, refilled

MOVES = ("scale", "step", "exchange", "redraw", "sketch")
WEIGHTS = (0.35, 0.2, 0.25, 0.15, 0.05)
"""Tile moves are nine tenths, as in Ansor; placement and structure the rest."""
AKIN = 0.5
"""Share of the jumps between sketches that go to one with as few other steps as there is."""
TILES = ("block", "middle", "outer", "reduce")


def mutate(space: Space, parents: Rows, rng: Generator, among: Sequence[int] | None = None) -> Rows:
    """One child per parent, each by one random move on one random knob that its sketch uses.

    A child that changes its sketch takes one `among` the given ones, and draws the numbers that it had not.
    """
    others = np.arange(len(space.sketches)) if among is None else np.asarray(among)
    children = parents.copy()
    moves = rng.choice(len(MOVES), size=len(parents), p=WEIGHTS)
    for sketch, where in space.blocks(parents):
        used = space.used[sketch]
        tiles = [knob for knob in used if knob.kind in TILES and knob.high > knob.low]
        columns = np.array([space.columns[knob.name] for knob in tiles], dtype=np.int64)
        for move, name in enumerate(MOVES):
            chosen = where[moves[where] == move]
            if name == "redraw" or (not len(columns) and name != "sketch"):
                _redraw(space, sketch, children, chosen, rng)
            elif name == "sketch":
                odds = _odds(space, sketch, others)
                children[chosen, 0] = rng.choice(others, size=len(chosen), p=odds)
            elif len(chosen):
                _move(children, chosen, columns, name, rng)
    return refilled(space, children, parents[:, 0], rng)


def _odds(space: Space, sketch: int, others: Rows) -> NDArray[np.float64]:
    """How probable each of the `others` is as the sketch after this one."""
    apart = np.where(others == sketch, np.inf, _apart(space)[sketch, others])
    akin = (apart == apart.min()) / np.sum(apart == apart.min())
    return np.asarray(AKIN * akin + (1 - AKIN) / len(others))


def _apart(space: Space) -> NDArray[np.int64]:
    """[sketches, sketches]: how many steps one has and the other has not."""
    if "apart" not in space.notes:
        steps = [set(sketch.steps) for sketch in space.sketches]
        space.notes["apart"] = np.array([[len(one ^ other) for other in steps] for one in steps])
    found: NDArray[np.int64] = space.notes["apart"]
    return found


def _move(children: Rows, chosen: Rows, columns: Rows, move: str, rng: Generator) -> None:
    picked = columns[rng.integers(0, len(columns), size=len(chosen))]
    values = children[chosen, picked]
    up = rng.random(len(chosen)) < 0.5
    if move == "step":
        children[chosen, picked] = np.maximum(1, values + np.where(up, 1, -1))
        return
    factor = rng.choice(np.array([2, 2, 2, 3, 4]), size=len(chosen))
    children[chosen, picked] = np.where(up, values * factor, np.maximum(1, values // factor))
    if move == "exchange":
        # The factor moves to another tile, so that the product stays nearly what it was.
        other = columns[rng.integers(0, len(columns), size=len(chosen))]
        rest = children[chosen, other]
        children[chosen, other] = np.where(up, np.maximum(1, rest // factor), rest * factor)


def _redraw(space: Space, sketch: int, children: Rows, chosen: Rows, rng: Generator) -> None:
    used = space.used[sketch]
    groups = {group.name: group for group in space.sketches[sketch].everywhere}
    picked = rng.integers(0, len(used), size=len(chosen))
    for position in np.unique(picked):
        knob = used[position]
        rows = chosen[picked == position]
        children[rows, space.columns[knob.name]] = draw(space, groups[knob.group], knob, len(rows), rng)


def cross(space: Space, mothers: Rows, fathers: Rows, rng: Generator) -> Rows:
    """Children of pairs, row by row: for every group of the mother's sketch a coin decides whose numbers.
    What says nothing of the father remains the mother's.

    Where a task has one group only, the coin is thrown for each axis and kind instead.
    """
    children = mothers.copy()
    for sketch, where in space.blocks(mothers):
        used = space.used[sketch]
        single = len(space.sketches[sketch].everywhere) == 1
        nodes: dict[str, list[int]] = {}
        for knob in used:
            node = f"{knob.kind if not knob.axis else knob.axis}" if single else knob.group
            nodes.setdefault(node, []).append(space.columns[knob.name])
        for columns in nodes.values():
            taken = where[rng.random(len(where)) < 0.5]
            place = np.ix_(taken, np.asarray(columns, dtype=np.int64))
            has = space.uses[fathers[taken, 0]][:, columns]
            children[place] = np.where(has, fathers[place], mothers[place])
    return children
