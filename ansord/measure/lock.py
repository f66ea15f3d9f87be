"""One measurement at a time on a host: a flock that serve, tune and bench share, whoever runs them.

The kernel drops it with its holder, so a dead one blocks nobody. Never held while anything but a clock runs.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import anyio

_FIRST_S, _LONGEST_S = 0.001, 0.05


_PLACES = ("/run/ansord/measure.lock", "/dev/shm/ansord-measure.lock", "/tmp/ansord-measure.lock")


def default_path() -> Path:
    """The service's file where there is one or could be; else one in a place that every user can reach."""
    for place in map(Path, _PLACES):
        if place.exists() or os.access(place.parent, os.W_OK):
            return place
    return Path(_PLACES[-1])


class MeasureLock:
    """`async with lock:`; tasks that share the object wait for each other too."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or default_path()
        self._turn = anyio.Lock()
        self._fd = -1

    def open(self) -> None:
        """Open the file, making it if it is missing. flock needs no write permission: anybody's will do."""
        with suppress(FileExistsError):
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDONLY | os.O_CLOEXEC, 0o444))
        self._fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    async def __aenter__(self) -> None:
        await self._turn.acquire()
        try:
            wait = _FIRST_S
            while True:
                try:
                    fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    return
                except BlockingIOError:
                    await anyio.sleep(wait)
                    wait = min(2 * wait, _LONGEST_S)
        except BaseException:
            self._turn.release()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        fcntl.flock(self._fd, fcntl.LOCK_UN)
        self._turn.release()
