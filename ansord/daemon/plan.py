"""What there is to tune, and whose turn it is: tasks by key, fed by drops. Pure bookkeeping.

The inbox adds drops, the tuner asks `next` and reports back what a turn brought; the scheduler chooses. It
does no I/O and knows no session.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from ansord.daemon.spool import Drop
from ansord.scheduler import OBJECTIVES, Background, Choice, Curve, Rules, State, Table, choose, similar
from ansord_client.entry import Entry
from ansord_client.subgraph import Subgraph, Use


@dataclass(frozen=True, slots=True)
class Budget:
    """`trials`: in total for the key on this host; `seconds`: spent on the task. The first one ends it."""

    trials: int
    seconds: float

    def __or__(self, other: Budget) -> Budget:
        return Budget(max(self.trials, other.trials), max(self.seconds, other.seconds))


@dataclass(frozen=True, slots=True)
class Order:
    """One drop and the subgraph that was read from it."""

    drop: Drop
    subgraph: Subgraph

    @property
    def label(self) -> str:
        return self.subgraph.name or self.drop.name

    @property
    def deadline(self) -> float:
        """Unix seconds; infinite without one."""
        wish = self.subgraph.tuning.deadline_s
        return math.inf if wish is None else self.drop.claimed + wish


@dataclass(frozen=True, slots=True)
class Found:
    """What a task had after its last turn, whether or not its search is open now."""

    trials: int = 0
    failed_trials: int = 0
    best: Entry | None = None


@dataclass(eq=False)
class Task:
    """All orders for one key, which share one search."""

    key: str
    group: str
    """The tasks that are like it."""
    orders: list[Order] = field(default_factory=list)
    seconds: float = 0.0
    """Spent on it since this process took it up."""
    tried: int = 0
    """Trials of this process."""
    rounds: int = 0
    last_turn: int = 0
    """When it had its last turn, counted in turns; 0 before the first."""
    faults: int = 0
    """Rounds in a row that ended in an exception."""
    curve: Curve = Curve()
    least: float = 0.0
    """Seconds at the machine's roofs; 0 before the first kernel."""
    found: Found = Found()

    @property
    def subgraph(self) -> Subgraph:
        return self.orders[0].subgraph

    @property
    def label(self) -> str:
        return self.orders[0].label

    @property
    def budget(self) -> Budget:
        """The largest of each."""
        total = Budget(0, 0.0)
        for order in self.orders:
            total |= Budget(order.subgraph.tuning.trials, order.subgraph.tuning.seconds)
        return total

    @property
    def uses(self) -> tuple[Use, ...]:
        """Each model once: its weights summed, the smallest of its targets."""
        found: dict[str | None, Use] = {}
        for order in self.orders:
            for use in order.subgraph.uses:
                other = found.get(use.model, Use(use.model, 0.0))
                targets = [one for one in (use.target_ms, other.target_ms) if one is not None]
                found[use.model] = Use(use.model, use.weight + other.weight, min(targets, default=None))
        return tuple(found.values())

    @cached_property
    def state(self) -> State:
        """The task as the scheduler sees it; the plan forgets it whenever something of it changes."""
        budget = self.budget
        return State(
            key=self.key,
            trials_wanted=budget.trials,
            seconds_wanted=budget.seconds,
            uses=self.uses,
            flops=self.subgraph.flops,
            least=self.least,
            group=self.group,
            priority=max(order.subgraph.tuning.priority for order in self.orders),
            deadline=min(order.deadline for order in self.orders),
            spent=self.seconds,
            turn=self.last_turn,
            curve=self.curve,
        )

    def changed(self) -> None:
        """The next choice shall see what is different."""
        self.__dict__.pop("state", None)


@dataclass(frozen=True, slots=True)
class Turn:
    """A task that gets a round; or, where `ends` says why, has had its last."""

    task: Task
    ends: str | None = None


class Plan:
    """The open tasks in the order of their arrival; whose turn it is is the scheduler's choice."""

    def __init__(self, rules: Rules = Rules(), seed: int = 0) -> None:  # noqa: B008 - frozen
        self._rules = rules
        self._generator = np.random.default_rng(seed)
        self._tasks: dict[str, Task] = {}
        self._turns = itertools.count(1)
        self._left: dict[str | None, dict[str, tuple[float, float]]] = {}
        self._speeds: dict[str, float] = {}
        self._choice: Choice | None = None
        self._places: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    def __iter__(self) -> Iterator[Task]:
        return iter(list(self._tasks.values()))

    def add(self, order: Order) -> Drop | None:
        """Joins the task of the order's key, or opens one.

        An order of the same name and key is replaced, so that dropping a file twice does not count its weight
        twice; its drop is returned, for the spool to forget.
        """
        key = order.subgraph.key
        task = self._tasks.get(key)
        if task is None:  # all that takes time is done here, drop by drop: a choice looks at every task
            task = self._tasks[key] = Task(key, similar(order.subgraph))
        task.changed()
        older = next((one for one in task.orders if one.drop.name == order.drop.name), None)
        if older is None:
            task.orders.append(order)
            return None
        task.orders[task.orders.index(older)] = order
        return older.drop

    def next(self, now: float) -> Turn | None:
        """Whose turn it is at `now`, Unix seconds; None when no task is open. The ended go first."""
        tasks = list(self._tasks.values())
        if not tasks:
            self._choice = None
            return None
        table = Table(tuple(task.state for task in tasks), self._background(tasks))
        choice = self._choice = choose(table, self._rules, self._generator, now)
        self._places = {}
        if len(choice.ended):
            position = int(choice.ended[0])
            return Turn(tasks[position], choice.why(position))
        assert choice.next is not None
        task = tasks[choice.next]
        task.last_turn = next(self._turns)
        task.changed()
        return Turn(task)

    def heard(
        self,
        task: Task,
        trials: int,
        best: float,
        spent: float | None,
        least: float,
        earlier: Sequence[float] = (),
    ) -> None:
        """What became of a turn: `trials` in all by now, the best kernel's seconds (infinite without one).

        `spent`: seconds of this turn; None for trials of earlier processes, whose time nobody knows.
        `earlier`: what each of those took, as far as the journal has them: a task goes on where it stood.
        """
        task.curve = task.curve.through(earlier)
        more = max(0, trials - task.curve.trials)
        if spent is not None:
            task.seconds += spent
            task.tried += more
        task.curve = task.curve.extended(more, spent or 0.0, best, timed=spent is not None)
        task.least = least
        task.changed()

    def close(self, key: str) -> Task:
        """Takes a task out, with every order that joined it until now. Its latency goes on counting."""
        task = self._tasks.pop(key)
        if math.isfinite(task.curve.best):
            for use in task.uses:
                latency = (use.weight * task.curve.best, use.weight * task.curve.first)
                self._left.setdefault(use.model, {})[key] = latency
            speed = task.subgraph.flops / task.curve.best
            self._speeds[task.group] = max(speed, self._speeds.get(task.group, 0.0))
        return task

    def due(self, task: Task, now: float) -> list[Order]:
        """Takes out the orders whose deadline has passed, where others of the task go on; else none."""
        late = [order for order in task.orders if order.deadline <= now]
        if len(late) == len(task.orders):
            return []
        task.orders = [order for order in task.orders if order.deadline > now]
        task.changed()
        return late

    def outlook(self, task: Task) -> dict[str, Any]:
        """For the status: what its next round was expected to gain when the last turn was given, and why."""
        choice = self._choice
        if choice is not None and not self._places:
            self._places = {state.key: place for place, state in enumerate(choice.table.states)}
        place = self._places.get(task.key)
        if choice is None or place is None:
            return {"gain_per_s": None, "gain_unit": None, "why": "waits: it has just come"}
        _, unit, scale = OBJECTIVES[self._rules.objective]
        known = math.isfinite(choice.table["best"][place])
        return {
            "gain_per_s": float(choice.rate[place]) * scale if known else None,
            "gain_unit": f"{unit}/s",
            "why": choice.why(place),
        }

    def _background(self, tasks: list[Task]) -> Background:
        """What closed tasks add to models that have open ones; other models are forgotten."""
        if not self._left:
            return Background(speeds=self._speeds)
        open_ = {use.model for task in tasks for use in task.state.uses}
        self._left = {model: kept for model, kept in self._left.items() if model in open_}
        models = {
            model: (
                sum(now for key, (now, _) in kept.items() if key not in self._tasks),
                sum(first for key, (_, first) in kept.items() if key not in self._tasks),
            )
            for model, kept in self._left.items()
        }
        return Background(models, self._speeds)
