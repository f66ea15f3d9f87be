"""All tasks as columns, so that ten thousand are weighed in some milliseconds."""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ansord.scheduler.state import State

Column = NDArray[np.float64]
Index = NDArray[np.int64]

COLUMNS = (
    "trials_wanted",
    "seconds_wanted",
    "flops",
    "least",
    "priority",
    "deadline",
    "spent",
    "turn",
    "trials",
    "pace",
    "best",
    "first",
    "halfway",  # the best after half of the trials so far
    "fell",  # the trial of the last improvement
)
"""Of `State.row`."""


@dataclass(frozen=True)
class Background:
    """What the tasks that are no more open leave behind."""

    models: Mapping[str | None, tuple[float, float]] = field(default_factory=dict)
    """Per model: weight times seconds summed over its finished tasks, now and with their first kernels."""
    speeds: Mapping[str, float] = field(default_factory=dict)
    """Per group: the most flops a second that a finished task reached."""


NOTHING = Background()


@dataclass(frozen=True)
class Models:
    """`task`, `model`, `weight`: one entry for each use. The others: one for each model.
    `target`: seconds, infinite without one.

    `behind`, `behind_first`: Background's sums.
    """

    task: Index
    model: Index
    weight: Column
    target: Column
    behind: Column
    behind_first: Column

    def latency(self, best: Column) -> Column:
        """Seconds of each model, `best` the seconds of each task; those without a kernel count as nothing."""
        known = np.where(np.isfinite(best), best, 0.0)
        sums = np.bincount(self.model, weights=self.weight * known[self.task], minlength=len(self.target))
        total: Column = self.behind + sums
        return total

    def first(self, first: Column) -> Column:
        """The same with the first kernels: the baseline of a speedup."""
        total: Column = self.latency(first) - self.behind + self.behind_first
        return total

    def complete(self, best: Column) -> NDArray[np.bool_]:
        """Which models have a kernel for all their tasks."""
        lacking = np.bincount(self.model, weights=~np.isfinite(best)[self.task], minlength=len(self.target))
        complete: NDArray[np.bool_] = lacking == 0
        return complete


@dataclass(frozen=True)
class Table:
    """`states` in order of their arrival, and the same as columns."""

    states: tuple[State, ...]
    background: Background = NOTHING

    @cached_property
    def _numbers(self) -> NDArray[np.float64]:
        flat = itertools.chain.from_iterable(state.row for state in self.states)
        count = len(self.states) * len(COLUMNS)
        return np.ascontiguousarray(np.fromiter(flat, np.float64, count).reshape(-1, len(COLUMNS)).T)

    def __len__(self) -> int:
        return len(self.states)

    def __getitem__(self, column: str) -> Column:
        values: Column = self._numbers[COLUMNS.index(column)]
        return values

    @cached_property
    def models(self) -> Models:
        """Who runs what."""
        uses = [use for state in self.states for use in state.uses]
        names = [use.model for use in uses]
        codes = numbered(names)
        target = np.full(len(codes), math.inf)
        for use in uses:
            if use.target_ms is not None:
                target[codes[use.model]] = min(target[codes[use.model]], use.target_ms / 1e3)
        counts = np.fromiter((len(state.uses) for state in self.states), np.int64, len(self))
        behind = np.array([self.background.models.get(model, (0.0, 0.0)) for model in codes], float)
        now, first = behind.reshape(-1, 2).T
        return Models(
            task=np.repeat(np.arange(len(self)), counts),
            model=np.fromiter(map(codes.__getitem__, names), np.int64, len(names)),
            weight=np.fromiter((use.weight for use in uses), np.float64, len(uses)),
            target=target,
            behind=now,
            behind_first=first,
        )

    @cached_property
    def speed_of_group(self) -> Column:
        """For each task, the most flops a second in its group, itself included; 0 where nothing is known."""
        groups = [state.group for state in self.states]
        codes = numbered(groups)
        code = np.fromiter(map(codes.__getitem__, groups), np.int64, len(self))
        speeds = np.array([self.background.speeds.get(group, 0.0) for group in codes])
        np.maximum.at(speeds, code, self["flops"] / self["best"])
        if "" in codes:
            speeds[codes[""]] = 0.0
        speed: Column = speeds[code]
        return speed


Name = TypeVar("Name", bound=Hashable)


def numbered(names: Iterable[Name]) -> dict[Name, int]:
    """Each name once, in order, with its place."""
    return {name: place for place, name in enumerate(dict.fromkeys(names))}
