"""A real `ansord serve` on directories of its own, driven as its users drive it: files, signals, status."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ansord.daemon import holder, read_status

REPO = Path(__file__).resolve().parent.parent.parent
PATIENCE_S = 900.0


def environment() -> dict[str, str]:
    """Mine, but for what would lead ansord to another place than the options say."""
    return {name: value for name, value in os.environ.items() if not name.startswith("ANSORD_")}


def until(condition: Callable[[], Any], what: str, seconds: float = PATIENCE_S, pause: float = 0.01) -> Any:
    """The first true answer of `condition`. Raises TimeoutError, with `what` was waited for."""
    ends = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > ends:
            raise TimeoutError(f"waited {seconds:g} s for {what}")
        time.sleep(pause)
    return answer


class Daemon:
    """`before`: words in front of the command, for a daemon that has to live under restrictions."""

    def __init__(self, folder: Path, before: Sequence[str] = ()) -> None:
        self.inbox, self.cache, self.state = (folder / name for name in ("inbox", "cache", "state"))
        self.config = folder / "ansord.toml"
        self.log = folder / "log"
        self.before = before
        self.process: subprocess.Popen[bytes] | None = None
        for path in (self.inbox, self.cache, self.state):
            path.mkdir(parents=True, exist_ok=True)
        self.config.touch()  # nobody's configuration but this

    def command(self, *words: str) -> list[str]:
        return [*self.before, sys.executable, "-m", "ansord", "serve", *self.places, *words]

    @property
    def places(self) -> list[str]:
        """The options that lead a command here."""
        return [f"--{name}={getattr(self, name)}" for name in ("inbox", "cache", "state", "config")]

    def warm(self, model: str | Path, seconds: float, *words: str, quiet: bool = False) -> int:
        """`ansord warm` until its deadline; its exit code, 0 or 75. Raises RuntimeError for another."""
        command = [sys.executable, "-m", "ansord", "warm", str(model), "--wait", f"--deadline={seconds:g}s"]
        done = subprocess.run(
            [*command, *words, *self.places],
            cwd=REPO, env=environment(), capture_output=quiet, text=True, check=False,
        )  # fmt: skip
        if done.returncode not in (0, 75):
            raise RuntimeError(f"warm ended with {done.returncode}: {(done.stderr or '').strip()[-300:]}")
        return done.returncode

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Ends one that a killed run may have left behind, then starts."""
        left = holder(self.state)
        if left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(left, signal.SIGKILL)
            until(lambda: holder(self.state) is None, "the end of an earlier daemon", 10)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self.command(*words),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=REPO,
                env=environment(),
                start_new_session=True,
            )
        return self.process

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def status(self) -> dict[str, Any] | None:
        return read_status(self.state)

    def awake(self, seconds: float = 60.0) -> None:
        """Waits until it watches its inbox. Raises RuntimeError with its last words where it ended."""

        def looked() -> bool:
            self.check()
            return (self.status() or {}).get("state") in ("idle", "tuning")

        until(looked, "the daemon's start", seconds)

    def check(self) -> None:
        if self.process is None or self.process.poll() is not None:
            words = self.log.read_text(errors="replace").splitlines()[-3:]
            raise RuntimeError(f"the daemon ended: {' / '.join(words)}")

    def drop(self, name: str, subgraph: Mapping[str, Any] | bytes) -> None:
        """The file appears in the inbox whole."""
        data = subgraph if isinstance(subgraph, bytes) else json.dumps(subgraph).encode()
        temporary = self.inbox / f".{name}.tmp"
        temporary.write_bytes(data)
        temporary.rename(self.inbox / f"{name}.json")

    def record(self, name: str) -> tuple[str, dict[str, Any]] | None:
        """("done" or "failed", what stands beside the drop), once it is settled."""
        for folder, kind in (("done", "result"), ("failed", "error")):
            with contextlib.suppress(FileNotFoundError):
                return folder, json.loads((self.inbox / folder / f"{name}.{kind}.json").read_bytes())
        return None

    def settled(self, name: str, seconds: float = PATIENCE_S) -> tuple[str, dict[str, Any]]:
        """Waits for the record, as long as the daemon lives."""

        def found() -> tuple[str, dict[str, Any]] | None:
            answer = self.record(name)
            if answer is None:
                self.check()
            return answer

        answer: tuple[str, dict[str, Any]] = until(found, f"the result of {name}", seconds)
        return answer

    def stop(self, seconds: float = 20.0) -> int | None:
        """SIGTERM, and SIGKILL to one that does not drain; its exit status."""
        if self.process is None:
            return None
        self.process.terminate()
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Daemon]:
    """A daemon that is awake, for the length of the block."""
    daemon = Daemon(folder)
    daemon.start()
    try:
        daemon.awake()
        yield daemon
    finally:
        daemon.stop()


def example(name: str, trials: int, **tuning: Any) -> dict[str, Any]:
    """One of examples/, as a file with this budget would hold it."""
    value: dict[str, Any] = json.loads((REPO / "examples" / f"{name}.json").read_text())
    return {**value, "tuning": {"trials": trials, **tuning}}
