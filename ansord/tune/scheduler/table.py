"""All tasks as columns, so that ten thousand are weighed in some milliseconds."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ansord.tune.scheduler.state import State

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
    """Per model: the sum of weight times seconds over its finished tasks, now and with their first kernels."""
    speeds: Mapping[str, float] = field(default_factory=dict)
    """Per group: the most flops a second that a finished task reached."""


NOTHING = Background()


@dataclass(frozen=True)
class Models:
    """`task`, `model`, `weight`: one entry for each use. The rest: one for each model, infinite without a goal.

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
        sums: Column = np.bincount(
            self.model, weights=self.weight * known[self.task], minlength=len(self.target)
        )
        return self.behind + sums

    def first(self, first: Column) -> Column:
        """The same with the first kernels: the baseline of a speedup."""
        return self.latency(first) - self.behind + self.behind_first

    def complete(self, best: Column) -> NDArray[np.bool_]:
        """Which models have a kernel for all their tasks."""
        lacking = np.bincount(
            self.model, weights=~np.isfinite(best)[self.task], minlength=len(self.target)
        )
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
        return self._numbers[COLUMNS.index(column)]

    @cached_property
    def models(self) -> Models:
        """Who runs what."""
        codes: dict[str | None, int] = {}
        targets: list[float] = []
        uses: list[tuple[int, int, float]] = []
        for position, state in enumerate(self.states):
            for use in state.uses:
                code = codes.setdefault(use.model, len(codes))
                if code == len(targets):
                    targets.append(math.inf)
                if use.target_ms is not None:
                    targets[code] = min(targets[code], use.target_ms / 1e3)
                uses.append((position, code, use.weight))
        columns = np.array(uses, float).reshape(-1, 3).T
        behind = np.array([self.background.models.get(model, (0.0, 0.0)) for model in codes], float)
        now, first = behind.reshape(-1, 2).T
        return Models(
            columns[0].astype(np.int64), columns[1].astype(np.int64), columns[2], np.array(targets), now, first
        )

    @cached_property
    def speed_of_group(self) -> Column:
        """For each task, the most flops a second in its group, itself included; 0 where nothing is known."""
        codes: dict[str, int] = {}
        code = np.fromiter(
            (codes.setdefault(state.group, len(codes)) for state in self.states), np.int64, len(self)
        )
        speeds = np.array([self.background.speeds.get(group, 0.0) for group in codes])
        np.maximum.at(speeds, code, self["flops"] / self["best"])
        if "" in codes:
            speeds[codes[""]] = 0.0
        return speeds[code]


def table_of(states: Sequence[State], background: Background = NOTHING) -> Table:
    """The table of the states in order of arrival."""
    return Table(tuple(states), background)
