"""The line between the search and the test stand: never long, never idle, and it ends with the space."""

from __future__ import annotations

import itertools
from pathlib import Path

import anyio
import pytest

from ansord.build import Artifact
from ansord.emit import Source
from ansord.tune.line import STEP, WAITING, Line
from ansord.tune.searcher import Proposal

BUILDERS = 2


class Bench:
    """Thinks and builds within a turn of the loop; keeps what it was asked, with what had landed by then."""

    def __init__(self, programs: int = 1000) -> None:
        self.names = iter([str(number) for number in range(programs)])
        self.landed: list[str] = []
        self.thoughts: list[tuple[int, int, int]] = []
        """(how many were asked for, how many were on their way, how many had landed)."""
        self.proposed_after: dict[str, int] = {}
        self.line = Line(self.think, self.build, BUILDERS)

    async def think(self, count: int, flying: list[str]) -> list[Proposal]:
        assert len(set(flying)) == len(flying) and not set(flying) & set(self.landed)
        self.thoughts.append((count, len(flying), len(self.landed)))
        names = list(itertools.islice(self.names, count))
        self.proposed_after |= dict.fromkeys(names, len(self.landed))
        await anyio.sleep(0)
        return [Proposal(name, Source("", 0, 0, 1, False)) for name in names]

    async def build(self, proposal: Proposal) -> Artifact:
        await anyio.sleep(0)
        return Artifact(Path(proposal.program), "")

    async def round(self, count: int, left: int) -> int:
        before = len(self.landed)
        async with self.line.run(count, left) as built:
            async for one in built:
                await anyio.sleep(0.001)
                self.landed.append(one.proposal.program)
                self.line.landed(one.proposal.program)
        return len(self.landed) - before


pytestmark = pytest.mark.asyncio


async def test_rounds_try_as_many_as_they_are_asked_for() -> None:
    bench = Bench()
    assert [await bench.round(count, 100) for count in (4, 16, 1, 16)] == [4, 16, 1, 16]
    assert len(set(bench.landed)) == 37


async def test_a_program_follows_from_all_but_the_last_few_results() -> None:
    """Whatever it waited for: the compilers' seats, one at the clock, those that wait and its own kind."""
    bench = Bench()
    await bench.round(4, 100)
    for _ in range(3):
        await bench.round(16, 96)
    unknown = [place - bench.proposed_after[name] for place, name in enumerate(bench.landed)]
    assert max(unknown) <= BUILDERS + WAITING + STEP
    assert sum(bench.proposed_after[name] == 0 for name in bench.landed) == STEP


async def test_it_thinks_no_further_than_the_task_will_go() -> None:
    bench = Bench()
    assert await bench.round(4, 10) == 4
    assert await bench.round(6, 6) == 6
    assert sum(count for count, _, _ in bench.thoughts) == 10


async def test_it_ends_with_the_space() -> None:
    bench = Bench(programs=6)
    found = [(await bench.round(16, 100), bench.line.ended) for _ in range(2)]
    assert found == [(6, True), (0, True)]


async def test_what_was_cut_off_is_no_more_on_its_way() -> None:
    bench = Bench()
    async with anyio.create_task_group() as group:
        group.start_soon(bench.round, 4, 100)
        await anyio.sleep(0.002)
        group.cancel_scope.cancel()
    assert await bench.round(8, 96) == 8
    assert all(flying <= STEP + BUILDERS + WAITING for _, flying, _ in bench.thoughts)
