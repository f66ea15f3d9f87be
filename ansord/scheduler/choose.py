"""The choice: who is next, who is done, and why; for the plan, the status and the simulation.

First every task gets one round, then those whose deadlines would be missed, then the highest priority, and
among equals the most gain per second of tuning. Gains count per second and not per trial: trials of different
tasks take different times.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ansord.record import FIRST
from ansord.scheduler.gain import expected
from ansord.scheduler.objective import OBJECTIVES, pull
from ansord.scheduler.rules import Rules
from ansord.scheduler.table import Column, Index, Table

Mask = NDArray[np.bool_]


class Verdict(IntEnum):
    """Where a task stands. Those from TRIALS on have ended."""

    FIRST = 0
    BLANK = 1
    URGENT = 2
    GAINS = 3
    OUTRANKED = 4
    TRIALS = 5
    SECONDS = 6
    DEADLINE = 7
    TARGET = 8
    NOISE = 9
    STALLED = 10

    @property
    def ended(self) -> bool:
        """Whether the task has no turn any more."""
        return self >= Verdict.TRIALS


@dataclass(frozen=True)
class Choice:
    """`next`: the position of the task whose turn it is, None when all have ended. The columns: per task.

    `gain`: what its next round is expected to bring, in the objective's unit; `seconds`: what that costs;
    `remaining`: the share by which its best is expected to fall with all its trials that are left.
    """

    table: Table
    rules: Rules
    next: int | None
    by_chance: bool
    verdicts: Index
    gain: Column
    seconds: Column
    remaining: Column

    @cached_property
    def rate(self) -> Column:
        """Expected gain per second of tuning."""
        rate: Column = self.gain / self.seconds
        return rate

    @cached_property
    def _newcomers(self) -> int:
        """Tasks without a first round."""
        return int(np.sum(self.verdicts == Verdict.FIRST))

    @cached_property
    def _urgent(self) -> int:
        """Tasks whose deadline leaves no time for those behind it."""
        return int(np.sum(self.verdicts == Verdict.URGENT))

    @property
    def ended(self) -> Index:
        """The positions of the tasks that have ended."""
        return np.flatnonzero(self.verdicts >= Verdict.TRIALS)

    def why(self, position: int) -> str:
        """Why this task is next, or is not, or never will be."""
        verdict = Verdict(self.verdicts[position])
        if verdict.ended:
            return f"ended: {self._end(position, verdict)}"
        if position == self.next:
            return f"next: {self._ahead(position, verdict)}"
        return f"waits: {self._behind(position, verdict)}"

    def _ahead(self, position: int, verdict: Verdict) -> str:
        if self.by_chance:
            return f"drawn by chance, as {self.rules.epsilon:.0%} of the turns are"
        return {
            Verdict.FIRST: "it has no kernel yet",
            Verdict.BLANK: "its trials so far failed, and nothing else is open",
            Verdict.URGENT: "its deadline would be missed otherwise"
            if self._urgent == 1
            else f"it gains the most per second of {self._urgent} whose deadline is near",
        }.get(verdict, "it gains the most per second")

    def _behind(self, position: int, verdict: Verdict) -> str:
        assert self.next is not None
        leader = Verdict(self.verdicts[self.next])
        if verdict == Verdict.FIRST:
            return f"its first round comes soon; {self._newcomers - 1} other tasks wait for theirs"
        if leader == Verdict.FIRST:
            return "every task has a first round before any has another"
        if leader == Verdict.URGENT != verdict:
            return "another task's deadline would be missed otherwise"
        if verdict == Verdict.OUTRANKED:
            return "its priority is lower than that of the next task"
        if verdict == Verdict.BLANK:
            return f"its {int(self.table['trials'][position])} trials failed"
        if self.by_chance:
            return "another one was drawn by chance"
        _, unit, scale = OBJECTIVES[self.rules.objective]
        mine, best = self.rate[position] * scale, self.rate[self.next] * scale
        return f"{mine:.3g} {unit}/s is less than the next task's {best:.3g} {unit}/s"

    def _end(self, position: int, verdict: Verdict) -> str:
        table, rules = self.table, self.rules
        left = int(table["trials_wanted"][position] - table["trials"][position])
        return {
            Verdict.TRIALS: f"its {int(table['trials_wanted'][position])} trials are done",
            Verdict.SECONDS: f"its {table['seconds_wanted'][position]:g} seconds are spent",
            Verdict.DEADLINE: "its deadline has passed",
            Verdict.TARGET: "every model that runs it is within its target",
            Verdict.NOISE: f"{left} more trials are expected to gain {self.remaining[position]:.1%}, "
            f"less than the {rules.noise:.1%} that a comparison can see",
            Verdict.STALLED: f"its last {rules.patience} trials gained nothing",
        }[verdict]


def choose(table: Table, rules: Rules, generator: np.random.Generator, now: float) -> Choice:
    """Whose turn it is at `now`, on the clock of the states' deadlines."""
    left = trials_left(table)
    batch = np.minimum(left, rules.batch)
    pull_of_task, in_reach = _pulls(table, rules)
    gain = pull_of_task * expected(table, rules, batch)
    hoped = expected(table, rules, left, waning=True)
    remaining = hoped / np.where(np.isfinite(table["best"]), table["best"], np.inf)
    seconds = round_seconds(table, rules, batch)
    verdicts = _verdicts(table, rules, now, left, remaining, in_reach)
    choice = Choice(table, rules, None, False, verdicts, gain, seconds, remaining)
    if not (verdicts < Verdict.TRIALS).any():
        return choice
    return _pick(choice, rules, generator, now, left)


def trials_left(table: Table) -> Column:
    """How many trials each task's budget still pays for, at the pace so far; one at least."""
    left = np.maximum(table["trials_wanted"] - table["trials"], 0)
    pace = table["pace"]
    paid = np.full(len(table), np.inf)
    np.divide(table["seconds_wanted"] - table["spent"], pace, out=paid, where=pace > 0)
    affordable = np.where(table["spent"] < table["seconds_wanted"], np.maximum(1, np.ceil(paid)), 0)
    return np.minimum(left, affordable)


def round_seconds(table: Table, rules: Rules, batch: Column) -> Column:
    """What a round of `batch` trials takes; a task of unknown pace is taken for one of the median, and one
    that had no more than its first round for no slower: that opened the task, computed its answers."""
    pace, trials = table["pace"], table["trials"]
    known = np.isfinite(pace)
    seen = known & (trials > FIRST)
    usual = float(np.median(pace[seen if seen.any() else known])) if known.any() else 0.0
    pace = np.where(seen, pace, np.where(known, np.minimum(pace, usual), usual))
    return np.maximum(pace * batch, rules.shortest_s)


def _pulls(table: Table, rules: Rules) -> tuple[Column, Mask]:
    """∂f/∂g of each task, and whether any of its models is still short of its target."""
    models = table.models
    now, first = models.latency(table["best"]), models.first(table["first"])
    of_model = pull(rules.objective, now, first, models.target, models.complete(table["best"]))
    task, weight = models.task, models.weight
    pulls: Column = np.bincount(task, weights=weight * of_model[models.model], minlength=len(table)).astype(
        float
    )
    return pulls, pulls > 0


def _verdicts(
    table: Table, rules: Rules, now: float, left: Column, remaining: Column, in_reach: Mask
) -> Index:
    trials, known = table["trials"], np.isfinite(table["best"])
    mature = known & (trials >= rules.mature)
    stalled = np.zeros(len(table), bool)
    if rules.patience is not None:
        stalled = known & (trials - table["fell"] >= rules.patience)
    conditions = (
        (trials >= table["trials_wanted"], Verdict.TRIALS),
        (table["spent"] >= table["seconds_wanted"], Verdict.SECONDS),
        ((trials == 0) & (table["turn"] == 0), Verdict.FIRST),
        ((table["deadline"] <= now) & (trials > 0), Verdict.DEADLINE),
        (~known, Verdict.BLANK),
        (~in_reach, Verdict.TARGET),
        (stalled, Verdict.STALLED),
        (mature & (remaining < rules.noise), Verdict.NOISE),
    )
    masks = [mask for mask, _ in conditions]
    verdicts: Index = np.select(masks, [int(verdict) for _, verdict in conditions], int(Verdict.GAINS))
    return verdicts


def _pick(choice: Choice, rules: Rules, generator: np.random.Generator, now: float, left: Column) -> Choice:
    """The choice among those that have not ended; draws the same from the generator whatever comes of it."""
    table, verdicts = choice.table, choice.verdicts.copy()
    chance, draw = generator.random(2)
    priority, turn = table["priority"], table["turn"]
    first = np.flatnonzero(verdicts == Verdict.FIRST)
    if len(first):
        waiting = np.where(table["deadline"] <= now, np.inf, table["deadline"])
        order = np.lexsort((waiting[first], -priority[first]))  # what is too late anyway goes last
        return _chosen(choice, verdicts, int(first[order[0]]))
    pressing = _pressing(choice, rules, now, left)
    among = np.ones(len(verdicts), bool) if pressing is None else pressing
    gaining = np.flatnonzero((verdicts == Verdict.GAINS) & among)
    if not len(gaining):
        gaining = np.flatnonzero((verdicts == Verdict.BLANK) & among)
    top = priority[gaining] == priority[gaining].max()
    verdicts[gaining[~top]] = Verdict.OUTRANKED
    gaining = gaining[top]
    if pressing is not None:
        verdicts[gaining] = Verdict.URGENT
    if len(gaining) > 1 and chance < rules.epsilon:
        return _chosen(choice, verdicts, int(gaining[int(draw * len(gaining))]), by_chance=True)
    order = np.lexsort((turn[gaining], -choice.rate[gaining]))  # equals take turns
    return _chosen(choice, verdicts, int(gaining[order[0]]))


def _chosen(choice: Choice, verdicts: Index, position: int, by_chance: bool = False) -> Choice:
    return replace(choice, next=position, by_chance=by_chance, verdicts=verdicts)


def _pressing(choice: Choice, rules: Rules, now: float, left: Column) -> Mask | None:
    """The tasks up to the first deadline that cannot wait for another turn of anybody behind it; None where
    none is so near.

    All work up to each deadline must fit before it. Where it does, whoever of these goes first, none comes
    too late: should one have no time left for the others, it alone is up to its deadline. Where it does not,
    as with a whole model that has to be ready soon, the time belongs to those that gain the most.
    """
    table = choice.table
    alive = choice.verdicts < Verdict.TRIALS
    open_ = np.flatnonzero(alive & np.isfinite(table["deadline"]))
    if not len(open_):
        return None
    order = open_[np.argsort(table["deadline"][open_], kind="stable")]
    work = np.minimum(
        choice.seconds[order] * np.ceil(left[order] / rules.batch),
        table["seconds_wanted"][order] - table["spent"][order],
    )
    slack = table["deadline"][order] - now - np.cumsum(work)
    margin = rules.margin_s + 2 * float(choice.seconds[alive].max())
    near = np.flatnonzero(slack <= margin)
    if not len(near):
        return None
    # A model's tasks were not dropped in the very same moment.
    pressing: Mask = alive & (table["deadline"] <= table["deadline"][order[near[0]]] + margin)
    return pressing
