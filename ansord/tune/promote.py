"""From the fastest program to a published entry: built as it will be served, checked again, compared in
pairs with what is published. A regression is never published."""

from __future__ import annotations

import time
from dataclasses import dataclass

import anyio.to_thread

from ansord.build import Artifact
from ansord.dag import analysis
from ansord.emit import Source, emit
from ansord.measure import Budget, Candidate, Paired, Runner, latency_interval
from ansord.nest import Program
from ansord.record import Measured
from ansord.tune.task import Task
from ansord.tune.tools import Tools
from ansord_client.entry import Entry, Port

GAIN = 0.98
"""A challenger must win by two hundredths with its whole interval: less is not seen between processes."""


@dataclass(frozen=True)
class Counts:
    """Trials of the task until now."""

    trials: int
    failed: int


async def promote(
    task: Task, tools: Tools, runner: Runner, program: Program, incumbent: Entry | None, counts: Counts
) -> Entry | None:
    """Publishes `program` where it is right and better than `incumbent`; None where it is not."""
    source = await anyio.to_thread.run_sync(emit, program)
    artifact = await tools.builder.build(source.text, final=True)
    if not isinstance(artifact, Artifact):
        return None
    try:
        candidate = Candidate(artifact.path, source.packed_bytes, source.scratch_bytes)
        outcome = await runner.run(candidate, Budget(cold=task.subgraph.tuning.cold))
        if not isinstance(outcome, Measured):
            return None
        if incumbent is not None and not await _better(tools, runner, candidate, outcome, incumbent):
            return None
        entry = _entry(task, tools, source, artifact, outcome, program, counts)
        await anyio.to_thread.run_sync(tools.store.publish, entry, artifact.read())
        return entry
    finally:
        artifact.discard()


async def _better(
    tools: Tools, runner: Runner, candidate: Candidate, outcome: Measured, incumbent: Entry
) -> bool:
    """Whether the challenger wins by paired blocks; an incumbent that does not run any more has ratio 0."""
    if outcome.seconds * 1e6 > incumbent.latency_us / GAIN:
        return False  # not worth the pairs; the machine drifts by less between two measurements
    code = await anyio.to_thread.run_sync(tools.store.code, incumbent)
    if code is None:
        return True
    path = tools.builder.directory / f"incumbent-{incumbent.object[:16]}-{time.monotonic_ns()}.so"
    await anyio.to_thread.run_sync(path.write_bytes, code)
    try:
        served = Candidate(path, incumbent.packed_bytes, incumbent.scratch_bytes)
        paired = await runner.paired(candidate, served)
    finally:
        path.unlink(missing_ok=True)
    return isinstance(paired, Paired) and paired.high < GAIN


def _entry(
    task: Task,
    tools: Tools,
    source: Source,
    artifact: Artifact,
    outcome: Measured,
    program: Program,
    counts: Counts,
) -> Entry:
    subgraph, host = task.subgraph, tools.host
    results = [subgraph.tensor(name) for name in subgraph.outputs]
    moved = analysis.bytes_touched(task.dag)
    dtype = task.dag.tensors[task.dag.outputs[0]].dtype
    bound, least = tools.peak.bound(dtype, subgraph.flops, moved)
    micro = outcome.seconds * 1e6
    low, high = latency_interval(outcome.samples)
    code = artifact.read()
    return Entry(
        key=task.key, host_key=host.key, arch=host.arch, isa=host.isa, threads=host.threads,
        object=artifact.digest, size=len(code),
        inputs=tuple(Port(one.shape, one.dtype, one.constant) for one in subgraph.inputs),
        outputs=tuple(Port(one.shape, one.dtype) for one in results),
        packed_bytes=source.packed_bytes, scratch_bytes=source.scratch_bytes,
        needs_openmp=source.needs_openmp, latency_us=micro,
        latency_ci_us=(low * 1e6, high * 1e6),
        gflops=subgraph.flops / outcome.seconds / 1e9,
        share_of_peak=subgraph.flops / outcome.seconds / tools.peak.flops(dtype),
        bound=bound, share_of_bound=least / outcome.seconds,
        trials=counts.trials, failed_trials=counts.failed, numerics=subgraph.numerics,
        program=str(program), noisy=outcome.noisy, provenance=tools.provenance() | {"name": subgraph.name},
        finished=time.time(),
    )  # fmt: skip
