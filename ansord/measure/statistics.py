"""What a set of samples says: pure functions, for the runner's answers and for promotion.

The figures are those of the measurement rules: rank by the 20th percentile (a minimum hangs on one lucky
sample, a median follows every disturbance), promote by the median of paired log ratios.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

RANKED_BY = 20.0
LEVEL = 0.95
RESAMPLES = 2000


def latency(samples: Sequence[float]) -> float:
    """The 20th percentile, interpolated; seconds in, seconds out."""
    return float(np.percentile(np.asarray(samples), RANKED_BY))


def latency_interval(samples: Sequence[float], seed: int = 0) -> tuple[float, float]:
    """A bootstrap interval (95%) of `latency`: how far the figure would move with other samples."""
    return _bootstrap(np.asarray(samples), RANKED_BY, seed)


def median_interval(values: Sequence[float], seed: int = 0) -> tuple[float, float, float]:
    """(median, low, high): the median of `values` with its bootstrap interval (95%)."""
    array = np.asarray(values)
    low, high = _bootstrap(array, 50.0, seed)
    return float(np.median(array)), low, high


def settled(values: Sequence[float], half_width: float, fewest: int) -> bool:
    """Whether the median of `values` is known to `half_width`, from at least `fewest` of them."""
    if len(values) < fewest:
        return False
    _, low, high = median_interval(values)
    return (high - low) / 2 < half_width


def _bootstrap(values: NDArray[np.float64], percent: float, seed: int) -> tuple[float, float]:
    if len(values) < 2:
        return (-math.inf, math.inf) if len(values) == 0 else (float(values[0]), float(values[0]))
    draws = np.random.default_rng(seed).integers(0, len(values), (RESAMPLES, len(values)))
    found = np.percentile(values[draws], percent, axis=1)
    tail = (1 - LEVEL) / 2 * 100
    low, high = np.percentile(found, [tail, 100 - tail])
    return float(low), float(high)
