"""Records pools: varied programs of some tasks with what they take here. Goes on where it was interrupted.

    python -m benchmarks.search record --pools DIR [--count 1000] [--seconds 100] paper/c2d_3 paper/gmm_3 ...

Most programs are random annotations; a part are children of fast ones and a part what the search proposes,
so that the best of a pool are as good as a search would find. A few are measured again later: the noise.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import numpy as np
from numpy.random import Generator

from ansord.build import Artifact, Builder, find_compiler
from ansord.emit import Source, emit
from ansord.measure import Budget, Runner, Stand
from ansord.measure.recorded import Pool
from ansord.nest import Program, Rows, distinct, parse_program
from ansord.record import Measured, Trial
from ansord.score import paper_cycles
from ansord.search import Proposer
from ansord.search.mutate import mutate
from ansord.sketch import annotate, usable
from ansord.store import Journal
from ansord.tune import Proposal, Task, target_for
from ansord_client.host import Host, host
from ansord_client.subgraph import Subgraph

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples"
CHUNK = 40
"""Programs between two looks at the clock."""
BRED, SOUGHT, REPEATED = 0.25, 0.15, 0.05
"""Shares of children of fast programs, of what the search proposes, of programs measured again."""


HOPELESS = 8.0
"""Times the least estimate of a draw, beyond which a program is not measured."""


class Recorder:
    """One task's pool in the making: its journal, and what to measure next."""

    def __init__(self, task: Task, machine: Host, journal: Journal, trials: list[Trial]) -> None:
        self.task = task
        self.machine = machine
        self.journal = journal
        self.trials = trials
        self.rng = np.random.default_rng(len(trials))
        self.proposer = Proposer(task.space, self.rng)
        self.seen: dict[str, float] = {}
        for trial in trials:
            self._remember(parse_program(trial.program, task.dag, task.target), trial)

    def tell(self, program: Program, trial: Trial) -> None:
        """Journals a trial."""
        self.journal.append(trial.to_bytes())
        self.trials.append(trial)
        self._remember(program, trial)

    def _remember(self, program: Program, trial: Trial) -> None:
        if trial.program not in self.seen:
            self.seen[trial.program] = trial.outcome.seconds
            self.proposer.tell(program, trial.outcome.seconds)

    def next(self) -> list[Program]:
        """The next chunk."""
        space, known = self.task.space, self.proposer.known
        rows = [self._random()]
        programs: list[Program] = []
        if len(self.seen) >= CHUNK:
            self.proposer.learn()
            programs += self.proposer.propose(round(SOUGHT * CHUNK))
            bred = _children(self.proposer, self.rng)
            rows.insert(0, bred[: round(BRED * CHUNK)])
            programs += self._repeats()
        for row in distinct(np.concatenate(rows), known):
            if len(programs) < CHUNK:
                programs.append(space.program(row))
        return programs

    def _random(self) -> Rows:
        """Random annotations without those that are hopeless on paper: they take long and teach little."""
        rows = annotate(self.task.space, 3 * CHUNK, self.rng)
        paper = paper_cycles(self.task.space, rows)
        kept: Rows = rows[paper < HOPELESS * paper.min()][:CHUNK]
        return kept

    def _repeats(self) -> list[Program]:
        fine = [place for place, value in enumerate(self.proposer.seconds) if np.isfinite(value)]
        picked = self.rng.choice(fine, size=min(len(fine), round(REPEATED * CHUNK)), replace=False)
        return [self.task.space.program(self.proposer.rows[place]) for place in picked]


def _children(proposer: Proposer, rng: Generator) -> Rows:
    order = np.argsort(proposer.seconds)[: max(8, len(proposer.seconds) // 5)]
    parents = np.stack([proposer.rows[place] for place in order])
    space = proposer.space
    children = mutate(space, parents[rng.integers(0, len(parents), size=4 * CHUNK)], rng)
    return usable(space, mutate(space, children, rng))


async def measured(recorder: Recorder, builder: Builder, runner: Runner, until: float) -> None:
    """Measures chunks until the clock says stop; builds the next program while one runs."""
    programs = await anyio.to_thread.run_sync(recorder.next)
    send, receive = anyio.create_memory_object_stream[tuple[Program, Source, Any]](4)

    async def build() -> None:
        async with send, anyio.create_task_group() as group:
            for program in programs:
                group.start_soon(built, program)

    async def built(program: Program) -> None:
        if time.monotonic() < until:
            source = await anyio.to_thread.run_sync(emit, program)
            await send.send((program, source, await builder.build(source.text)))

    async with receive, anyio.create_task_group() as group:
        group.start_soon(build)
        worked = [one.outcome.seconds for one in recorder.trials if isinstance(one.outcome, Measured)]
        best = min(worked, default=None)
        async for program, source, artifact in receive:
            started = time.time()
            outcome = artifact
            if isinstance(artifact, Artifact):
                candidate = Proposal(str(program), source).candidate(artifact)
                outcome = await runner.run(candidate, Budget(best=best, patience_s=1.0))
                artifact.discard()
            trial = Trial(recorder.task.key, recorder.machine.key, str(program), outcome, started)
            recorder.tell(program, trial)


async def record(names: list[str], pools: Path, count: int, seconds: float) -> None:
    """Fills the pools of these examples up to `count` programs each, for at most so many seconds in all."""
    until = time.monotonic() + seconds
    machine = host().with_threads(None)
    scratch = pools / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    async with Builder(find_compiler(None), 2, scratch) as builder, Stand(builder, scratch) as stand:
        for name in names:
            if time.monotonic() > until:
                return
            await _fill(name, pools, count, until, machine, builder, stand)


async def _fill(
    name: str, pools: Path, count: int, until: float, machine: Host, builder: Builder, stand: Stand
) -> None:
    document = json.loads((EXAMPLES / f"{name}.json").read_text())
    task = Task(Subgraph.from_dict(document), target_for(machine))
    stem = Path(name).name
    with Journal(pools / f"{stem}.log") as journal:
        trials = [Trial.from_bytes(payload) for payload in journal.replay()]
        recorder = Recorder(task, machine, journal, trials)
        before, started = len(trials), time.monotonic()
        if len(recorder.seen) >= count:
            return
        async with stand.runner(task.subgraph) as runner:
            while len(recorder.seen) < count and time.monotonic() < until:
                await measured(recorder, builder, runner, until)
        pool = Pool.of(document, machine.key, task.target, trials)
    pool.save(pools / f"{stem}.npz")
    spent = time.monotonic() - started
    print(
        f"{stem}: {len(pool.texts)} programs, {len(trials) - before} trials in {spent:.0f} s "
        f"({(len(trials) - before) / spent:.1f} a second), best {pool.seconds.min() * 1e6:.1f} µs, "
        f"failed {np.isinf(pool.seconds).sum()}, noise {pool.noise:.2%}",
        flush=True,
    )
