"""How long a model takes, task by task, and how much of that tuned kernels cover.

What has no kernel yet is judged by its flops and bytes. Called by `ansord warm` and `ansord show`; pure.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from ansord_client.models.fallback import LOOKUPS
from ansord_client.models.graph import Foreign
from ansord_client.models.plan import Plan, Task

UNTUNED = 50e9
"""Flops a second that a task without kernel is trusted with, as long as no task of the model has one."""
FALLBACK = 2e9
"""Those of NumPy's loops."""
BYTES = 10e9
"""Bytes a second for what is bound by memory."""
LEAST_US = 1.0
REFERENCE_US = 30.0
"""Of a small node that ONNX's reference implementation runs: median of OneHot, CumSum, Trilu and NonZero."""


@dataclass(frozen=True, slots=True)
class Share:
    """A task, or the foreign nodes of one op. `latency_us`: of all runs, as measured or estimated.

    `state`: "tuned", "degraded" (its kernel was made for another host), "estimated" (it has none) or
    "fallback" (it will have none)."""

    what: Task | str
    count: int
    flops: int
    latency_us: float
    state: str

    @property
    def tuned(self) -> bool:
        """Whether a kernel of this host takes this time."""
        return self.state == "tuned"

    @property
    def name(self) -> str:
        """For people."""
        return self.what if isinstance(self.what, str) else self.what.subgraph.name


@dataclass(frozen=True, slots=True)
class Survey:
    """`shares`: the tasks in the order of the plan, then what the fallback runs."""

    shares: tuple[Share, ...]

    @property
    def latency_us(self) -> float:
        """The model's, estimated as the sum of its steps."""
        return sum(one.latency_us for one in self.shares)

    @property
    def flops(self) -> int:
        """The model's."""
        return sum(one.flops for one in self.shares)

    @property
    def coverage(self) -> float:
        """The part of the latency that tuned kernels take: 0 to 1, 1 where there is nothing to tune."""
        covered = sum(one.latency_us for one in self.shares if one.tuned)
        return covered / self.latency_us if self.shares else 1.0

    @property
    def foreign(self) -> tuple[Share, ...]:
        """What no task covers."""
        return tuple(one for one in self.shares if isinstance(one.what, str))


def survey(plan: Plan, latencies: Mapping[str, float], degraded: Collection[str] = ()) -> Survey:
    """The shares of a plan; `latencies` has the µs of one run for each key that has a kernel, `degraded` the
    keys whose kernel was made, and timed, on another host."""
    speeds = [
        task.flops / task.count / latencies[key] * 1e6
        for task in plan.tasks
        if (key := task.subgraph.key) in latencies and task.subgraph.flops > 1e6 and latencies[key] > 0
    ]
    rate = statistics.median(speeds) if speeds else UNTUNED
    shares = [_share(task, latencies, degraded, rate) for task in plan.tasks]
    by_op: dict[str, list[Foreign]] = {}
    for node in plan.foreign:
        by_op.setdefault(node.op, []).append(node)
    for op, nodes in by_op.items():
        runs = plan.parts * len(nodes)
        flops = plan.parts * sum(node.flops for node in nodes)
        seconds = flops / FALLBACK + plan.parts * sum(_bytes(node, plan) for node in nodes) / BYTES
        least = (LEAST_US if op in LOOKUPS else REFERENCE_US) * runs
        shares.append(Share(op, runs, flops, max(seconds * 1e6, least), "fallback"))
    return Survey(tuple(shares))


def _share(task: Task, latencies: Mapping[str, float], degraded: Collection[str], rate: float) -> Share:
    key = task.subgraph.key
    if key in latencies:
        state = "degraded" if key in degraded else "tuned"
        return Share(task, task.count, task.flops, task.count * latencies[key], state)
    seconds = max(task.flops / rate, task.bytes / BYTES)
    return Share(task, task.count, task.flops, max(seconds * 1e6, LEAST_US * task.count), "estimated")


def _bytes(node: Foreign, plan: Plan) -> int:
    made = [plan.values[name] for name in node.results if name in plan.values]
    return 2 * sum(math.prod(one.shape) * np.dtype(one.dtype).itemsize for one in made)
