"""The search that does not search: what every other has to beat."""

from __future__ import annotations

from ansord.nest import Program
from ansord.search.proposer import Proposer
from ansord.sketch import annotate


class AtRandom(Proposer):
    """Random annotations of all sketches, none twice; nothing is learned."""

    def __post_init__(self) -> None:
        """Nothing is known before, either."""

    def learn(self) -> None:
        """Nothing."""

    def propose(self, count: int) -> list[Program]:
        """Up to `count` programs that were not tried."""
        known = self.known
        rows = annotate(self.space, 4 * count, self.rng)
        return [self.space.program(row) for row in rows if row.tobytes() not in known][:count]
