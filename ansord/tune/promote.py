"""From the fastest programs to a published entry: built as they will be served, checked again, compared with
each other and with what is published. A regression is never published."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
import anyio.to_thread

from ansord.build import Artifact
from ansord.dag import analysis
from ansord.measure import Budget, Candidate, Race, Runner, latency_interval
from ansord.record import Measured
from ansord.search import Task
from ansord.tune.searcher import Proposal
from ansord.tune.tools import Tools
from ansord_client.entry import Entry, Port

GAIN = 0.985
"""A challenger must win by so much with its whole interval: less is not seen between processes."""

CLOSE = 1.03
"""Built for good and measured again, who is slower than the best by more than that is out of the race."""


@dataclass(frozen=True)
class Counts:
    """Trials of the task until now."""

    trials: int
    failed: int


@dataclass(frozen=True)
class Finalist:
    """A program built for good, and right."""

    proposal: Proposal
    artifact: Artifact
    outcome: Measured


async def promote(
    task: Task,
    tools: Tools,
    runner: Runner,
    proposals: Sequence[Proposal],
    incumbent: Entry | None,
    counts: Counts,
    patience_s: float,
) -> Entry | None:
    """Publishes the best of the proposals, if it is right and better than `incumbent`; None where none is.
    `patience_s`: for how long the timing of each waits for undisturbed samples."""
    artifacts: list[Artifact] = []
    try:
        budget = Budget(cold=task.subgraph.tuning.cold, patience_s=patience_s)
        finalists = await _finalists(tools, runner, proposals, budget, artifacts)
        async with _served(tools, incumbent) as served:
            winner = await _winner(runner, finalists, served, task.subgraph.tuning.cold)
        if winner is None:
            return None
        return await publish(
            task, tools, winner.proposal, winner.artifact, winner.outcome, counts, final=True
        )
    finally:
        for artifact in artifacts:
            artifact.discard()


async def _finalists(
    tools: Tools, runner: Runner, proposals: Sequence[Proposal], budget: Budget, artifacts: list[Artifact]
) -> list[Finalist]:
    """Those that build and are right, in the order of the proposals; what was built goes into `artifacts`."""
    built: dict[int, Artifact] = {}

    async def build(place: int, proposal: Proposal) -> None:
        artifact = await tools.builder.build(proposal.source.text, final=True)
        if isinstance(artifact, Artifact):
            built[place] = artifact
            artifacts.append(artifact)

    async with anyio.create_task_group() as group:
        for place, proposal in enumerate(proposals):
            group.start_soon(build, place, proposal)
    found = []
    for place, proposal in enumerate(proposals):
        if place in built:
            candidate = proposal.candidate(built[place])
            outcome = await runner.run(candidate, budget)
            if isinstance(outcome, Measured):
                found.append(Finalist(proposal, built[place], outcome))
    return found


@asynccontextmanager
async def _served(tools: Tools, incumbent: Entry | None) -> AsyncIterator[Candidate | None]:
    """The published kernel as a candidate; None where there is none, or its object is gone."""
    code = None
    if incumbent is not None:
        code = await anyio.to_thread.run_sync(tools.store.code, incumbent)
    if incumbent is None or code is None:
        yield None
        return
    path = tools.builder.directory / f"incumbent-{incumbent.object[:16]}-{time.monotonic_ns()}.so"
    await anyio.to_thread.run_sync(path.write_bytes, code)
    try:
        yield Candidate(path, incumbent.packed_bytes, incumbent.scratch_bytes, incumbent.relaxed)
    finally:
        path.unlink(missing_ok=True)


async def _winner(
    runner: Runner, finalists: Sequence[Finalist], served: Candidate | None, cold: bool
) -> Finalist | None:
    """Who wins the race of all; where a race fails, the first has to beat the published kernel alone."""
    if served is not None and await runner.check_only(served) is not None:
        served = None  # a kernel that does not run any more is beaten by any
    best = min((one.outcome.seconds for one in finalists), default=0.0)
    field = [one for one in finalists if one.outcome.seconds <= CLOSE * best]
    while field:
        runners = [one.proposal.candidate(one.artifact) for one in field]
        if len(runners) + (served is not None) == 1:
            return field[0]
        race = await runner.race(runners if served is None else [*runners, served], GAIN, cold=cold)
        if isinstance(race, Race):
            first = min(range(len(field)), key=lambda place: race.against_last[place].ratio)
            won = served is None or race.against_last[first].high < GAIN
            return field[first] if won else None
        field = field[:1] if len(field) > 1 else []  # somebody failed while it was timed
    return None


async def publish(
    task: Task,
    tools: Tools,
    proposal: Proposal,
    artifact: Artifact,
    outcome: Measured,
    counts: Counts,
    *,
    final: bool,
) -> Entry:
    """Puts a kernel that was found right into the store; `final`: how it was built."""
    subgraph, host, source = task.subgraph, tools.host, proposal.source
    results = [subgraph.tensor(name) for name in subgraph.outputs]
    moved = analysis.bytes_touched(task.dag)
    dtype = task.dag.tensors[task.dag.outputs[0]].dtype
    bound, least = tools.peak.bound(dtype, subgraph.flops, moved)
    low, high = latency_interval(outcome.samples)
    code = await anyio.to_thread.run_sync(artifact.read)
    entry = Entry(
        key=task.key, host_key=host.key, arch=host.arch, isa=host.isa, threads=host.threads,
        object=artifact.digest, size=len(code),
        inputs=tuple(Port(one.shape, one.dtype, one.constant) for one in subgraph.inputs),
        outputs=tuple(Port(one.shape, one.dtype) for one in results),
        packed_bytes=source.packed_bytes, scratch_bytes=source.scratch_bytes, relaxed=source.relaxed,
        needs_openmp=source.needs_openmp, latency_us=outcome.seconds * 1e6,
        latency_ci_us=(low * 1e6, high * 1e6),
        gflops=subgraph.flops / outcome.seconds / 1e9,
        share_of_peak=subgraph.flops / outcome.seconds / tools.peak.flops(dtype),
        bound=bound, share_of_bound=least / outcome.seconds,
        trials=counts.trials, failed_trials=counts.failed, numerics=subgraph.numerics,
        program=proposal.program, noisy=outcome.noisy,
        provenance=tools.provenance(final) | {"name": subgraph.name},
        finished=time.time(),
    )  # fmt: skip
    await anyio.to_thread.run_sync(tools.store.publish, entry, code)
    return entry
