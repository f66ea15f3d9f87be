"""The plan: drops join tasks, budgets and weights add up, turns go round."""

from __future__ import annotations

from typing import Any

from ansord.daemon.plan import WINDOW, Budget, Order, Plan
from ansord.daemon.spool import Drop
from ansord_client.subgraph import Subgraph
from tests.daemon.tiny import subgraph


def order(ticket: int, name: str, extent: int = 8, **fields: Any) -> Order:
    return Order(Drop(ticket, name, b"", 0.0), Subgraph.from_dict(subgraph(extent, **fields)))


def test_drops_with_one_key_join_one_task() -> None:
    plan = Plan()
    assert plan.add(order(1, "a", tuning={"trials": 10, "seconds": 5})) is None
    assert plan.add(order(2, "b", tuning={"trials": 3, "seconds": 50})) is None
    (task,) = plan
    assert len(task.orders) == 2 and task.budget == Budget(10, 50)


def test_weights_are_summed_per_model() -> None:
    plan = Plan()
    plan.add(order(1, "a", weight=2.0))
    plan.add(order(2, "b", weight=3.0))
    plan.add(order(3, "c", **{"for": [{"model": "m", "weight": 4}, {"model": "n", "weight": 1}]}))
    plan.add(order(4, "d", **{"for": [{"model": "m", "weight": 4}]}))
    (task,) = plan
    assert task.weights == {None: 5.0, "m": 8.0, "n": 1.0}


def test_a_drop_that_says_the_same_again_counts_once() -> None:
    plan = Plan()
    first = order(1, "a", weight=2.0)
    plan.add(first)
    assert plan.add(order(2, "a", weight=3.0)) == first.drop
    (task,) = plan
    assert task.weights == {None: 3.0} and [one.drop.ticket for one in task.orders] == [2]


def test_a_name_with_another_key_is_another_task() -> None:
    plan = Plan()
    assert plan.add(order(1, "a", 8)) is None and plan.add(order(2, "a", 9)) is None
    assert len(plan) == 2


def test_newcomers_go_first_and_the_oldest_take_turns() -> None:
    plan = Plan()
    for extent in range(1, WINDOW + 3):
        plan.add(order(extent, str(extent), extent))
    names = [task.label for task in (plan.next() for _ in range(2 * WINDOW + 2)) if task is not None]
    assert names == [f"relu_{extent}" for extent in [*range(1, WINDOW + 3), *range(1, WINDOW + 1)]]
    assert [plan.waits(task) for task in plan] == [False] * WINDOW + [True] * 2
    plan.close(next(iter(plan)).key)
    assert [plan.waits(task) for task in plan] == [False] * WINDOW + [True]
    plan.add(order(99, "late", 99))
    late = plan.next()
    assert late is not None and late.label == "relu_99"


def test_turns_go_round() -> None:
    plan = Plan()
    assert plan.next() is None
    for extent in (3, 4, 5):
        plan.add(order(extent, str(extent), extent))
    names = []
    for _ in range(6):
        task = plan.next()
        assert task is not None
        names.append(task.label)
    assert names == ["relu_3", "relu_4", "relu_5"] * 2
    plan.close(next(iter(plan)).key)
    assert len(plan) == 2
