"""Curves to schedule on: those that `record` wrote down, and drawn ones with the same statistics."""

from __future__ import annotations

import bisect
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

CURVES = Path(__file__).with_name("curves.json")


@dataclass(frozen=True)
class Recorded:
    """How one task went: `falls` are (trial, seconds of the best); `ends` are (trials, seconds spent) of rounds."""

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
        """Seconds of tuning for that many: straight lines between the ends of rounds, and on after the last."""
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
            found[task] = Recorded(tuple((trial, micro / 1e6) for trial, micro in curve["falls"]), tuple(ends), curve["least"] / 1e6)
    return found


def drawn(count: int, generator: np.random.Generator, source: Sequence[Recorded]) -> list[Recorded]:
    """Curves like the recorded ones: each a recorded one whose falls come sooner or later and are larger or
    smaller, for a task that is slower or faster to run and to tune."""
    return [_drawn(source[int(generator.integers(len(source)))], generator) for _ in range(count)]


def _drawn(curve: Recorded, generator: np.random.Generator) -> Recorded:
    best = curve.falls[0][1] * float(generator.lognormal(0.0, 1.0))
    falls = [(1, best)]
    sizes = generator.lognormal(0.0, 0.7, len(curve.falls))
    delays = generator.lognormal(0.0, 0.5, len(curve.falls))
    shares = [1 - after / before for (_, before), (_, after) in itertools.pairwise(curve.falls)]
    moved = sorted(
        (int(np.clip(trial * delay, 1, curve.trials)), min(0.9, share * size))
        for (trial, _), share, size, delay in zip(curve.falls[1:], shares, sizes, delays, strict=False)
    )
    for trial, share in moved:
        best *= 1 - share
        falls.append((trial, best))
    pace = float(generator.lognormal(0.0, 0.5))
    return Recorded(tuple(falls), tuple((trials, spent * pace) for trials, spent in curve.ends))
