"""Records pools: varied programs of some tasks with what they take here. Goes on where it was interrupted.

    python -m benchmarks.search record [--pools DIR] [--count 5000] [--seconds S] [paper/c2d_3 ...]

`make pools` records all of `FIGURES` and `OTHERS`: some hours on two cores. Most programs are random
annotations, of every sketch some; a part are children of fast ones and a part what the search proposes, so
that the best of a pool are as good as a search would find. A few are measured again later: the noise.

A trial is in DIR/NAME.log once it is measured, and DIR/NAME.npz is written anew every `EVERY_S`: whenever it
is interrupted, at most the trial on the stand is lost.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterable, Sequence
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
from ansord.nest import Program, Rows, distinct
from ansord.record import Measured, Trial
from ansord.score import paper_cycles
from ansord.search import Proposer
from ansord.search.ablated import limited
from ansord.search.mutate import mutate
from ansord.sketch import annotate, usable
from ansord.store import Journal
from ansord.tune import Proposal, Task, target_for
from ansord_client.host import Host, host
from ansord_client.subgraph import Subgraph
from benchmarks.search.recorded import add_pools

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples"
FIGURES = ("paper/c2d_3", "paper/gmm_3", "paper/t2d_2", "paper/tbg_1", "paper/sfm_2")
"""The tasks of the ablations."""
OTHERS = (
    "paper/c1d_1", "paper/c1d_3", "paper/c2d_2", "paper/c2d_4", "paper/c3d_1", "paper/c3d_3", "paper/cap_1",
    "paper/cbr_1", "paper/dep_1", "paper/dep_3", "paper/dil_2", "paper/gmm_1", "paper/gmm_2", "paper/grp_1",
    "paper/nrm_3", "paper/sfm_1", "paper/sfm_3", "paper/t2d_1", "paper/t2d_3", "paper/tbg_3", "bert_ffn",
    "resnet50_residual",
)  # fmt: skip
"""What the prior learns from beside them: two shapes of the common operators, one of the others."""

CHUNK = 40
"""Programs between two looks at the clock."""
BRED, SOUGHT, LIMITED, REPEATED = 0.25, 0.15, 0.1, 0.05
"""Shares of children of fast programs, of what the search proposes, of random programs of the limited space
(few of the whole one are in it), of programs measured again."""
HOPELESS = 8.0
"""Times the least estimate of a draw, beyond which a program is not measured,"""
EACH_SKETCH = 20
"""but where its sketch has fewer programs than that: what is slow is a lesson, too."""
EVERY_S = 20.0
"""Between two times that a pool is written and its rate is told."""


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
            self._remember(trial.program, trial)

    def tell(self, program: Program, trial: Trial) -> None:
        """Journals a trial."""
        self.journal.append(trial.to_bytes())
        self.trials.append(trial)
        self._remember(program, trial)

    def _remember(self, program: Program | str, trial: Trial) -> None:
        if trial.program not in self.seen:
            self.seen[trial.program] = trial.outcome.seconds
            self.proposer.tell(program, trial.outcome.seconds)

    def next(self) -> list[Program]:
        """The next chunk."""
        space, known = self.task.space, self.proposer.known
        rows = [self._limited(), self._random()]
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
        counts = Counter(int(row[0]) for row in self.proposer.rows)
        rare = np.array([counts[int(row[0])] < EACH_SKETCH for row in rows], bool)
        # Of a rare sketch the best of the draw on paper; the others as they were drawn.
        order = np.argsort(paper, kind="stable")
        _, first = np.unique(rows[order, 0], return_index=True)
        best = np.zeros(len(rows), bool)
        best[order[first]] = True
        kept: Rows = rows[(paper < HOPELESS * paper.min()) | (rare & best)][:CHUNK]
        return kept

    def _limited(self) -> Rows:
        """Random annotations of the limited space, as rows of the whole one."""
        space = self.task.space
        narrow = limited(space)
        drawn = annotate(narrow, round(LIMITED * CHUNK), self.rng)
        rows = [row for one in drawn if (row := space.read(str(narrow.program(one)))) is not None]
        return np.stack(rows) if rows else space.no_rows

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
    """Measures a chunk, or less where the clock says stop; builds the next program while one runs."""
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


def arguments(parser: argparse.ArgumentParser) -> None:
    add_pools(parser)
    parser.add_argument(
        "names", nargs="*", default=[*FIGURES, *OTHERS], metavar="EXAMPLE", help="such as paper/c2d_3"
    )
    parser.add_argument("--count", type=int, default=5000, help="programs of each task")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="of this call, in all")


def run(options: argparse.Namespace) -> None:
    anyio.run(record, options.names, options.pools.resolve(), options.count, options.seconds)


async def record(names: Sequence[str], pools: Path, count: int, seconds: float) -> None:
    """Fills the pools of these examples up to `count` programs each, for at most so many seconds in all."""
    until = time.monotonic() + seconds
    machine = host()
    scratch = pools / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    async with Builder(find_compiler(None), 2, scratch) as builder, Stand(builder, scratch) as stand:
        for name in names:
            await _fill(name, pools, count, until, machine, builder, stand)


async def _fill(
    name: str, pools: Path, count: int, until: float, machine: Host, builder: Builder, stand: Stand
) -> None:
    document = json.loads((EXAMPLES / f"{name}.json").read_text())
    task = Task(Subgraph.from_dict(document), target_for(machine))
    stem = Path(name).name
    with Journal(pools / f"{stem}.log") as journal:
        recorder = Recorder(task, machine, journal, known(journal.replay(), task, machine))
        before, started = len(recorder.trials), time.monotonic()

        def keep() -> None:
            """The pool so far, and how it goes."""
            pool = Pool.of(document, machine.key, task.target, recorder.trials)
            pool.save(pools / f"{stem}.npz")
            done, spent = len(recorder.trials) - before, time.monotonic() - started
            print(told(stem, pool, count, done, spent), flush=True)

        try:
            if len(recorder.seen) < count and time.monotonic() < until:
                async with stand.runner(task.subgraph) as runner:
                    kept = time.monotonic()
                    had = -1
                    while had < len(recorder.seen) < count and time.monotonic() < until:
                        had = len(recorder.seen)  # where none is new, the space is exhausted
                        await measured(recorder, builder, runner, until)
                        if time.monotonic() > kept + EVERY_S:
                            keep()
                            kept = time.monotonic()
        finally:
            if recorder.trials:
                keep()


def known(records: Iterable[bytes], task: Task, machine: Host) -> list[Trial]:
    """The trials of this task on this kind of machine: an example may have changed, a folder have moved."""
    trials = map(Trial.from_bytes, records)
    return [one for one in trials if (one.key, one.host_key) == (task.key, machine.key)]


def told(stem: str, pool: Pool, count: int, done: int, spent: float) -> str:
    """A line on a pool of which so many were just measured in so many seconds."""
    rate = f", {done / spent:.1f} a second" if done else ""
    return (
        f"{stem}: {len(pool.texts)} of {count} programs{rate}; best {pool.seconds.min() * 1e6:.1f} µs, "
        f"{np.isinf(pool.seconds).sum()} failed, noise {pool.noise:.1%}"
    )
