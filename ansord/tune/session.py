"""One task's search over time: propose, build, measure, journal, publish what is better.

The daemon and the command line call `round` again and again. While programs are built and measured the next
ones are being thought of, in a process of its own, so that compilers and clocks wait for nobody. Every trial
is journalled before the next one starts, and a session that is given its task's earlier trials goes on where
they ended.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import anyio
import anyio.to_thread

from ansord.build import Artifact, ChildDied
from ansord.emit import Source
from ansord.measure import Budget, Runner
from ansord.record import BATCH, FIRST, BuildFailed, Measured, Outcome, Trial
from ansord.search import Task
from ansord.tune.finalists import LEADERS, asking, due, finalists, kept
from ansord.tune.line import Built, Line
from ansord.tune.promote import GAIN, Counts, promote, publish
from ansord.tune.searcher import Proposal
from ansord.tune.tools import Tools
from ansord_client.entry import Entry

HASTE_S, PATIENCE_S = 0.5, 10.0
"""How long the timing of the first program and of leaders waits for undisturbed samples, and that of
finalists."""
LEAP = 0.85
"""How much faster than the published kernel a program must be to be published at once, as it was measured:
by more than any two measurements differ."""
COMPARING_S = 1.0
"""What a comparison of the fastest programs is thought to take before the first."""


@dataclass(frozen=True)
class RoundReport:
    """What one round did: its trials, and the entry that it published, if any."""

    trials: tuple[Trial, ...]
    published: Entry | None
    seconds: float


Watch = Callable[[Trial], None]


class Session:
    """The search of one task with the tools of one host.

    `history`: the task's trials so far, of earlier processes too; they count and are never repeated. The
    session appends its own.
    """

    def __init__(
        self,
        task: Task,
        tools: Tools,
        *,
        seed: int = 0,
        history: list[Trial] | None = None,
        strategy: str = "full",
    ) -> None:
        self.task = task
        self.tools = tools
        self.seed = seed
        self.strategy = strategy
        self.curve: list[float] = []
        """Seconds of the best program after each trial."""
        self.failed_trials = 0
        self.done = False
        self.best: Entry | None = tools.store.find(task.key, tools.host.key)
        self.fastest: dict[str, float] = {}
        """Seconds of the fastest programs, by their text, best first."""
        self._sources: dict[str, Source] = {}
        """Their C, where this process has met them: a long text is not written twice."""
        self._runner: Runner | None = None
        self._making = anyio.Lock()
        self._line = Line(self._think, self._build, tools.builder.workers)
        self._told = 0
        self._generation = 0
        self._compared = self._settled = 0
        """Trials at the last comparison, and at the last of all finalists."""
        self._searched_s = 0.0
        """Spent on trials since the last comparison, which took `_comparing_s`."""
        self._comparing_s = COMPARING_S
        self._cold = task.subgraph.tuning.cold
        self._raced: set[str] = set()
        self.history: list[Trial] = [] if history is None else history
        for trial in self.history:
            self._remember(trial)

    @property
    def trials(self) -> int:
        """Programs tried so far, failed ones and those of earlier processes included."""
        return len(self.curve)

    async def ensure_published(self) -> None:
        """Publishes the best of the trials so far where nothing is published.

        So it is after a crash between a trial and its publication, with a cache that was wiped, or when the
        very best did not stand the last check.
        """
        if self.best is None and self.fastest:
            await self._promote()

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
        if self._generation:
            self._generation = 0
            await self.tools.searcher.close(self.task.key)

    async def round(self, limit: int, watch: Watch | None = None) -> RoundReport:
        """Tries up to `limit` programs, a BATCH at most; publishes the best when it is better than what is
        published.

        `watch` is called with each trial once it is in the journal.
        """
        started, before = time.monotonic(), self.best
        trials: list[Trial] = []
        async with anyio.create_task_group() as group:
            group.start_soon(self.runner)  # the reference is computed while the search and compilers work
            count = min(limit, BATCH if self.trials else FIRST)
            async with self._line.run(count, limit) as candidates:
                async for built in candidates:
                    trials.append(await self._try(built))
                    self._line.landed(built.proposal.program)
                    if watch is not None:
                        watch(trials[-1])
        self.done = self._line.ended
        self._searched_s += time.monotonic() - started
        await self._compare(last=self.done or len(trials) >= limit)
        published = self.best if self.best is not before else None
        return RoundReport(tuple(trials), published, time.monotonic() - started)

    # Thinking

    async def _think(self, count: int, flying: list[str]) -> list[Proposal]:
        """Proposals that follow from all trials so far; once more where the process died over it."""
        try:
            return await self._asked(count, flying)
        except ChildDied:
            return await self._asked(count, flying)

    async def _asked(self, count: int, flying: list[str]) -> list[Proposal]:
        await self._open()
        end = len(self.history)
        told = [(trial.program, trial.outcome.seconds) for trial in self.history[self._told : end]]
        found = await self.tools.searcher.think(self.task.key, told, flying, count)
        self._told = end
        return found

    async def _open(self) -> None:
        """Makes the task known to the searching process, once for each life of it."""
        searcher = self.tools.searcher
        if self._generation != searcher.generation:
            self._told = 0
            task = self.task
            await searcher.open(task.key, task.subgraph, task.target, self.seed, self.strategy)
            self._generation = searcher.generation

    # Trying

    async def _build(self, proposal: Proposal) -> Artifact | BuildFailed:
        return await self.tools.builder.build(proposal.source.text)

    async def _try(self, built: Built) -> Trial:
        """Measures one candidate, journals what became of it, publishes it where it leaps ahead."""
        started = time.time()
        outcome: Outcome
        if isinstance(built.artifact, BuildFailed):
            outcome = built.artifact
        else:
            best = self._best_seconds()
            # Who waits for a first kernel is better served by a noisy latency than by none.
            budget = Budget(best) if best else Budget(patience_s=HASTE_S)
            runner = await self.runner()
            outcome = await runner.run(built.proposal.candidate(built.artifact), budget)
        program = built.proposal.program
        trial = Trial(self.task.key, self.tools.host.key, program, outcome, started)
        self.tools.journal.append(trial.to_bytes())
        self.history.append(trial)
        self._remember(trial)
        sources = self._sources | {program: built.proposal.source}
        self._sources = {name: source for name, source in sources.items() if name in self.fastest}
        if isinstance(built.artifact, Artifact):
            if isinstance(outcome, Measured) and self._leaps(outcome.seconds):
                await self._publish(built.proposal, built.artifact, outcome)
            built.artifact.discard()
        return trial

    def _remember(self, trial: Trial) -> None:
        seconds = trial.outcome.seconds
        self.curve.append(min(seconds, self.curve[-1] if self.curve else math.inf))
        if not isinstance(trial.outcome, Measured):
            self.failed_trials += 1
            return
        self.fastest = kept(self.fastest | {trial.program: seconds}, self._cold)

    def _best_seconds(self) -> float | None:
        return next(iter(self.fastest.values()), None)

    def _published_seconds(self) -> float:
        return math.inf if self.best is None else self.best.latency_us / 1e6

    def _leaps(self, seconds: float) -> bool:
        """Whether a trial of so many, the best until now (others were not checked on all inputs), is far
        ahead of the published kernel's, where that is still known."""
        if seconds != self._best_seconds():
            return False
        published = self._published_seconds()
        if self._cold and self.best is not None:
            published = self.fastest.get(self.best.program, published)
        return seconds < LEAP * published

    # Publishing

    async def _publish(self, proposal: Proposal, artifact: Artifact, outcome: Measured) -> None:
        """What was just measured, as it is: nobody waits longer than for the first right kernel. Its latency
        is the one that was asked for: with constants from memory, it is taken once more."""
        if self._cold:
            runner, candidate = await self.runner(), proposal.candidate(artifact)
            cold = await runner.run(candidate, Budget(cold=True, patience_s=HASTE_S))
            if not isinstance(cold, Measured):
                return
            outcome = cold
        self.best = await publish(
            self.task, self.tools, proposal, artifact, outcome, self._counts(), final=False
        )

    async def _compare(self, last: bool) -> None:
        """The fastest programs against each other and the published kernel, where one seems better: at the
        end, and now and then before."""
        asked = last and self.trials > self._settled
        asked = asked or due(self.trials - self._compared, self._searched_s, self._comparing_s)
        if asked and self._seems_better(last):
            started = time.monotonic()
            self._compared, self._searched_s = self.trials, 0.0
            self._settled = self.trials if last else self._settled
            await self._promote(last)
            self._comparing_s = time.monotonic() - started

    def _seems_better(self, last: bool) -> bool:
        """Whether a program may be better than what is published. With constants from memory the trials
        cannot say: then any near the best that has not been compared yet may. Before the end only such a one,
        too."""
        if (self._cold or not last) and self._raced.issuperset(self._field(last)):
            return False
        best = self._best_seconds()
        return self._cold or (best is not None and best < self._published_seconds() / GAIN)

    def _field(self, last: bool) -> list[str]:
        """Who takes part in a comparison."""
        chosen = finalists(self.fastest, self._cold)
        if last:
            return chosen
        fresh = [program for program in chosen if program not in self._raced] if self._cold else chosen
        return fresh[:LEADERS]

    async def _promote(self, last: bool = True) -> None:
        """Builds the finalists as they will be served; publishes the best, if it beats what is published."""
        sources = {name: self._sources.get(name) or await self._emitted(name) for name in self.fastest}
        # What another generator wrote cannot be built any more, however fast it was.
        known = {name: source for name, source in sources.items() if source is not None}
        self.fastest = {name: seconds for name, seconds in self.fastest.items() if name in known}
        if not self.fastest:
            return
        names = self._field(last)
        field = [Proposal(name, known[name]) for name in names]
        for name in asking(names) if self._cold else ():
            source = await self._emitted(name)
            field += [Proposal(name, source)] if source is not None else []
        self._raced.update(proposal.program for proposal in field)
        patience = PATIENCE_S if last else HASTE_S
        entry = await promote(
            self.task, self.tools, await self.runner(), field, self.best, self._counts(), patience
        )
        if entry is not None:
            self.best = entry

    async def _emitted(self, program: str) -> Source | None:
        await self._open()
        return await self.tools.searcher.emit(self.task.key, program)

    def _counts(self) -> Counts:
        return Counts(self.trials, self.failed_trials)

    async def runner(self) -> Runner:
        """The task's runner, made with its first use."""
        async with self._making:
            if self._runner is None:
                self._runner = await self.tools.stand.runner(self.task.subgraph).__aenter__()
            return self._runner
