"""The notify service: tells systemd that we are ready, alive, stopping, and what we do. Silent anywhere else.

Protocol: sd_notify(3), datagrams to $NOTIFY_SOCKET. The watchdog is fed only while `alive()` says that every
service makes progress, never by a timer of its own.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping

import anyio


def notify(message: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Sends `READY=1` or the like; says whether somebody was there to hear it."""
    path = environ.get("NOTIFY_SOCKET", "")
    if not path.startswith(("/", "@")):
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        sender.setblocking(False)  # a manager that is busy must not stop the daemon
        try:
            sender.sendto(
                message.encode(errors="backslashreplace"), "\0" + path[1:] if path[0] == "@" else path
            )
        except OSError:
            return False
    return True


class Notifier:
    """`ready()`: the first scan is over. `status()`: one line for `systemctl status`."""

    name = "notify"
    patience = 1.0

    def __init__(
        self, ready: Callable[[], bool], alive: Callable[[], bool], status: Callable[[], str]
    ) -> None:
        self._ready, self._alive, self._status = ready, alive, status

    async def run(self) -> None:
        if "NOTIFY_SOCKET" not in os.environ:
            await anyio.sleep_forever()
        while not self._ready():  # noqa: ASYNC110 - once, at the start, where a supervisor waits
            await anyio.sleep(0.05)
        notify("READY=1")
        period = int(os.environ.get("WATCHDOG_USEC", "0")) / 3e6 or 20.0
        said = ""
        while True:
            if self._alive():
                notify("WATCHDOG=1")
            if (line := self._status()) != said:
                said = line
                notify(f"STATUS={line}")
            await anyio.sleep(min(period, 20.0))

    async def drain(self) -> None: ...
