"""Which of the ranked candidates are measured: the best, but not all alike, and a few at random."""

from __future__ import annotations

from collections import Counter

import numpy as np

from ansord.nest import Rows, Space
from ansord.search.evolve import Ranked

GREEDY = 0.05
"""Share of a batch that is drawn at random (Ansor's eps_greedy)."""
ALIKE = 1 / 3
"""Share of a batch that may have one register block: without this, free evolution loses diversity."""


def pick(space: Space, ranked: Ranked, fresh: Rows, count: int) -> Rows:
    """Up to `count` rows: the best ranked, at most a third with equal register blocks, then random ones."""
    random = max(1, round(GREEDY * count)) if count > 4 else 0
    limit = max(1, int(ALIKE * count))
    blocks = Counter[bytes]()
    chosen: list[int] = []
    passed: list[int] = []
    for position, key in enumerate(_block_keys(space, ranked.rows)):
        if len(chosen) >= count - random:
            break
        if blocks[key] < limit:
            blocks[key] += 1
            chosen.append(position)
        else:
            passed.append(position)
    rest = passed + [p for p in range(len(ranked.rows)) if p not in set(chosen) | set(passed)]
    chosen += rest[: max(0, count - random - len(chosen))]
    taken = {ranked.rows[position].tobytes() for position in chosen}
    others = [row for row in fresh if row.tobytes() not in taken][: count - len(chosen)]
    rows = [*ranked.rows[chosen], *others]
    return np.stack(rows) if rows else ranked.rows[:0]


def _block_keys(space: Space, rows: Rows) -> list[bytes]:
    columns = [
        0,
        *(space.columns[k.name] for k in space.knobs if k.kind in ("block", "vector", "shift", "scalar")),
    ]
    return [row[columns].tobytes() for row in rows]
