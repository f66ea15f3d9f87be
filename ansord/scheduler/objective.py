"""What the tuning is for: a number to bring down, and how hard each model pulls at it.

The paper's section 6.1: f1 the weighted sum over models, f2 with latency goals, f3 the geometric mean of
speedups. f4, stopping a task that gains nothing, is no pull but a verdict of `choose`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ansord.scheduler.table import Column


def latency(now: Column, first: Column) -> Column:
    """f1 = Σ_j latency_j: every second counts the same, whatever model it is of."""
    return np.ones_like(now)


def speedup(now: Column, first: Column) -> Column:
    """f3 = -(Π_j first_j / latency_j)^(1/m): a small model's percent is worth a large one's.

    Here as the logarithm, which has its minimum in the same place and no model's scale in it:
    Σ_j log(latency_j / first_j) / m, so that the pull is 1 / (m · latency_j).
    """
    known = now > 0
    pull: Column = np.divide(1.0, now, out=np.zeros_like(now), where=known) / max(1, known.sum())
    return pull


OBJECTIVES: dict[str, tuple[Callable[[Column, Column], Column], str, float]] = {
    "latency": (latency, "µs", 1e6),
    "speedup": (speedup, "%", 1e2),
}
"""Name → (∂f/∂latency_j for each model from its latency now and at first, unit of a gain, units in one)."""


def pull(objective: str, now: Column, first: Column, target: Column, complete: np.ndarray) -> Column:
    """∂f/∂latency_j of each model; 0 for one that has all its kernels and is within its target (f2)."""
    derivative, _, _ = OBJECTIVES[objective]
    reached = complete & np.isfinite(target) & (now <= target)
    return np.where(reached, 0.0, derivative(now, first))
