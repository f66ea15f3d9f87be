"""The status service: state/status.json and state/metrics.prom, rewritten on a change, at most once a second
and for a twentieth of the time.

The first row of the table, so the last to stop: its last word is that the daemon has stopped. It looks at the
others through `snapshot` and changes nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import anyio
import structlog
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from ansord.daemon.files import replace_text
from ansord.daemon.lease import holder

log = structlog.get_logger("status")

STATUS, METRICS = "status.json", "metrics.prom"
SCHEMA_VERSION = 1
SHARE = 20.0
"""Between two of them passes so many times what the last one took."""


class Reporter:
    """`stirred()` from anywhere on the loop; `snapshot()` gives all of the status but its frame."""

    name = "status"
    patience = 1.0

    def __init__(self, state: Path, snapshot: Callable[[], dict[str, Any]], period_s: float = 1.0) -> None:
        self._state = state
        self._snapshot = snapshot
        self._period_s = period_s
        self._woken = asyncio.Event()
        self._failed = False

    def stirred(self) -> None:
        self._woken.set()

    async def run(self) -> None:
        while True:
            self._woken.clear()
            started = time.monotonic()
            await self.write()
            # Of ten thousand tasks a status takes a while.
            await anyio.sleep(max(self._period_s, SHARE * (time.monotonic() - started)))
            await self._woken.wait()

    async def drain(self) -> None:
        await self.write()

    async def write(self) -> None:
        """Now. A full disk is logged once, and no reason to stop tuning."""
        snapshot = {"schema_version": SCHEMA_VERSION, **self._snapshot(), "updated": time.time()}
        try:
            await anyio.to_thread.run_sync(self._write, snapshot)
        except OSError as error:
            if not self._failed:
                log.warning("cannot write the status", error=str(error))
            self._failed = True
        else:
            self._failed = False

    def _write(self, snapshot: Mapping[str, Any]) -> None:
        replace_text(self._state / STATUS, json.dumps(snapshot).encode() + b"\n")
        replace_text(self._state / METRICS, metrics(snapshot))


COUNTS = {
    "drops_done": "Drops settled in done since the start",
    "drops_failed": "Drops settled in failed since the start, refused ones included",
    "drops_pending": "Names in the inbox that are not taken yet",
    "settling": "Settled drops whose files are not written yet",
    "rounds": "Rounds of search since the start",
    "overflows": "Times the kernel lost inotify events",
    "restarts": "Services that were restarted",
}
"""The members of the status' `counts`, and what the metrics say of them."""


def metrics(snapshot: Mapping[str, Any]) -> bytes:
    """The snapshot for Prometheus' text collector. All are gauges: they start at 0 with the daemon."""
    registry = CollectorRegistry()
    for name, says in COUNTS.items():
        Gauge(f"ansord_{name}", says, registry=registry).set(snapshot["counts"][name])
    Gauge("ansord_tasks", "Open tasks", registry=registry).set(len(snapshot["tasks"]))
    Gauge("ansord_trouble", "1 while something keeps the daemon from its work", registry=registry).set(
        snapshot["trouble"] is not None
    )
    Gauge("ansord_started_seconds", "When the daemon started, Unix time", registry=registry).set(
        snapshot["started"]
    )
    return generate_latest(registry)


def read_status(state: Path) -> dict[str, Any] | None:
    """The status of the daemon that lives here; None, whatever the file says, if none does."""
    pid = holder(state)
    if pid is None:
        return None
    with contextlib.suppress(OSError, ValueError):
        status: dict[str, Any] = json.loads((state / STATUS).read_bytes())
        if status.get("pid") == pid:
            return status
    return {"schema_version": SCHEMA_VERSION, "state": "starting", "pid": pid, "tasks": [], "counts": {}}
