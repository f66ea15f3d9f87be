"""The tuner and the publisher, with sessions that count: turns, budgets, faults, shortages, drains."""

from __future__ import annotations

import errno
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import pytest

from ansord.daemon.foreground import tune_all
from ansord.daemon.plan import Order, Plan, Task
from ansord.daemon.publisher import Publisher
from ansord.daemon.spool import Spool
from ansord.daemon.tuner import WINDOW, Tuner, progress
from ansord.scheduler import Rules
from ansord.scheduler.state import FEWER
from ansord_client.entry import Entry
from ansord_client.subgraph import Subgraph
from tests.daemon.tiny import Session, Workshop, entry, subgraph


class Bench:
    """A tuner and a publisher on a spool, without an inbox service."""

    def __init__(self, root: Path) -> None:
        self.inbox = root / "inbox"
        self.spool = Spool(self.inbox)
        self.plan = Plan()
        self.workshop = Workshop(root / "trials")
        self.publisher = Publisher(self.spool, lambda: None, retry_s=0.05)
        self.tuner = Tuner(self.plan, self.workshop, self.publisher.put, lambda: None, wait_s=0.05)

    def drop(self, name: str, extent: int = 8, trials: int = 8, **fields: Any) -> None:
        value = subgraph(extent, trials, **fields)
        data = json.dumps(value).encode()
        (self.inbox / f"{name}.json").write_bytes(data)
        self.plan.add(Order(self.spool.claim(name, data), Subgraph.from_dict(value)))
        self.tuner.wake()

    def record(self, name: str) -> dict[str, Any] | None:
        for path in (self.inbox / f"done/{name}.result.json", self.inbox / f"failed/{name}.error.json"):
            if path.exists():
                return dict(json.loads(path.read_bytes()), folder=path.parent.name)
        return None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with anyio.create_task_group() as group:
            group.start_soon(self.publisher.run)
            group.start_soon(self.tuner.run)
            yield
            group.cancel_scope.cancel()


async def until(condition: Callable[[], object]) -> None:
    with anyio.fail_after(10):
        while not condition():
            await anyio.sleep(0.005)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.asyncio
async def test_a_task_is_tuned_to_its_budget_and_settled(bench: Bench) -> None:
    async with bench.running():
        bench.drop("a", trials=10)
        await until(lambda: bench.record("a"))
    record = bench.record("a")
    assert record is not None and record["folder"] == "done"
    assert (record["trials"], record["latency_us"], record["name"]) == (10, 100.0, "relu_8")
    assert all(session.closed for session in bench.workshop.opened)


@pytest.mark.asyncio
async def test_open_tasks_take_turns(bench: Bench) -> None:
    bench.drop("a", 3, 12)
    bench.drop("b", 4, 12)
    async with bench.running():
        await until(lambda: bench.record("a") and bench.record("b"))
    a, b = dict.fromkeys(bench.workshop.turns)
    assert bench.workshop.turns == [a, b] * 3


@pytest.mark.asyncio
async def test_each_drop_of_a_key_gets_its_result(bench: Bench) -> None:
    bench.drop("a", trials=4)
    bench.drop("b", trials=8)
    async with bench.running():
        await until(lambda: bench.record("a") and bench.record("b"))
    a, b = bench.record("a"), bench.record("b")
    assert a and b and a["trials"] == b["trials"] == 8
    assert a["drop_sha256"] != b["drop_sha256"]


@pytest.mark.asyncio
async def test_a_key_that_has_its_trials_finishes_at_once(bench: Bench) -> None:
    async with bench.running():
        bench.drop("a", trials=8)
        await until(lambda: bench.record("a"))
        turns = len(bench.workshop.turns)
        bench.drop("b", trials=8)
        await until(lambda: bench.record("b"))
        assert len(bench.workshop.turns) == turns
        bench.drop("c", trials=12)
        await until(lambda: bench.record("c"))
        assert len(bench.workshop.turns) == turns + 1


@pytest.mark.asyncio
async def test_seconds_end_a_task_too(bench: Bench) -> None:
    bench.workshop.seconds = 0.05
    async with bench.running():
        bench.drop("a", tuning={"trials": 100_000, "seconds": 0.2})
        await until(lambda: bench.record("a"))
    record = bench.record("a")
    assert record is not None and 8 <= record["trials"] <= 24


@pytest.mark.asyncio
async def test_a_poisoned_task_fails_and_stops_nothing(bench: Bench) -> None:
    bench.drop("poison", 3)
    bench.drop("good", 4)
    poisoned = next(iter(bench.plan)).key

    def before(task: Task) -> None:
        if task.key == poisoned:
            raise ValueError("cannot divide by cucumber")

    bench.workshop.before_round = before
    async with bench.running():
        await until(lambda: bench.record("good") and bench.record("poison"))
    record = bench.record("poison")
    assert record is not None and record["folder"] == "failed"
    assert record["cause"] == "tuning failed" and "cucumber" in record["found"]
    assert bench.workshop.turns.count(poisoned) == 3


@pytest.mark.asyncio
async def test_a_session_without_a_kernel_fails_its_drops(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Session, "best", None)
    async with bench.running():
        bench.drop("a", trials=4)
        await until(lambda: bench.record("a"))
    record = bench.record("a")
    assert record is not None and record["cause"] == "tuning failed" and "4 trials" in record["found"]


@pytest.mark.asyncio
async def test_a_full_disk_is_nobodys_fault(bench: Bench) -> None:
    left = [5]

    def before(task: Task) -> None:
        left[0] -= 1
        if left[0] >= 0:
            raise OSError(errno.ENOSPC, "No space left on device")

    bench.workshop.before_round = before
    async with bench.running():
        bench.drop("a", trials=4)
        await until(lambda: bench.tuner.trouble)
        assert "No space" in str(bench.tuner.trouble)
        await until(lambda: bench.record("a"))
    record = bench.record("a")
    assert record is not None and record["folder"] == "done"


@pytest.mark.asyncio
async def test_results_that_cannot_be_written_are_written_later(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle, failures = bench.spool.settle, [3]

    def full(*arguments: Any) -> None:
        failures[0] -= 1
        if failures[0] >= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        settle(*arguments)

    monkeypatch.setattr(bench.spool, "settle", full)
    async with bench.running():
        bench.drop("a", trials=4)
        await until(lambda: bench.publisher.trouble)
        await until(lambda: bench.record("a"))
        await until(lambda: bench.publisher.trouble is None)


@pytest.mark.asyncio
async def test_a_drain_lets_the_round_finish(bench: Bench) -> None:
    bench.workshop.seconds = 0.1
    async with bench.running():
        bench.drop("a", trials=100)
        await until(lambda: bench.workshop.turns)
        await bench.tuner.drain()
        assert len(bench.workshop.turns) == 1 and bench.workshop.opened[0].trials == 4
        assert bench.workshop.opened[0].closed


@pytest.mark.asyncio
async def test_a_flood_does_not_keep_every_search_open(bench: Bench) -> None:
    most, closed = [0], list[dict[str, Any]]()

    def before(task: Task) -> None:
        most[0] = max(most[0], len(bench.tuner.sessions))
        had = {key for key in bench.workshop.turns if key not in bench.tuner.sessions}
        tasks = [task for task in bench.plan if task.key in had]
        closed.extend(progress(task, None, bench.plan.outlook(task)) for task in tasks)

    bench.workshop.before_round = before
    count = WINDOW + 8
    for extent in range(1, count + 1):
        bench.drop(f"d{extent}", extent, 12)
    async with bench.running():
        await until(lambda: all(bench.record(f"d{extent}") for extent in range(1, count + 1)))
    assert most[0] <= WINDOW + 1
    assert closed and all(one["trials"] and one["latency_us"] for one in closed), "what is closed is known"
    assert len(set(bench.workshop.turns[:count])) == count, "each has a kernel before any has a second turn"


@pytest.mark.asyncio
@pytest.mark.parametrize("relaxed", [False, True])
async def test_a_kernel_that_needs_fewer_operations_has_a_lower_roof(
    bench: Bench, relaxed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def at_twice_the_roof(key: str, trials: int) -> Entry:
        return replace(entry(key, trials), latency_us=100.0, share_of_bound=2.0, relaxed=relaxed)

    monkeypatch.setattr("tests.daemon.tiny.entry", at_twice_the_roof)
    async with bench.running():
        bench.drop("a", trials=400)
        await until(lambda: len(bench.workshop.turns) > 2)
    (task,) = bench.plan
    assert task.least == pytest.approx(200e-6 / (FEWER if relaxed else 1.0))


@pytest.mark.asyncio
async def test_in_the_foreground_patience_ends_a_task_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its kernel never gets better: as configured, it is given up long before its budget."""

    def steady(key: str, trials: int) -> Entry:
        return replace(entry(key, trials), latency_us=100.0)

    monkeypatch.setattr("tests.daemon.tiny.entry", steady)
    drops = {"a": json.dumps(subgraph(8, 400)).encode()}
    trials = {}
    for patience in (16, None):
        begin = SimpleNamespace(open=Workshop(tmp_path / str(patience)))
        rules = Rules(patience=patience, mature=1 << 30)
        ((_, folder, record),) = await tune_all(begin, drops, lambda tasks: None, rules)
        assert folder == "done"
        trials[patience] = record["trials"]
    assert 16 <= trials[16] < 64 and trials[None] == 400
