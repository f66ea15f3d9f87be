"""Where each value of a plan lies in one block of memory: values that are never needed together share bytes.

Pure; planned once per model, before any memory is there. Views lie where what they view lies.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ansord_client.models.graph import Tensor
from ansord_client.models.plan import Plan, View

ALIGNMENT = 64
"""Bytes: a cache line, and the widest vector."""


@dataclass(frozen=True, slots=True)
class Life:
    """Bytes that are needed from step `first`, which writes them, to step `last`, both included."""

    first: int
    last: int
    size: int

    def meets(self, other: Life) -> bool:
        """Whether there is a step at which both are needed: one that reads this and writes that is one."""
        return self.first <= other.last and other.first <= self.last


@dataclass(frozen=True)
class Layout:
    """`offsets` of the values that lie in the arena, views included, in bytes of a block of `size`."""

    offsets: Mapping[str, int]
    size: int


def layout(plan: Plan) -> Layout:
    """Places for what `plan.steps` compute, but for what only lives outside: inputs, constants, their views,
    and elements that are no plain numbers."""
    roots = _roots(plan)
    lives = _lives(plan, roots)
    places = packed(lives)
    size = max((places[name] + life.size for name, life in lives.items()), default=0)
    return Layout({name: places[root] for name, root in roots.items()}, size)


def packed(lives: Mapping[str, Life]) -> dict[str, int]:
    """Offsets, the largest first, each in the smallest gap between those that it meets.

    Greedy by size: Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference" (2020).
    """
    offsets: dict[str, int] = {}
    for name in sorted(lives, key=lambda one: (-lives[one].size, lives[one].first)):
        life = lives[name]
        met = sorted((offsets[one], lives[one].size) for one in offsets if lives[one].meets(life))
        best, best_gap, end = None, math.inf, 0
        for start, size in met:
            if life.size <= start - end < best_gap:
                best, best_gap = end, start - end
            end = max(end, start + size)
        offsets[name] = end if best is None else best
    return offsets


def storable(tensor: Tensor) -> bool:
    """Whether its elements are plain numbers."""
    try:
        return np.dtype(tensor.dtype).kind in "biufc"
    except TypeError:
        return False


def nbytes(tensor: Tensor) -> int:
    """Of all elements."""
    return math.prod(tensor.shape) * np.dtype(tensor.dtype).itemsize


def whole(size: int) -> int:
    """So many bytes and the rest of the last line, so that what follows is aligned too."""
    return -(-size // ALIGNMENT) * ALIGNMENT


def _roots(plan: Plan) -> dict[str, str]:
    """Per value in the arena, the value whose bytes it is."""
    roots: dict[str, str] = {}
    for step in plan.steps:
        if isinstance(step, View):
            if step.arg in roots:
                roots[step.result] = roots[step.arg]
            continue
        roots.update((name, name) for name in step.results if name and storable(plan.values[name]))
    return roots


def _lives(plan: Plan, roots: Mapping[str, str]) -> dict[str, Life]:
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for number, step in enumerate(plan.steps):
        for name in (*step.args, *step.results):
            if name in roots:
                first.setdefault(roots[name], number)
                last[roots[name]] = number
    for name in plan.outputs:
        if name in roots:
            last[roots[name]] = len(plan.steps)
    sizes = {root: whole(nbytes(plan.values[root])) for root in first}
    return {root: Life(first[root], last[root], sizes[root]) for root in first}
