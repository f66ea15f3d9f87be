"""What a daemon costs that has nothing to do: CPU time of all its processes, before and after it tuned."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from benchmarks.accept.claim import Claim, Values, Verdict
from benchmarks.accept.daemon import Daemon, example, serving, until
from benchmarks.accept.processes import tree_cpu_seconds

SECONDS = 60.0
SHARE = 0.002
CALM_S, CALM_SHARE = 5.0, 0.01
"""Start-up has settled once so many seconds went by in which so little was done."""


def idle(seconds: float, calm_s: float, daemon: Daemon) -> dict[str, Any]:
    """CPU seconds of the daemon and its children in `seconds`, once it is calm."""

    def calm() -> bool:
        before = spent(daemon)
        time.sleep(calm_s)
        return spent(daemon) - before < CALM_SHARE * calm_s

    until(calm, "a calm daemon", 60)
    before, started = spent(daemon), time.monotonic()
    time.sleep(seconds)
    used, took = spent(daemon) - before, time.monotonic() - started
    return {"share": used / took, "seconds": took, "processes": len(tree_cpu_seconds(daemon.pid))}


def after_a_task(daemon: Daemon) -> dict[str, Any]:
    """The same with compilers and runners that were used and now wait."""
    daemon.drop("task", example("paper/c1d_4", 8))
    daemon.settled("task")
    return idle(SECONDS, CALM_S, daemon)


def spent(daemon: Daemon) -> float:
    return sum(tree_cpu_seconds(daemon.pid).values())


def verdict(values: Values) -> Verdict:
    worst = max(value["share"] for value in values.values())
    each = ", ".join(f"{value['share']:.3%} {step}" for step, value in values.items())
    processes = max(value["processes"] for value in values.values())
    return Verdict(f"{each} ({processes} processes)", f"under {SHARE:.1%} of a core", worst < SHARE)


STEPS: dict[str, Any] = {"after its start": partial(idle, SECONDS, CALM_S), "after a task": after_a_task}
FULL = Claim("idle", STEPS, verdict, serving)
DRAW = Claim("idle", {"for a moment": partial(idle, 1.0, 0.5)}, verdict, serving)
