"""From a drop to the first published kernel, and to the end of 64 trials, through a daemon that is awake."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import ansord_client as client
from benchmarks.accept.claim import Claim, Values, Verdict, bare
from benchmarks.accept.daemon import PATIENCE_S, Daemon, example, serving

TRIALS = 64
FIRST_S, ALL_S = 5.0, 15.0
CONV = "paper/c2d_3"
OTHERS = ("resnet50_residual", "mobilenetv2_depthwise", "bert_ffn", "paper/c3d_1", "paper/sfm_4")
TIMES = 3


def claim(whole: Sequence[str], others: Sequence[str], trials: int) -> Claim[Path]:
    """Every drop meets a daemon of its own, that has just started and has an empty cache. `whole`: those
    whose trials are waited for; of `others` only the first kernel is."""
    steps = {f"{name} {number}": partial(timed, name, number, trials) for number, name in enumerate(whole)}
    steps |= {name: partial(timed, name, 0, None) for name in others}
    return Claim("first", steps, verdict, bare)


def timed(name: str, number: int, trials: int | None, folder: Path) -> dict[str, Any]:
    """As `through` a daemon that has just started."""
    with serving(folder / f"{Path(name).name}-{number}-{time.time_ns()}") as daemon:
        return through(name, trials, daemon)


def through(name: str, trials: int | None, daemon: Daemon) -> dict[str, Any]:
    """Seconds from the drop; `trials` None: only to the first kernel."""
    value = example(name, trials or TRIALS)
    started = time.monotonic()
    daemon.drop("it", value)
    first = first_kernel(daemon, value) - started
    if trials is None:
        return {"first_s": first}
    folder, record = daemon.settled("it")
    if folder == "failed":
        raise RuntimeError(f"{name}: {record['found']}")
    return {"first_s": first, "all_s": time.monotonic() - started, "trials": record["trials"]}


def first_kernel(daemon: Daemon, value: Mapping[str, Any]) -> float:
    """When a client that looks again and again could first call a kernel, by the monotonic clock."""
    looking = client.Client(cache=daemon.cache)
    ends = time.monotonic() + PATIENCE_S
    try:
        while time.monotonic() < ends:
            with contextlib.suppress(client.KernelNotFound):
                looking.get_kernel(value)
                return time.monotonic()
            daemon.check()
            time.sleep(0.01)
    finally:
        looking.close()
    raise TimeoutError("no kernel was published")


def verdict(values: Values) -> Verdict:
    slowest = max(values, key=lambda step: values[step]["first_s"])
    first = values[slowest]["first_s"]
    whole = [value["all_s"] for value in values.values() if "all_s" in value]
    trials = max(value.get("trials", 0) for value in values.values())
    figure = f"first kernel after at most {first:.1f} s ({slowest.split()[0]}, of {len(values)} drops)"
    figure += f", {trials} trials in at most {max(whole):.1f} s"
    wanted = f"first kernel under {FIRST_S:g} s, {TRIALS} trials of one conv2d under {ALL_S:g} s"
    return Verdict(figure, wanted, first < FIRST_S and max(whole) < ALL_S)


FULL = claim([CONV] * TIMES, OTHERS, TRIALS)
DRAW = Claim("first", {"paper/c1d_2": partial(through, "paper/c1d_2", 3)}, verdict, serving)
