"""The five fates of a candidate. `build` and `measure` return them, `search` learns from them.

A fate is a value, never an exception; each prints itself as one line and knows its `seconds`
(infinite unless it was measured), so that a list of trials can be ranked without a case split.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Measured:
    """It computes the right answer. `seconds` per call: the 20th percentile of `samples` (seconds per call
    each), after `rejected` other samples were thrown away because the machine was disturbed. `noisy`: it
    stayed disturbed; with less than two good samples, `samples` are the disturbed ones, the least counts."""

    seconds: float
    samples: tuple[float, ...]
    noisy: bool = False
    rejected: int = 0

    def __str__(self) -> str:
        spread = (max(self.samples) / min(self.samples) - 1) * 100 if self.samples else 0.0
        noise = ", noisy" if self.noisy else ""
        return f"{duration(self.seconds)} ({len(self.samples)} samples, spread {spread:.1f}%{noise})"


@dataclass(frozen=True, slots=True)
class BuildFailed:
    """The compiler refused the text, or was stopped; `message` holds the first lines of its errors."""

    message: str

    @property
    def seconds(self) -> float:
        return math.inf

    def __str__(self) -> str:
        return f"build failed: {self.message}"


@dataclass(frozen=True, slots=True)
class WrongAnswer:
    """It ran to its end and broke the contract: not the reference's result, or a forbidden effect."""

    message: str

    @property
    def seconds(self) -> float:
        return math.inf

    def __str__(self) -> str:
        return f"wrong: {self.message}"


@dataclass(frozen=True, slots=True)
class TimedOut:
    """It was killed after `limit_s` seconds; `phase` says of what: "check" or "time"."""

    limit_s: float
    phase: str

    @property
    def seconds(self) -> float:
        return math.inf

    def __str__(self) -> str:
        return f"timed out: {self.phase} took longer than {self.limit_s:g} s"


@dataclass(frozen=True, slots=True)
class Crashed:
    """It took its process down. `how`: a signal's name, "exit N" or "protocol"; `message`: what is known."""

    how: str
    message: str

    @property
    def seconds(self) -> float:
        return math.inf

    def __str__(self) -> str:
        return f"crashed ({self.how}): {self.message}" if self.message else f"crashed ({self.how})"


Outcome: TypeAlias = Measured | BuildFailed | WrongAnswer | TimedOut | Crashed


def duration(seconds: float) -> str:
    """`seconds` for a reader: three or four digits and a unit that fits."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= scale:
            return f"{seconds / scale:.4g} {unit}"
    return f"{seconds / 1e-9:.4g} ns"
