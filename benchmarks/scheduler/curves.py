"""Curves to schedule on: those that `record` wrote down, and the power laws that fit them."""

from __future__ import annotations

import bisect
import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

CURVES = Path(__file__).with_name("curves.json")


@dataclass(frozen=True)
class Recorded:
    """How one task went: `falls`: (trial, seconds of the best); `ends`: (trials, seconds spent) of rounds."""

    falls: tuple[tuple[int, float], ...]
    ends: tuple[tuple[int, float], ...]
    least: float = 0.0
    """Seconds at the roof."""

    @property
    def trials(self) -> int:
        """As many were recorded; there is no more to gain after them."""
        return self.ends[-1][0]

    def best(self, trials: int) -> float:
        """Seconds of the best kernel after that many."""
        position = bisect.bisect_right(self.falls, trials, key=lambda fall: fall[0])
        return self.falls[position - 1][1] if position else float("inf")

    def spent(self, trials: int) -> float:
        """Seconds of tuning for that many: straight lines between the ends of rounds, and on."""
        position = min(bisect.bisect_left(self.ends, trials, key=lambda end: end[0]), len(self.ends) - 1)
        low = self.ends[position - 1] if position else (0, 0.0)
        high = self.ends[position]
        return low[1] + (high[1] - low[1]) * (trials - low[0]) / (high[0] - low[0])


def recorded(seed: int = 0, path: Path = CURVES) -> dict[str, Recorded]:
    """The recorded curve of each task, by its name."""
    found = {}
    for name, curve in json.loads(path.read_text()).items():
        task, _, of_seed = name.partition("/")
        if int(of_seed) == seed:
            ends, trials, spent = [], 0, 0.0
            for count, seconds in zip(curve["rounds"], curve["seconds"], strict=True):
                trials, spent = trials + count, spent + seconds
                ends.append((trials, spent))
            found[task] = Recorded(
                tuple((trial, micro / 1e6) for trial, micro in curve["falls"]),
                tuple(ends),
                curve["least"] / 1e6,
            )
    return found


@dataclass(frozen=True)
class PowerLaw:
    """The smooth curve through a recorded one: best(t) = floor · (1 + excess · (t / 6)^-decay)."""

    floor: float
    excess: float
    decay: float
    pace: float
    least: float
    trials: int = 100_000

    def best(self, trials: int) -> float:
        """Seconds of the best kernel after that many."""
        return float(self.floor * (1 + self.excess * (max(trials, 1) / 6) ** -self.decay))

    def spent(self, trials: int) -> float:
        """Seconds of tuning for that many."""
        return self.pace * trials


Curve = Recorded | PowerLaw


def fitted(curve: Recorded) -> PowerLaw:
    """From the first round to the end, with the decay that brings the excess at a quarter of it there."""
    end, quarter = curve.trials, curve.trials // 4
    floor = curve.best(end)
    first, later = (max(curve.best(trials) / floor - 1, 1e-4) for trials in (6, quarter))
    decay = float(np.clip(math.log(first / later) / math.log(quarter / 6), 0.3, 2.0))
    return PowerLaw(floor, first, decay, curve.spent(end) / end, curve.least)
