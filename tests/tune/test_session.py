"""Sessions with real compilers and clocks: a kernel at once, a better one later, and nothing tried twice."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
import pytest_asyncio

from ansord.build import ChildDied
from ansord.record import FIRST, Measured, Trial
from ansord.store import replay
from ansord.tune import JOURNAL, Workshop, open_workshop
from ansord.tune.finalists import LEADERS, PACE
from ansord_client.entry import Entry
from ansord_client.subgraph import Subgraph

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow, pytest.mark.xdist_group("clock")]


def layer(rows: int) -> Subgraph:
    inputs = [{"name": "x", "shape": [rows, 48]}, {"name": "w", "shape": [48, 64], "constant": True}]
    nodes = [{"name": "y", "op": "matmul", "args": ["x", "w"]}, {"name": "z", "op": "relu", "args": ["y"]}]
    return Subgraph.from_dict({"ansord": 1, "inputs": inputs, "nodes": nodes, "outputs": ["z"]})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def places(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tune")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def workshop(places: Path) -> AsyncIterator[Workshop]:
    async with open_workshop(places / "cache", places / "state") as opened:
        yield opened


async def test_the_first_right_program_is_published_at_once(workshop: Workshop) -> None:
    session = await workshop.open(layer(40))
    published_after: list[int] = []

    def watch(trial: Trial) -> None:
        del trial
        if session.best is not None:
            published_after.append(session.trials)

    report = await session.round(2, watch)
    await session.close()
    assert len(report.trials) == 2 and all(isinstance(trial.outcome, Measured) for trial in report.trials)
    # The trial is told before its kernel is published, the next one after.
    assert published_after == [2] or published_after == [1, 2]
    assert session.best is not None and session.best.trials == 2


async def test_trials_count_are_journalled_and_never_repeated(workshop: Workshop, places: Path) -> None:
    session = await workshop.open(layer(41))
    while session.trials < 20:
        await session.round(20 - session.trials)
    await session.close()
    found = map(Trial.from_bytes, replay(places / "state" / JOURNAL))
    mine = [trial.program for trial in found if trial.key == session.task.key]
    assert len(mine) == len(set(mine)) == session.trials == 20
    assert session.curve == sorted(session.curve, reverse=True)
    best = session.best
    assert best is not None and (best.trials, best.failed_trials) == (20, session.failed_trials)
    assert best.program in mine
    assert best.latency_us / 1e6 <= 1.2 * session.curve[-1]

    again = await workshop.open(layer(41))
    assert again.trials == 20 and again.curve == session.curve
    await again.round(3)
    await again.close()
    after = [trial.program for trial in again.history]
    assert len(after) == len(set(after)) == 23


async def test_what_is_better_is_published_before_the_end(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No leap, and few trials: the published kernel is made to look a tenth slower than it is."""
    session = await workshop.open(layer(57))
    await session.round(FIRST)
    assert session.best is not None
    best = session.best
    fields: list[int] = []

    async def promoted(*given: object) -> Entry:
        fields.append(len(given[3]))  # type: ignore[arg-type]
        return best

    monkeypatch.setattr("ansord.tune.session.promote", promoted)
    session.best = replace(best, latency_us=1.1e6 * next(iter(session.fastest.values())))
    session._searched_s = PACE * session._comparing_s
    session._raced.clear()
    report = await session.round(100)
    await session.close()
    assert len(fields) == 1 and 1 <= fields[0] <= LEADERS and session.best is not None
    assert report.published is not None and len(report.trials) < 100


async def test_what_waits_at_the_end_of_a_round_begins_the_next(workshop: Workshop) -> None:
    session = await workshop.open(layer(42))
    await session.round(100)
    assert session.trials == FIRST
    waiting = {proposal.program for proposal in session._line._waiting}
    report = await session.round(len(waiting) + 2)
    assert waiting and waiting < {trial.program for trial in report.trials}
    await session.close()


async def test_a_search_that_dies_is_told_all_again(workshop: Workshop) -> None:
    """Between two thoughts the process is killed: the round goes on with another, and repeats nothing."""
    session = await workshop.open(layer(43))
    await session.round(4)
    before = workshop.tools.searcher.generation
    with contextlib.suppress(ChildDied):
        async with anyio.create_task_group() as group:
            group.start_soon(workshop.tools.searcher.think, session.task.key, [], [], 8)
            await anyio.sleep(0.02)
            (process,) = [pid for pid in family(os.getpid()) if "ansord.search.process" in words(pid)[1:3]]
            os.kill(process, signal.SIGKILL)
            group.cancel_scope.cancel()
    await session.round(4)
    await session.close()
    tried = [trial.program for trial in session.history]
    assert workshop.tools.searcher.generation == before + 1
    assert len(tried) == len(set(tried)) == 8


async def test_what_another_generator_wrote_is_no_finalist(workshop: Workshop) -> None:
    old = Trial(layer(44).key, workshop.tools.host.key, "of long ago | x=1", Measured(1e-9, (1e-9,)), 0.0)
    workshop.history[layer(44).key] = [old]
    session = await workshop.open(layer(44))
    assert session.best is None and session.trials == 1
    await session.round(3)
    await session.close()
    assert session.best is not None and session.best.program in session.fastest
    assert old.program not in session.fastest


def family(pid: int) -> list[int]:
    found = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [*found, *(other for one in found for other in family(one))]


def words(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
