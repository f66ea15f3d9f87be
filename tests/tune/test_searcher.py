"""The searching process: asked, killed, held still; and what it says of a task."""

from __future__ import annotations

import math
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
import pytest_asyncio

from ansord.build import ChildDied
from ansord.emit import emit
from ansord.nest import Target, parse_program
from ansord.search import Knowledge, Task
from ansord.tune.searcher import Searcher, SearchFailed
from tests.subjects import SUBJECTS

pytestmark = pytest.mark.asyncio(loop_scope="module")
TARGET = Target(threads=2)
TASK = Task(SUBJECTS["matmul_bias_relu"].graph, TARGET)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def searcher() -> AsyncIterator[Searcher]:
    async with Searcher() as made:
        yield made


async def begin(searcher: Searcher, strategy: str = "full") -> None:
    await searcher.open(TASK.key, TASK.subgraph, TARGET, 0, strategy)


@pytest.mark.parametrize("strategy", ["full", "random"])
async def test_programs_come_with_their_c_and_none_twice(searcher: Searcher, strategy: str) -> None:
    await begin(searcher, strategy)
    first = await searcher.think(TASK.key, [], [], 5)
    flying = [proposal.program for proposal in first]
    second = await searcher.think(TASK.key, [], flying, 5)
    told = [(program, 1e-6 * (place + 1)) for place, program in enumerate(flying)]
    third = await searcher.think(TASK.key, told, [proposal.program for proposal in second], 5)
    programs = [proposal.program for proposal in (*first, *second, *third)]
    assert len(programs) == len(set(programs)) == 15
    for proposal in third:
        assert proposal.source == emit(parse_program(proposal.program, TASK.dag, TARGET))
        assert await searcher.emit(TASK.key, proposal.program) == proposal.source


async def test_what_another_generator_wrote_teaches_nothing(searcher: Searcher) -> None:
    await begin(searcher)
    assert await searcher.think(TASK.key, [("of long ago | x=1", 1e-6), ("no program", math.inf)], [], 2)
    assert await searcher.emit(TASK.key, "no program") is None


async def test_a_task_that_was_closed_is_not_known(searcher: Searcher) -> None:
    await begin(searcher)
    await searcher.close(TASK.key)
    with pytest.raises(SearchFailed, match="KeyError"):
        await searcher.think(TASK.key, [], [], 1)


async def test_a_process_that_dies_is_replaced(searcher: Searcher) -> None:
    await begin(searcher)
    before = searcher.generation
    (leash,) = children_of(os.getpid())
    (process,) = children_of(leash)
    os.kill(process, signal.SIGKILL)
    with pytest.raises(ChildDied):
        await searcher.think(TASK.key, [], [], 1)
    await begin(searcher)
    assert searcher.generation == before + 1
    assert len(await searcher.think(TASK.key, [], [], 1)) == 1


async def test_it_is_held_still(searcher: Searcher) -> None:
    await begin(searcher)
    answered = anyio.Event()

    async def think() -> None:
        await searcher.think(TASK.key, [], [], 8)
        answered.set()

    async with anyio.create_task_group() as group, searcher.paused():
        (leash,) = children_of(os.getpid())
        (process,) = children_of(leash)
        assert state_of(process) == "T"
        group.start_soon(think)
        await anyio.sleep(0.3)
        assert not answered.is_set()
    assert answered.is_set() and state_of(process) != "T"


def children_of(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


async def test_what_was_learned_is_kept_at_the_end(tmp_path: Path) -> None:
    """Closing many tasks writes the file once in a while, and the end once more: the last is in it, too."""
    memory = tmp_path / "learned.bin"
    other = Task(SUBJECTS["softmax"].graph, TARGET)
    async with Searcher(memory) as searcher:
        for task in (TASK, other):
            await searcher.open(task.key, task.subgraph, TARGET, 0, "full")
            first = await searcher.think(task.key, [], [], 2)
            await searcher.think(task.key, [(one.program, 1e-6) for one in first], [], 1)
            await searcher.close(task.key)
        assert list(Knowledge(None, memory).tasks) == [TASK.key]
    assert list(Knowledge(None, memory).tasks) == [TASK.key, other.key]
