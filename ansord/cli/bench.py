"""Times tuned kernels as a client calls them, in turn with NumPy and, where it is, PyTorch."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import numpy as np

from ansord.cli.exits import FAILED, OK
from ansord.cli.places import add_files, add_json, add_places, settings_of
from ansord.cli.submit import checked
from ansord.cli.talk import latency, percent, say, show, show_json, table
from ansord.cli.torch_peer import torch_call
from ansord_client.client import Client
from ansord_client.errors import KernelNotFound
from ansord_client.subgraph import Subgraph

if TYPE_CHECKING:
    from ansord.daemon import Settings
    from ansord.measure import Peak, Stand

SAMPLE_S = 0.005
"""Long enough for the clock, short enough to change sides often."""
ROUNDS = 15
REST_S = 0.04
"""After each: threads spin on, those of BLAS for some 30 ms, and would disturb the next. A kernel right
behind a BLAS call took 13 ms instead of 0.6."""
FILE_S = 10.0
"""NumPy may need seconds for one call: then there are fewer rounds."""

Call = Callable[[], object]


def arguments(parser: argparse.ArgumentParser) -> None:
    add_files(parser)
    parser.add_argument("--no-peak", action="store_true", help="do not measure the peak (no compiler needed)")
    add_places(parser, "cache", "threads")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    settings = settings_of(options)
    subgraphs = {file: Subgraph.from_json(checked(file)) for file in options.files}

    async def live() -> list[dict[str, Any]]:
        async with machine(settings, not options.no_peak) as (stand, peak):
            return [await compare(file, one, settings, stand, peak) for file, one in subgraphs.items()]

    rows = anyio.run(live)
    if options.json:
        show_json({"cache": str(settings.cache), "results": rows})
    else:
        show(results_table(rows))
    return FAILED if any(row["miss"] for row in rows) else OK


@asynccontextmanager
async def machine(settings: Settings, wanted: bool) -> AsyncIterator[tuple[Stand | None, Peak | None]]:
    """The stand that keeps others from measuring meanwhile, and the roofs. Raises NoCompiler."""
    if not wanted:
        yield None, None
        return
    from ansord.build import Builder, find_compiler
    from ansord.measure import Stand, peak
    from ansord_client.host import host

    threads = host().with_threads(settings.threads).threads
    async with AsyncExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ansord-bench-")))
        compiler = find_compiler(settings.compiler)
        builder = await stack.enter_async_context(Builder(compiler, workers=1, directory=scratch))
        stand = await stack.enter_async_context(Stand(builder, scratch, threads=threads))
        yield stand, await peak(stand)


async def compare(
    file: Path, subgraph: Subgraph, settings: Settings, stand: Stand | None, peak: Peak | None
) -> dict[str, Any]:
    """One file's row: the fields of a result, and the times of this run in µs."""
    import ansord_client as client
    from ansord_client.compare import inputs

    row: dict[str, Any] = {
        "file": str(file),
        "name": subgraph.name or file.stem,
        "key": subgraph.key,
        "miss": None,
    }
    arrays = inputs(subgraph, 0, "normal") or ()
    calls: dict[str, Call] = {"numpy": lambda: client.reference(subgraph, *arrays)}
    try:
        kernel = Client(cache=settings.cache, threads=settings.threads).get_kernel(subgraph)
    except KernelNotFound as error:
        row["miss"] = error.reason
        say(f"ansord: {file}: {error.reason}")
    else:
        row |= kernel.info
        calls = {"ansord": bound_call(subgraph, kernel, arrays), **calls}
    if (peer := torch_call(subgraph, arrays, settings.threads)) is not None:
        calls["torch"] = peer
    times = await interleaved(calls, stand)
    row |= {f"{who}_us": seconds * 1e6 for who, seconds in times.items()}
    if "ansord" in times:
        rate = subgraph.flops / times["ansord"]
        row |= {"measured_gflops": rate / 1e9, "ratio_to_numpy": times["numpy"] / times["ansord"]}
        if "torch" in times:
            row["ratio_to_torch"] = times["torch"] / times["ansord"]
        if peak is not None:
            dtype = subgraph.tensor(subgraph.outputs[0]).dtype
            row |= {
                "peak_gflops": peak.flops(dtype) / 1e9,
                "measured_share_of_peak": rate / peak.flops(dtype),
            }
    return row


def bound_call(subgraph: Subgraph, kernel: Any, arrays: Sequence[np.ndarray]) -> Call:
    """As a server calls it: constants bound once, the output given."""
    named = {one.name: array for one, array in zip(subgraph.inputs, arrays, strict=True) if one.constant}
    free = [array for one, array in zip(subgraph.inputs, arrays, strict=True) if not one.constant]
    fast = kernel.bind(named) if named else kernel
    outputs = [np.empty(one.shape, one.dtype) for one in map(subgraph.tensor, subgraph.outputs)]
    out = outputs[0] if len(outputs) == 1 else tuple(outputs)
    return lambda: fast(*free, out=out)


async def interleaved(calls: dict[str, Call], stand: Stand | None) -> dict[str, float]:
    """Seconds a call of each: the 20th percentile of rounds in which each has its turn, as in tuning."""
    repeats = {who: max(1, int(SAMPLE_S / max(sample(call, 1), 1e-7))) for who, call in calls.items()}
    samples: dict[str, list[float]] = {who: [] for who in calls}
    ends = time.monotonic() + FILE_S
    for number in range(ROUNDS):
        async with AsyncExitStack() as alone:
            if stand is not None:
                await alone.enter_async_context(stand.turn)
                await alone.enter_async_context(stand.quiet())
            for who, call in calls.items():
                samples[who].append(sample(call, repeats[who]))
                await anyio.sleep(REST_S)
        if time.monotonic() > ends and number > 0:
            break
    return {who: float(np.percentile(found, 20)) for who, found in samples.items()}


def sample(call: Call, repeats: int) -> float:
    started = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - started) / repeats


def results_table(rows: list[dict[str, Any]]) -> str:
    head = ("NAME", "ANSORD", "NUMPY", "RATIO", "TORCH", "RATIO", "GFLOP/S", "OF PEAK", "WHEN TUNED")
    return table(
        head,
        [
            (
                row["name"],
                latency(row.get("ansord_us")),
                latency(row["numpy_us"]),
                row.get("ratio_to_numpy"),
                latency(row.get("torch_us")),
                row.get("ratio_to_torch"),
                row.get("measured_gflops"),
                percent(row.get("measured_share_of_peak")),
                latency(row.get("latency_us")),
            )
            for row in rows
        ],
    )
