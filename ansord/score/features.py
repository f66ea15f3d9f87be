"""The named, versioned table of features: one row of numbers per candidate, by array operations.

A program's row holds the features of its two heaviest groups and the totals of all. Sizes enter as
logarithms; trees do not care, people reading them do.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ansord.nest import Group, Plan, Rows, Space, operations
from ansord.score.estimate import Estimate, Share, estimate, share

VERSION = 1
GROUP_FEATURES = (
    "cycles", "compute", "l2", "l3", "memory", "accumulators", "rows", "vectors", "loads", "efficiency",
    "spilled", "waste", "balance", "chunks", "inner", "outer", "steps", "through_memory",
    "lanes", "first", "outermost", "parallel", "unroll", "pin", "vector",
)  # fmt: skip
"""Per group: the parts of the estimate, then the plain choices. Meanings in `Estimate` and `Knob`."""
TOTALS = ("total_cycles", "groups", "sketch")
NAMES = (*(f"{rank}.{name}" for rank in ("main", "next") for name in GROUP_FEATURES), *TOTALS)
_LOGARITHMS = {"cycles", "compute", "l2", "l3", "memory", "chunks", "inner", "outer", "steps"}


def features(space: Space, rows: Rows) -> NDArray[np.float64]:
    """[rows, NAMES]; column `total_cycles` is the logarithm of the estimate of the whole program."""
    result = np.zeros((len(rows), len(NAMES)))
    for sketch, where in space.blocks(rows):
        groups = space.sketches[sketch].everywhere
        heavy = sorted(groups, key=lambda g: -g.stage.points * operations(g))[:2]
        total = np.zeros(len(where))
        plans = space.plans(sketch, rows[where])
        for group in groups:
            tiles = plans[group.name]
            costs = estimate(space, group, tiles, len(where), _share(space, sketch, group, plans, len(where)))
            total += costs.cycles
            if group in heavy:
                start = heavy.index(group) * len(GROUP_FEATURES)
                choices = {name: getattr(tiles, name) for name in GROUP_FEATURES if not hasattr(costs, name)}
                result[where, start : start + len(GROUP_FEATURES)] = _columns(costs, choices, len(where))
        result[where, -3:] = np.stack(
            [np.log(total), np.full(len(where), len(groups)), np.full(len(where), sketch)], 1
        )
    return result


def _share(space: Space, sketch: int, group: Group, plans: dict[str, Plan], count: int) -> Share | None:
    host = space.sketches[sketch].hosts.get(group.name)
    if host is None:
        return None
    level = next(placed.level for placed in host.placed if placed.group.name == group.name)
    return share(space, plans[host.name], level, count)


def _columns(costs: Estimate, choices: dict[str, object], count: int) -> NDArray[np.float64]:
    columns = []
    for name in GROUP_FEATURES:
        value = np.asarray(choices[name] if name in choices else getattr(costs, name), dtype=np.float64)
        value = np.broadcast_to(value, count)
        columns.append(np.log1p(value) if name in _LOGARITHMS else value)
    return np.stack(columns, axis=1)


def paper_cycles(space: Space, rows: Rows) -> NDArray[np.float64]:
    """The estimate of whole programs alone, in cycles."""
    return np.asarray(np.exp(features(space, rows)[:, NAMES.index("total_cycles")]))
