"""One daemon per state directory: a lock that dies with its holder, and the question who holds it.

`serve` takes it before it touches anything; `ansord status` only asks. The file's text is for people.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from ansord_client.errors import AnsordError

LOCK = "daemon.lock"


class Held(AnsordError):
    """Another daemon lives; `pid` is what it wrote, 0 where it wrote nothing."""

    def __init__(self, path: Path, pid: int) -> None:
        self.pid = pid
        super().__init__(f"another daemon (pid {pid or 'unknown'}) holds {path}")


@contextlib.contextmanager
def lease(state: Path, patience_s: float = 1.0) -> Iterator[None]:
    """Holds the lock for the block. Raises Held; waits a moment first, since asking takes the lock too."""
    path = state / LOCK
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    try:
        deadline = time.monotonic() + patience_s
        while not _lock(descriptor, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                raise Held(path, _pid(descriptor))
            time.sleep(0.05)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def holder(state: Path) -> int | None:
    """The pid of the daemon that lives on this state directory (0: it did not say), None if there is none."""
    try:
        descriptor = os.open(state / LOCK, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        return None if _lock(descriptor, fcntl.LOCK_SH) else _pid(descriptor)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _pid(descriptor: int) -> int:
    text = os.pread(descriptor, 32, 0).strip()
    return int(text) if text.isdigit() else 0
