"""Sessions with real compilers and clocks: a kernel at once, a better one later, and nothing tried twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from ansord.record import Measured, Trial
from ansord.store import replay
from ansord.tune import JOURNAL, Workshop, open_workshop
from ansord.tune.session import FIRST
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


async def test_a_session_without_a_limit_looks_ahead(workshop: Workshop) -> None:
    session = await workshop.open(layer(42))
    await session.round(100)
    ahead = [proposal.program for proposal in session._ahead]
    assert session.trials == FIRST and ahead
    report = await session.round(100)
    assert sorted(trial.program for trial in report.trials) == sorted(ahead)
    await session.close()
