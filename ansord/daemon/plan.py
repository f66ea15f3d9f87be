"""What there is to tune, and whose turn it is: tasks by key, fed by drops. Pure bookkeeping.

The inbox adds drops, the tuner asks `next` and reports back. It does no I/O and knows no session.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ansord.daemon.spool import Drop
from ansord_client.subgraph import Subgraph

WINDOW = 8
"""Tasks that take turns beyond their first one: an open search holds memory, and reopening it costs time."""


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


@dataclass(slots=True)
class Task:
    """All orders for one key, which share one search."""

    key: str
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
    def weights(self) -> Mapping[str | None, float]:
        """How often each model runs it; None is the model that has no name."""
        sums: dict[str | None, float] = {}
        for order in self.orders:
            for use in order.subgraph.uses:
                sums[use.model] = sums.get(use.model, 0.0) + use.weight
        return sums


class Plan:
    """The open tasks in the order of their arrival.

    A task that had no turn yet goes first, so that each has a kernel soon; then the oldest take turns.
    """

    def __init__(self) -> None:
        self._tasks: dict[str, Task] = {}
        self._turns = itertools.count(1)

    def __len__(self) -> int:
        return len(self._tasks)

    def __iter__(self) -> Iterator[Task]:
        return iter(list(self._tasks.values()))

    def add(self, order: Order) -> Drop | None:
        """Joins the task of the order's key, or opens one.

        An order of the same name and key is replaced, so that dropping a file twice does not count its weight
        twice; its drop is returned, for the spool to forget.
        """
        task = self._tasks.setdefault(order.subgraph.key, Task(order.subgraph.key))
        older = next((one for one in task.orders if one.drop.name == order.drop.name), None)
        if older is None:
            task.orders.append(order)
            return None
        task.orders[task.orders.index(older)] = order
        return older.drop

    def next(self) -> Task | None:
        """The task whose turn it is."""
        task = next((task for task in self._tasks.values() if task.last_turn == 0), None)
        if task is None:
            task = min(self._oldest(), key=lambda one: one.last_turn, default=None)
        if task is not None:
            task.last_turn = next(self._turns)
        return task

    def waits(self, task: Task) -> bool:
        """Whether its next turn is so far away that its search is better closed until then."""
        return all(one is not task for one in self._oldest())

    def close(self, key: str) -> Task:
        """Takes a task out, with every order that joined it until now."""
        return self._tasks.pop(key)

    def _oldest(self) -> list[Task]:
        return list(itertools.islice(self._tasks.values(), WINDOW))
