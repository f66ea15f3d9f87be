"""What there is to tune, and whose turn it is: tasks by key, fed by drops. Pure bookkeeping.

The inbox adds drops, the tuner asks `next` and reports back. It does no I/O and knows no session.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ansord.daemon.spool import Drop
from ansord_client.subgraph import Subgraph


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
    """The open tasks, the one whose turn it is first."""

    def __init__(self) -> None:
        self._tasks: OrderedDict[str, Task] = OrderedDict()

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
        """The task whose turn it is; it goes to the end of the line."""
        if not self._tasks:
            return None
        key = next(iter(self._tasks))
        self._tasks.move_to_end(key)
        return self._tasks[key]

    def close(self, key: str) -> Task:
        """Takes a task out, with every order that joined it until now."""
        return self._tasks.pop(key)
