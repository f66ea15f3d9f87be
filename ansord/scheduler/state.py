"""One task as the scheduler sees it: what is wanted of it, what it got, and how its best fell.

Immutable; a task that had a turn is a new value. Seconds of kernels and seconds of tuning are both floats.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from ansord_client.entry import Entry
from ansord_client.subgraph import Use

FEWER = 3.0
"""A definition that changes rounding is Winograd's: of its four times fewer products its passes take a part.
Against the roof of the task's own flops its kernels seem to have no room (14x14x256, run five times by
ResNet-50, stayed at 4 trials for eight minutes)."""


class Fall(NamedTuple):
    """The best became `best` seconds with trial number `trials`, after `spent` seconds of tuning."""

    trials: int
    spent: float
    best: float


@dataclass(frozen=True)
class Curve:
    """The best over trials and over seconds: only where it fell, and how far the task is."""

    trials: int = 0
    spent: float = 0.0
    """Seconds of tuning, for the trials whose duration is known."""
    timed: int = 0
    """How many trials that are: those of earlier processes are not among them."""
    falls: tuple[Fall, ...] = ()

    @property
    def best(self) -> float:
        """Seconds of the fastest kernel; infinite before the first."""
        return self.falls[-1].best if self.falls else math.inf

    @property
    def first(self) -> float:
        """Seconds of the first kernel that ran."""
        return self.falls[0].best if self.falls else math.inf

    @property
    def pace(self) -> float:
        """Seconds of tuning for a trial; NaN while unknown."""
        return self.spent / self.timed if self.timed else math.nan

    def at(self, trials: int) -> float:
        """The best after that many trials; before the first kernel, the first one's."""
        position = bisect.bisect_right(self.falls, trials, key=lambda fall: fall.trials)
        return self.falls[position - 1].best if position else self.first

    def through(self, seconds: Iterable[float]) -> Curve:
        """After these trials more, each by its kernel's seconds; nobody knows how long trying took."""
        now = self
        for one in seconds:
            now = now.extended(1, 0.0, one, timed=False)
        return now

    def extended(self, trials: int, spent: float, best: float, timed: bool = True) -> Curve:
        """After `trials` more, which took `spent` seconds and left the best at `best`."""
        now = replace(
            self,
            trials=self.trials + trials,
            spent=self.spent + spent,
            timed=self.timed + (trials if timed else 0),
        )
        if best < self.best:
            now = replace(now, falls=(*self.falls, Fall(now.trials, now.spent, best)))
        return now


def roof(best: Entry) -> float:
    """Seconds that a task takes at the machine's roofs, by its published kernel: `least` of its state."""
    seconds = best.latency_us / 1e6 * best.share_of_bound
    return seconds / FEWER if best.relaxed else seconds


@dataclass(frozen=True)
class State:
    """`deadline`: when its turns end, on the clock of `choose`'s `now`; infinite without one.

    `uses`: the models that run it, each named once. `group`: tasks of one group run at similar speeds; "" is
    like no other. `turn`: the number of its last turn, 0 before the first.
    """

    key: str
    trials_wanted: int
    seconds_wanted: float = math.inf
    uses: tuple[Use, ...] = (Use(None, 1.0),)
    flops: int = 0
    least: float = 0.0
    """Seconds that its flops and bytes take at the roofs of the machine; 0 where they are not known."""
    group: str = ""
    priority: int = 0
    deadline: float = math.inf
    spent: float = 0.0
    """Seconds that count against `seconds_wanted`."""
    turn: int = 0
    curve: Curve = Curve()

    @cached_property
    def row(self) -> tuple[float, ...]:
        """The numbers of COLUMNS in `table`, in that order."""
        curve = self.curve
        return (
            float(self.trials_wanted),
            self.seconds_wanted,
            float(self.flops),
            self.least,
            float(self.priority),
            self.deadline,
            self.spent,
            float(self.turn),
            float(curve.trials),
            curve.pace,
            curve.best,
            curve.first,
            curve.at(curve.trials // 2),
            float(curve.falls[-1].trials if curve.falls else 0),
        )
