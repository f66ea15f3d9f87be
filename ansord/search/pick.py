"""Which of the ranked candidates are measured: the best, but not all alike, some near the best that was
measured once progress stalls, and a few at random."""

from __future__ import annotations

from collections import Counter

import numpy as np

from ansord.nest import Rows, Space
from ansord.search.evolve import Ranked

ALIKE = 1 / 3
"""Share of a batch that may have one register block: without this, free evolution loses diversity."""
NEAR = 0.5
"""Share of a batch that comes first whatever its rank: near the best, or carried over from similar tasks."""


def pick(
    space: Space, ranked: Ranked, fresh: Rows, count: int, random: int = 0, near: Rows | None = None
) -> Rows:
    """Up to `count` rows: of those `near` something good, then the best ranked, at most a third with equal
    register blocks, then `random` ones of those `fresh`."""
    close = ranked.rows[:0] if near is None else near
    limit = max(1, int(ALIKE * count))
    taken: dict[bytes, Rows] = {row.tobytes(): row for row in close[: int(NEAR * count)]}
    blocks = Counter[bytes]()
    passed: list[Rows] = []
    for row, key in zip(ranked.rows, _block_keys(space, ranked.rows), strict=True):
        if len(taken) >= count - random:
            break
        if blocks[key] < limit:
            blocks[key] += 1
            taken.setdefault(row.tobytes(), row)
        else:
            passed.append(row)
    # Where not enough differ, those alike come in their order; then what is random, then what is left.
    alike = (*passed, *close, *ranked.rows)
    for rows, most in ((alike, count - random), (fresh, count), (alike, count)):
        for row in rows:
            if len(taken) >= most:
                break
            taken.setdefault(row.tobytes(), row)
    return np.stack(list(taken.values())) if taken else ranked.rows[:0]


def _block_keys(space: Space, rows: Rows) -> list[bytes]:
    columns = [
        0,
        *(space.columns[k.name] for k in space.knobs if k.kind in ("block", "vector", "shift", "scalar")),
    ]
    return [row.tobytes() for row in np.ascontiguousarray(rows[:, columns])]
