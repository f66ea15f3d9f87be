"""One task on the test stand: is this kernel right, how fast is it, is it faster than that one.

`tune` calls `run` for every candidate and `race` before it replaces a published kernel. The work is done in
the child processes of the stand.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import anyio

from ansord.measure.statistics import latency, median_interval, settled
from ansord.measure.values import Budget, Candidate, Paired, Race
from ansord.record import Crashed, Measured, Outcome, TimedOut, WrongAnswer
from ansord_client.subgraph import Subgraph

if TYPE_CHECKING:
    from ansord.measure.stand import Stand

BURST_S = 0.05  # compilers are held still for no longer at a time
REST_S = 0.02
SLOWEST_FLOPS, SLOWEST_BYTES = 2e8, 5e7  # a kernel slower than both on top of the grace is hung
GRACE_S, BURST_GRACE_S = 5.0, 3.0
FEWEST = 2  # undisturbed samples that are better than many disturbed ones
PROCESSES, MOST_PROCESSES, BLOCKS_EACH, FEWEST_BLOCKS = 3, 6, 10, 8
RACE_S = 1.0
HALF_WIDTH = 0.005
PLAIN = math.log(0.95)  # a win by more than this needs no further processes: layouts differ by 1 or 2%


class Runner:
    """Checks and times kernels of `subgraph` on `stand`; made by `Stand.runner`."""

    def __init__(self, subgraph: Subgraph, stand: Stand) -> None:
        self.subgraph = subgraph
        self.stand = stand
        self._folder: Path | None = None

    async def __aenter__(self) -> Self:
        self._folder = await self.stand.answers.of(self.subgraph)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._folder = None

    async def check_only(self, candidate: Candidate, limit_s: float | None = None) -> Outcome | None:
        """What is wrong with it; None if it is right."""
        async with self.stand.turn:
            answer = await self._check(candidate, limit_s, whole=True)
        return None if isinstance(answer, dict) else answer

    async def run(self, candidate: Candidate, budget: Budget = Budget()) -> Outcome:  # noqa: B008 - frozen
        """Check it, then time it. One that turns out slower than the best known is checked on normal inputs
        alone: it is not served, and most of what a slow kernel's trial takes is its checks."""
        async with self.stand.turn:
            checked = await self._check(candidate, budget.limit_s, whole=budget.best is None)
            if not isinstance(checked, dict):
                return checked
            outcome = await self._time(checked["took_s"], budget)
            if budget.best is None or not isinstance(outcome, Measured) or outcome.seconds > budget.best:
                return outcome
            rest = self._judged(await self.stand.order({"op": "rest"}, budget.limit_s or self.limit_s))
            return outcome if isinstance(rest, dict) else rest

    async def _check(
        self, candidate: Candidate, limit_s: float | None, *, whole: bool
    ) -> dict[str, Any] | Outcome:
        order = {"op": "check", "task": str(self._folder), "candidate": candidate.order(), "whole": whole}
        return self._judged(await self.stand.order(order, limit_s or self.limit_s))

    @staticmethod
    def _judged(answer: dict[str, Any] | Crashed | TimedOut) -> dict[str, Any] | Outcome:
        return WrongAnswer(answer["wrong"]) if isinstance(answer, dict) and answer["wrong"] else answer

    @property
    def limit_s(self) -> float:
        """How long the check of a kernel may take before it counts as hung."""
        return GRACE_S + 3 * (self.subgraph.flops / SLOWEST_FLOPS + self._bytes() / SLOWEST_BYTES)

    def _bytes(self) -> int:
        tensors = [*self.subgraph.inputs, *(self.subgraph.tensor(name) for name in self.subgraph.outputs)]
        return sum(8 * math.prod(tensor.shape) for tensor in tensors)

    async def _time(self, took_s: float, budget: Budget) -> Outcome:
        patience = min(budget.patience_s, self.stand.patience_s)
        started = time.monotonic()
        limit_s = BURST_GRACE_S + 20 * took_s
        while True:
            order = {
                "op": "burst",
                "limit_s": BURST_S,
                "burst_s": BURST_S,
                "last": time.monotonic() - started + BURST_S > patience,
                "best": budget.best,
                "cold": budget.cold,
                "cache_bytes": self.stand.cache_bytes,
            }
            async with self.stand.quiet():
                answer = await self.stand.order(order, limit_s)
            if not isinstance(answer, dict):
                return answer
            if answer["done"]:
                break
            await anyio.sleep(REST_S)
        if answer["wrong"]:
            return WrongAnswer(answer["wrong"])
        self.stand.settle_patience(time.monotonic() - started, not answer["enough"])
        return self._measured(answer)

    @staticmethod
    def _measured(answer: dict[str, Any]) -> Measured:
        noisy = not answer["enough"]
        samples = answer["accepted"]
        if len(samples) >= FEWEST:
            return Measured(latency(samples), tuple(samples), noisy, answer["thrown"])
        samples = [*samples, *answer["rejected"]]
        # A disturbance only ever adds time, so the least disturbed of them says most.
        return Measured(min(samples), tuple(samples), noisy, answer["thrown"])

    async def race(
        self, field: Sequence[Candidate], enough: float = 1.0, *, cold: bool = False
    ) -> Race | Crashed | TimedOut | WrongAnswer:
        """All of `field`, known to be right, in turn and back, in at least three fresh processes: address
        layouts differ between processes, and a kernel must not win by one. A race of two goes on until the
        interval is within ±0.5%, or beside the ratio that is `enough`; earlier where the win is plain.

        An outcome instead of a Race is the failure of somebody in the field.
        """
        logs: list[list[float]] = []
        disturbed: list[list[float]] = []
        async with self.stand.turn:
            for process in range(MOST_PROCESSES if len(field) == 2 else PROCESSES):
                if len(logs) >= FEWEST_BLOCKS and self._decided(logs, process, math.log(enough)):
                    break
                answer = await self._lap(field, cold)
                if not isinstance(answer, dict):
                    return answer
                if answer["wrong"]:
                    return WrongAnswer(answer["wrong"])
                logs += answer["logs"]
                disturbed += answer["disturbed"]
        noisy = len(logs) < FEWEST_BLOCKS and bool(disturbed)
        found = []
        for ratios in zip(*(logs + disturbed if noisy else logs), strict=True):
            middle, low, high = median_interval(ratios)
            found.append(Paired(math.exp(middle), math.exp(low), math.exp(high), len(logs), noisy))
        return Race(tuple(found))

    @staticmethod
    def _decided(logs: Sequence[Sequence[float]], processes: int, enough: float) -> bool:
        leader = min(zip(*logs, strict=True), key=lambda ratios: median_interval(ratios)[0])
        _, low, high = median_interval(leader)
        known = not low <= enough <= high or settled(leader, HALF_WIDTH, FEWEST_BLOCKS)
        return high < PLAIN or (processes >= PROCESSES and known)

    async def _lap(self, field: Sequence[Candidate], cold: bool) -> dict[str, Any] | Crashed | TimedOut:
        """One process's share of a race."""
        order = {
            "op": "race",
            "task": str(self._folder),
            "candidates": [candidate.order() for candidate in field],
            "blocks": BLOCKS_EACH,
            "seconds": RACE_S,
            "cold": cold,
            "cache_bytes": self.stand.cache_bytes,
        }
        async with await self.stand.fresh() as keeper, self.stand.quiet():
            return await self.stand.ask(keeper, order, GRACE_S + len(field) * self.limit_s + RACE_S)
