"""Programs on their way from the search to the test stand: thought of, waiting for a compiler, built.

All of it goes on side by side. Few wait, and whenever too few do the search is asked for some more with every
result so far: what is tried next follows from all but the last handful of trials.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
from anyio.streams.memory import MemoryObjectSendStream

from ansord.build import Artifact
from ansord.record import BuildFailed
from ansord.tune.searcher import Proposal

STEP = 4
"""Programs that the search is asked for at once: a thought costs about as much as one or two trials."""
WAITING = 3
"""With fewer that wait, it is asked again: as many are built in the time of a thought."""


@dataclass(frozen=True)
class Built:
    """A program on its way, as it left the compiler."""

    proposal: Proposal
    artifact: Artifact | BuildFailed


Think = Callable[[int, list[str]], Awaitable[list[Proposal]]]
"""How many → as many new programs, beside those on their way; none where the space is exhausted."""
Build = Callable[[Proposal], Awaitable[Artifact | BuildFailed]]


class Line:
    """Of one session, over all its rounds: what waits at the end of one is the beginning of the next."""

    def __init__(self, think: Think, build: Build, builders: int) -> None:
        self._think = think
        self._build = build
        self._builders = builders
        self._waiting = deque[Proposal]()
        self._flying: set[str] = set()
        """Under the compilers or being measured."""
        self._news = True
        """Whether there are results that the search was not told."""
        self._dry = False
        self._changed = anyio.Event()

    @property
    def ended(self) -> bool:
        """Whether the space is exhausted."""
        return self._dry and not self._waiting

    @asynccontextmanager
    async def run(self, count: int, left: int) -> AsyncIterator[AsyncIterator[Built]]:
        """`count` programs in the order in which they leave the compilers, fewer where the space ends.

        `left`: how many the task will try at most, these included: so far the search may think ahead.
        Each must be called `landed` once its trial is in the history.
        """
        # Nothing is buffered: who has built one waits for the clock, so that what is built is never old.
        send, receive = anyio.create_memory_object_stream[Built]()
        self._count, self._left = count, left
        try:
            async with receive, anyio.create_task_group() as group:
                group.start_soon(self._keep_thinking)
                group.start_soon(self._build_all, send)
                yield receive
        finally:
            self._flying.clear()

    def landed(self, program: str) -> None:
        """The program was tried, and the search can be told."""
        self._flying.discard(program)
        self._news = True
        self._stir()

    async def _keep_thinking(self) -> None:
        while not self._dry and len(self._waiting) < self._left:
            # Without news a second thought would be as blind as the last.
            due = self._news or not (self._flying or self._waiting)
            if due and len(self._waiting) < WAITING:
                self._news = False
                on_their_way = [*self._flying, *(proposal.program for proposal in self._waiting)]
                found = await self._think(min(STEP, self._left - len(self._waiting)), on_their_way)
                self._waiting.extend(found)
                self._dry = not found
                self._stir()
            elif self._count:
                await self._changed.wait()
            else:
                return

    async def _build_all(self, send: MemoryObjectSendStream[Built]) -> None:
        async def build() -> None:
            while (proposal := await self._next()) is not None:
                await send.send(Built(proposal, await self._build(proposal)))

        async with send, anyio.create_task_group() as group:
            for _ in range(self._builders):
                group.start_soon(build)

    async def _next(self) -> Proposal | None:
        """What is built next; None at the end of the round."""
        while self._count and not self.ended:
            if self._waiting:
                proposal = self._waiting.popleft()
                self._flying.add(proposal.program)
                self._count -= 1
                self._left -= 1
                self._stir()
                return proposal
            await self._changed.wait()
        return None

    def _stir(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()
