"""Where a model's time goes, step by step: a value that prints itself as a table."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from ansord_client.kernel import Kernel
from ansord_client.models.binding import tuned
from ansord_client.models.frame import Array, Frame
from ansord_client.models.graph import Foreign
from ansord_client.models.plan import Call, Plan, Step, View


@dataclass(frozen=True, slots=True)
class Row:
    """One step, for all parts of a batch. `median_us` over the runs; `share` of the sum of all; `key` is None
    for what has no kernel.

    `state`: "tuned", "degraded" (made for another host), "fallback" (NumPy, until there is a kernel),
    "foreign" (no kernel can do it), "view" (of an input: no bytes move).
    """

    name: str
    result: str
    key: str | None
    median_us: float
    share: float
    state: str


@dataclass(frozen=True, slots=True)
class Profile:
    """`rows` in the order in which they run; `total_us`: the median of whole runs, timing included."""

    model: str
    rows: tuple[Row, ...]
    total_us: float

    @property
    def tuned_share(self) -> float:
        """The part of the steps' time that kernels of this host take: 0 to 1."""
        return sum(row.share for row in self.rows if row.state == "tuned")

    def __str__(self) -> str:
        """The longest first."""
        ordered = sorted(self.rows, key=lambda row: -row.median_us)
        lines = [f"{self.model}: {self.total_us:.1f} us, {self.tuned_share:.1%} in tuned kernels"]
        for row in ordered:
            key = (row.key or "-")[:12]
            lines.append(f"{row.median_us:12.1f} us {row.share:6.1%}  {row.state:8}  {key:12}  {row.name}")
        return "\n".join(lines)


def profiled(
    plan: Plan, kernels: Sequence[Kernel], frame: Frame, inputs: Sequence[Array], runs: int
) -> Profile:
    """Times every step of `runs` runs, after one that is not counted."""
    steps = [(step, action) for step, action in zip(plan.steps, frame.actions, strict=True) if action]
    laps: list[list[float]] = []
    totals: list[float] = []
    clock = time.perf_counter
    try:
        for _ in range(runs + 1):
            lap = [0.0] * len(steps)
            for given in plan.cut(inputs):
                frame.arrays.update(zip(plan.inputs, given, strict=True))
                mark = clock()
                for place, (_, action) in enumerate(steps):
                    action()
                    before, mark = mark, clock()
                    lap[place] += 1e6 * (mark - before)
            laps.append(lap)
            totals.append(sum(lap))
    finally:
        frame.forget()
    medians = [statistics.median(times) for times in zip(*laps[1:], strict=True)]
    whole = sum(medians) or 1.0
    by_call = dict(zip(map(id, plan.calls), kernels, strict=True))
    rows = tuple(
        Row(
            _name(step),
            step.results[0],
            step.subgraph.key if isinstance(step, Call) else None,
            median,
            median / whole,
            _state(step, by_call.get(id(step))),
        )
        for (step, _), median in zip(steps, medians, strict=True)
    )
    return Profile(plan.name, rows, statistics.median(totals[1:]))


def _name(step: Step) -> str:
    if isinstance(step, Call):
        return step.subgraph.name
    return step.op if isinstance(step, Foreign) else "view"


def _state(step: Step, kernel: Kernel | None) -> str:
    if kernel is None:
        return "view" if isinstance(step, View) else "foreign"
    if not tuned(kernel):
        return "fallback"
    return "degraded" if kernel.info["degraded"] else "tuned"
