"""The plan: drops join tasks, budgets and weights add up, turns go round."""

from __future__ import annotations

from typing import Any

from ansord.daemon.plan import Budget, Order, Plan
from ansord.daemon.spool import Drop
from ansord.scheduler import Rules
from ansord_client.subgraph import Subgraph
from tests.daemon.tiny import subgraph


def order(ticket: int, name: str, extent: int = 8, trials: int = 8, **fields: Any) -> Order:
    return Order(Drop(ticket, name, b"", 0.0), Subgraph.from_dict(subgraph(extent, trials, **fields)))


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
    assert {use.model: use.weight for use in task.uses} == {None: 5.0, "m": 8.0, "n": 1.0}


def test_a_drop_that_says_the_same_again_counts_once() -> None:
    plan = Plan()
    first = order(1, "a", weight=2.0)
    plan.add(first)
    assert plan.add(order(2, "a", weight=3.0)) == first.drop
    (task,) = plan
    assert [use.weight for use in task.uses] == [3.0] and [one.drop.ticket for one in task.orders] == [2]


def test_a_name_with_another_key_is_another_task() -> None:
    plan = Plan()
    assert plan.add(order(1, "a", 8)) is None and plan.add(order(2, "a", 9)) is None
    assert len(plan) == 2


def turns(plan: Plan, count: int, best_us: dict[str, float] | None = None) -> list[str]:
    """The labels of the next tasks; each turn is six trials in a second, and leaves the best at `best_us`."""
    names = []
    for _ in range(count):
        turn = plan.next(0.0)
        assert turn is not None and turn.ends is None
        names.append(turn.task.label)
        best = (best_us or {}).get(turn.task.label, 100.0) / 1e6
        plan.heard(turn.task, turn.task.curve.trials + 6, best, 1.0, 0.0)
    return names


def test_newcomers_go_first_and_equals_take_turns() -> None:
    plan = Plan(Rules(epsilon=0.0))
    for extent in (3, 4, 5):
        plan.add(order(extent, str(extent), extent, tuning={"trials": 64}))
    assert turns(plan, 6) == ["relu_3", "relu_4", "relu_5"] * 2
    plan.add(order(99, "late", 99))
    assert turns(plan, 1) == ["relu_99"]


def test_the_heavier_task_has_more_turns() -> None:
    plan = Plan(Rules(epsilon=0.0))
    plan.add(order(1, "a", 3, 256, weight=10.0))
    plan.add(order(2, "b", 4, 256, weight=1.0))
    names = turns(plan, 14)
    assert names.count("relu_3") > 2 * names.count("relu_4")


def test_a_higher_priority_goes_first() -> None:
    plan = Plan()
    plan.add(order(1, "a", 3, 64))
    plan.add(order(2, "b", 4, tuning={"trials": 64, "priority": 1}))
    assert turns(plan, 4) == ["relu_4", "relu_3", "relu_4", "relu_4"]


def test_a_drop_whose_deadline_has_passed_leaves_the_others_alone() -> None:
    plan = Plan()
    first = order(1, "a", tuning={"deadline_s": 5})
    plan.add(first)
    plan.add(order(2, "b"))
    turns(plan, 1)
    turn = plan.next(6.0)
    assert turn is not None and turn.ends == "ended: its deadline has passed"
    assert plan.due(turn.task, 6.0) == [first] and len(turn.task.orders) == 1
    after = plan.next(6.0)
    assert after is not None and after.ends is None


def test_a_target_counts_what_was_settled() -> None:
    """Two tasks of a model of 1 ms: the settled one's 0.9 ms leave 0.1 for the other."""
    uses = {"for": [{"model": "m", "weight": 1, "target_ms": 1}]}
    plan = Plan()
    plan.add(order(1, "a", 3, 64, **uses))
    plan.add(order(2, "b", 4, 64, **uses))
    turns(plan, 2, {"relu_3": 900.0, "relu_4": 150.0})
    plan.close(next(iter(plan)).key)
    turn = plan.next(0.0)
    assert turn is not None and turn.ends is None
    plan.heard(turn.task, 20, 90e-6, 1.0, 0.0)
    turn = plan.next(0.0)
    assert turn is not None and turn.ends == "ended: every model that runs it is within its target"


def test_the_outlook_says_why() -> None:
    plan = Plan(Rules(epsilon=0.0))
    for extent in (3, 4):
        plan.add(order(extent, str(extent), extent, 64, weight=float(extent)))
    first, second = plan
    assert plan.outlook(first)["why"] == "waits: it has just come"
    turns(plan, 2)
    plan.next(0.0)
    assert plan.outlook(second)["why"] == "next: it gains the most per second"
    waiting, leading = plan.outlook(first), plan.outlook(second)
    assert waiting["why"].startswith("waits: ") and "less than the next task's" in waiting["why"]
    assert 0 < waiting["gain_per_s"] < leading["gain_per_s"] and leading["gain_unit"] == "µs/s"
