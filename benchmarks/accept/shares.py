"""What share of the FMA peak the tuned kernels reach, both measured in turn in the same fresh processes."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import anyio

import ansord.measure
from ansord.build import Artifact, Builder, find_compiler
from ansord.measure import MeasureLock
from benchmarks.accept.claim import Claim, Values, Verdict
from benchmarks.accept.daemon import REPO, Daemon, environment, example, serving

TRIALS = 64
PROCESSES = 5
"""Address layouts differ between processes: the median of so many is what a user may expect."""
WANTED = {"paper/gmm_3": 0.9, "paper/gmm_4": 0.9, "paper/c2d_3": 0.9, "paper/c2d_2": 0.7}
PAIRS = {("gmm_2039", "gmm_2048"): 0.9}
"""Of extents that no tile divides and of their neighbours: the least ratio of their rates."""


def claim(
    wanted: Mapping[str, float], pairs: Mapping[tuple[str, str], float], trials: int, processes: int
) -> Claim[Daemon]:
    """By the names of examples: `wanted`, the least share, and `pairs`, the least ratio of one to another."""
    names = dict.fromkeys([*wanted, *(name for pair in pairs for name in pair)])
    steps: dict[str, Any] = {f"{name} tuned": partial(tuned, name, trials) for name in names}
    for number in range(processes):
        steps |= {f"{name} process {number}": partial(measured, name) for name in names}
    return Claim("shares", steps, partial(verdict, wanted, pairs), serving)


async def peak_object(folder: Path) -> bytes:
    """The same C as `ansord bench` measures the peak with."""
    text = Path(ansord.measure.__file__).with_name("peak.c").read_text()
    async with Builder(find_compiler(), workers=1, directory=folder) as builder:
        built = await builder.build(text, final=True)
        if not isinstance(built, Artifact):
            raise RuntimeError(built.message)
        return built.read()


def tuned(name: str, trials: int, daemon: Daemon) -> dict[str, Any]:
    stem = Path(name).name
    daemon.drop(stem, example(name, trials))
    folder, record = daemon.settled(stem)
    if folder == "failed":
        raise RuntimeError(f"{name}: {record['found']}")
    return {field: record[field] for field in ("trials", "latency_us", "share_of_peak", "threads")}


def measured(name: str, daemon: Daemon) -> dict[str, float]:
    """A fresh process; nobody else of ansord measures meanwhile."""

    async def alone() -> bytes:
        lock = MeasureLock()
        lock.open()
        try:
            async with lock:
                return (await anyio.run_process(command, env=environment(), stderr=None)).stdout
        finally:
            lock.close()

    script = Path(__file__).with_name("rates.py")
    peak = daemon.cache.parent / "peak.so"
    if not peak.exists():
        peak.write_bytes(anyio.run(peak_object, peak.parent))
    command = [
        sys.executable,
        "-I",
        str(script),
        str(daemon.cache),
        str(REPO / f"examples/{name}.json"),
        str(peak),
    ]
    found: dict[str, float] = json.loads(anyio.run(alone))
    return found


def verdict(
    wanted: Mapping[str, float], pairs: Mapping[tuple[str, str], float], values: Values
) -> Verdict:
    words, ok = [], True
    for name, least in wanted.items():
        found = _found(name, values)
        shares = [one["kernel"] / one["peak"] for one in found]
        share = statistics.median(shares)
        ok = ok and share >= least
        rate = statistics.median(one["kernel"] for one in found)
        words.append(
            f"{Path(name).name} {share:.1%} [{min(shares):.1%} to {max(shares):.1%}] {rate / 1e9:.0f} GF/s"
        )
    promised = [f"{Path(name).name} {least:.0%}" for name, least in wanted.items()]
    for (name, other), least in pairs.items():
        # Of each process by its own peak: clocks drift.
        one, two = (
            statistics.median(run["kernel"] / run["peak"] for run in _found(each, values))
            for each in (name, other)
        )
        ok = ok and one >= least * two
        of = f"{Path(name).name} of {Path(other).name}"
        words.append(f"{of} {one / two:.1%}")
        promised.append(f"{of} {least:.0%}")
    return Verdict(", ".join(words), ", ".join(promised), ok)


def _found(name: str, values: Values) -> list[dict[str, float]]:
    return [value for step, value in values.items() if step.startswith(f"{name} process")]


FULL = claim(WANTED, PAIRS, TRIALS, PROCESSES)
DRAW = claim({"paper/gmm_1": 0.05}, {("paper/gmm_1", "paper/gmm_1"): 0.9}, 3, 1)
