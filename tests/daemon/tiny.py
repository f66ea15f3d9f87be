"""A daemon with everything real but the search: its sessions count instead of compiling.

Run as a program it is a whole daemon process, for the tests that need signals and deaths:
`python tiny.py INBOX STATE [--until-idle] [--round SECONDS]`. STATE/trials remembers the trials, one a line.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import anyio

from ansord.daemon import Settings, configure_logs, serve
from ansord.daemon.plan import Task
from ansord.record import Trial
from ansord_client.entry import Entry

HOST = "x86_64-2t-000000000000"
BATCH = 4


def subgraph(extent: int = 8, trials: int = 8, **fields: Any) -> dict[str, Any]:
    """A valid subgraph; another extent is another key."""
    return {
        "ansord": 1,
        "name": f"relu_{extent}",
        "inputs": [{"name": "x", "shape": [extent], "dtype": "float32"}],
        "nodes": [{"name": "y", "op": "relu", "args": ["x"]}],
        "outputs": ["y"],
        "tuning": {"trials": trials},
        **fields,
    }


def text(extent: int = 8, trials: int = 8, **fields: Any) -> bytes:
    return json.dumps(subgraph(extent, trials, **fields)).encode()


def entry(key: str, trials: int) -> Entry:
    digest = hashlib.sha256(b"object").hexdigest()
    port = ((8,), "float32", False)
    return Entry(
        key, HOST, "x86_64", (), 2, digest, 6, (port,), (port,), latency_us=1000 / trials, trials=trials
    )


class Session:
    """Remembers its trials in a file, as the journal does."""

    def __init__(self, task: Task, notes: Path, before_round: Callable[[Task], None], seconds: float) -> None:
        self.task, self.notes, self.before_round, self.seconds = task, notes, before_round, seconds
        self.failed_trials, self.done, self.closed = 0, False, False
        self.history: list[Trial] = []

    @property
    def trials(self) -> int:
        return self.notes.read_text().split().count(self.task.key) if self.notes.exists() else 0

    @property
    def best(self) -> Entry | None:
        return entry(self.task.key, self.trials) if self.trials else None

    async def round(self, limit: int) -> None:
        self.before_round(self.task)
        await anyio.sleep(self.seconds)
        with self.notes.open("a") as notes:
            notes.write(f"{self.task.key}\n" * min(limit, BATCH))

    async def close(self) -> None:
        self.closed = True


class Workshop:
    """`turns` lists the keys in the order of their rounds."""

    def __init__(self, notes: Path, seconds: float = 0.0) -> None:
        self.notes, self.seconds = notes, seconds
        self.turns: list[str] = []
        self.opened: list[Session] = []
        self.before_round: Callable[[Task], None] = lambda task: None

    def known(self, key: str) -> None:
        """Sessions say it all."""

    async def open(self, task: Task) -> Session:
        session = Session(task, self.notes, self._before, self.seconds)
        self.opened.append(session)
        return session

    def _before(self, task: Task) -> None:
        self.turns.append(task.key)
        self.before_round(task)

    @contextlib.asynccontextmanager
    async def __call__(self) -> AsyncIterator[Workshop]:
        yield self
        assert all(session.closed for session in self.opened), "a session outlived what it publishes in"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("inbox", type=Path)
    parser.add_argument("state", type=Path)
    parser.add_argument("--until-idle", action="store_true")
    parser.add_argument("--round", type=float, default=0.01)
    options = parser.parse_args()
    configure_logs("info", json=True)
    settings = Settings(cache=options.state / "cache", inbox=options.inbox, state=options.state)
    workshop = Workshop(options.state / "trials", options.round)

    async def live() -> int:
        return await serve(
            settings, workshop, {"host_key": HOST}, until_idle=options.until_idle, reload=lambda: settings
        )

    return anyio.run(live)


def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Looks from outside, as another process would."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)


if __name__ == "__main__":
    sys.exit(main())
