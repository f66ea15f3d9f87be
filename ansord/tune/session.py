"""One task's search over time: propose, build, measure, journal, publish what is better.

The daemon and the command line call `round` again and again. Every trial is journalled before the next
one starts, and a session that is given its task's earlier trials goes on where they ended.
"""

from __future__ import annotations

import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import anyio
import anyio.to_thread
import numpy as np

from ansord.build import Artifact
from ansord.emit import Source, emit
from ansord.measure import Budget, Candidate, Runner
from ansord.nest import Program, parse_program
from ansord.record import BuildFailed, Measured, Outcome, Trial
from ansord.search import Proposer
from ansord.tune.promote import GAIN, Counts, promote
from ansord.tune.task import Task
from ansord.tune.tools import Tools
from ansord_client.entry import Entry

BATCH = 16
"""Programs of a round: enough to keep two compilers busy, few enough for the model to say what is next."""
LEAP = 0.9
"""How much faster than the published kernel a program must seem to be published before the last round."""
RESERVES = 3
"""Programs that are tried in turn when nothing is published yet."""
FIRST = 6
"""Of the first round, so that a baseline is published within seconds."""


@dataclass(frozen=True)
class RoundReport:
    """What one round did: its trials, and the entry that it published, if any."""

    trials: tuple[Trial, ...]
    published: Entry | None
    seconds: float


@dataclass(frozen=True)
class Built:
    """A program on its way through a round."""

    program: Program
    source: Source
    artifact: Artifact | BuildFailed

    @property
    def candidate(self) -> Candidate:
        """What the runner is given; only for what was built."""
        assert isinstance(self.artifact, Artifact)
        return Candidate(self.artifact.path, self.source.packed_bytes, self.source.scratch_bytes)


Watch = Callable[[Trial], None]


class Session:
    """The search of one task with the tools of one host.

    `history`: the task's trials so far, of earlier processes too; they count and are never repeated. The
    session appends its own.
    """

    def __init__(
        self, task: Task, tools: Tools, *, seed: int = 0, history: list[Trial] | None = None
    ) -> None:
        self.task = task
        self.tools = tools
        self.proposer = Proposer(task.space, np.random.default_rng([seed, int(task.key[:8], 16)]))
        self.curve: list[float] = []
        """Seconds of the best program after each trial."""
        self.failed_trials = 0
        self.done = False
        self.best: Entry | None = tools.store.find(task.key, tools.host.key)
        self.fastest: tuple[Program, float] | None = None
        self._runner: Runner | None = None
        self.history: list[Trial] = [] if history is None else history
        for trial in self.history:
            self._remember(trial)
        if self.curve:
            self.proposer.learn()

    @property
    def trials(self) -> int:
        """Programs tried so far, failed ones and those of earlier processes included."""
        return len(self.curve)

    async def ensure_published(self) -> None:
        """Publishes the best of the trials so far where nothing is published.

        So it is after a crash between a trial and its publication, with a cache that was wiped, or when the
        very best did not stand the last check.
        """
        if self.best is not None:
            return
        measured = (trial for trial in self.history if isinstance(trial.outcome, Measured))
        for trial in sorted(measured, key=lambda trial: trial.outcome.seconds)[:RESERVES]:
            program = self._parsed(trial)
            if program is not None and await self._promote(program) is not None:
                return

    async def close(self) -> None:
        """Lets go of the runner, which a next round makes anew; the entry learns the final counts."""
        if self.best is not None and self.best.trials != self.trials:
            code = self.tools.store.code(self.best)
            if code is not None:
                self.best = replace(self.best, trials=self.trials, failed_trials=self.failed_trials)
                await anyio.to_thread.run_sync(self.tools.store.publish, self.best, code)
        if self._runner is not None:
            runner, self._runner = self._runner, None
            await runner.__aexit__(None, None, None)

    async def round(self, limit: int = BATCH, watch: Watch | None = None) -> RoundReport:
        """Tries up to `limit` programs; publishes the best when it is better than what is published.

        `watch` is called with each trial once it is in the journal.
        """
        started = time.monotonic()
        count = min(limit, BATCH if self.trials else FIRST)
        programs = await anyio.to_thread.run_sync(self.proposer.propose, count)
        if not programs:
            self.done = True
            return RoundReport((), None, time.monotonic() - started)
        trials: list[Trial] = []
        async with self._built(programs) as candidates:
            async for built in candidates:
                trials.append(await self._try(built))
                if watch is not None:
                    watch(trials[-1])
        await anyio.to_thread.run_sync(self.proposer.learn)
        before = self.best
        await self._publish(last=count >= limit)
        await self.ensure_published()
        published = self.best if self.best is not before else None
        return RoundReport(tuple(trials), published, time.monotonic() - started)

    @asynccontextmanager
    async def _built(self, programs: list[Program]) -> AsyncIterator[AsyncIterator[Built]]:
        """The programs as they come out of the compilers, in whatever order."""
        send, receive = anyio.create_memory_object_stream[Built](len(programs))

        async def build(program: Program) -> None:
            source = await anyio.to_thread.run_sync(emit, program)
            await send.send(Built(program, source, await self.tools.builder.build(source.text)))

        async def build_all() -> None:
            async with send, anyio.create_task_group() as group:
                for program in programs:
                    group.start_soon(build, program)

        async with receive, anyio.create_task_group() as group:
            group.start_soon(build_all)
            yield receive

    async def _try(self, built: Built) -> Trial:
        """Measures one candidate and journals what became of it."""
        started = time.time()
        outcome: Outcome
        if isinstance(built.artifact, BuildFailed):
            outcome = built.artifact
        else:
            budget = Budget(
                best=self.fastest[1] if self.fastest else None, cold=self.task.subgraph.tuning.cold
            )
            runner = await self.runner()
            outcome = await runner.run(built.candidate, budget)
        trial = Trial(self.task.key, self.tools.host.key, str(built.program), outcome, started)
        self.tools.journal.append(trial.to_bytes())
        self.history.append(trial)
        self._remember(trial, built.program)
        if isinstance(built.artifact, Artifact):
            built.artifact.discard()
        return trial

    def _remember(self, trial: Trial, program: Program | None = None) -> None:
        program = program or self._parsed(trial)
        seconds = trial.outcome.seconds
        if not isinstance(trial.outcome, Measured):
            self.failed_trials += 1
        self.curve.append(min(seconds, self.curve[-1] if self.curve else math.inf))
        if program is not None:
            self.proposer.tell(program, seconds)
            if seconds < (self.fastest[1] if self.fastest else math.inf):
                self.fastest = (program, seconds)

    def _parsed(self, trial: Trial) -> Program | None:
        """The trial's program; None where another generator wrote it: it counts, but teaches nothing."""
        try:
            return parse_program(trial.program, self.task.dag, self.task.target)
        except ValueError:
            return None

    async def _publish(self, last: bool) -> None:
        """Publishes the fastest program where it seems better than what is published: by much while there
        are trials left, since the comparison in pairs costs seconds; by anything in the last round."""
        if self.fastest is None:
            return
        program, seconds = self.fastest
        known = math.inf if self.best is None else self.best.latency_us / 1e6
        if seconds < known * (GAIN if last else LEAP):
            await self._promote(program)

    async def _promote(self, program: Program) -> Entry | None:
        """Builds the program as it will be served and publishes it, if it beats what is published."""
        counts = Counts(self.trials, self.failed_trials)
        entry = await promote(self.task, self.tools, await self.runner(), program, self.best, counts)
        if entry is not None:
            self.best = entry
        return entry

    async def runner(self) -> Runner:
        """The task's runner, made with its first use."""
        if self._runner is None:
            self._runner = await self.tools.stand.runner(self.task.subgraph).__aenter__()
        return self._runner
