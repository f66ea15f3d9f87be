"""A child process that answers framed requests over inherited sockets, for `build` and `measure`.

The child must end, with all that it started, when its sockets close: that is how nothing outlives the
daemon, not even a kill -9. Frames are a little-endian u32 length and that many bytes.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import anyio
import anyio.to_thread

GRACE_S = 1.0
_LEASH = str(Path(__file__).with_name("leash.py"))
_LENGTH = struct.Struct("<I")
_LARGEST = 1 << 28


class ChildDied(Exception):
    """The child is gone, or spoke out of turn; start another one."""


class Child:
    """One process and its sockets; `channels` of them, each carries one request at a time.

    Used with `async with`, or closed by hand. Any failure inside a request closes it: a channel that was
    left in the middle of an answer is of no use.
    """

    def __init__(self, process: subprocess.Popen[bytes], sockets: Sequence[socket.socket]) -> None:
        self._process = process
        self._sockets = sockets
        self._turns = [anyio.Lock() for _ in sockets]
        self._open = True

    @classmethod
    async def start(cls, argv: Sequence[str], env: Mapping[str, str], channels: int = 1) -> Child:
        """Start `argv` followed by the numbers of its ends of the channels, in a session of its own."""
        pairs = [socket.socketpair() for _ in range(channels)]
        theirs = [pair[1].fileno() for pair in pairs]

        def spawn() -> subprocess.Popen[bytes]:
            return subprocess.Popen(
                [*argv, *map(str, theirs)],
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=theirs,
            )

        with anyio.CancelScope(shield=True):  # a cancel in between would lose the process
            try:
                process = await anyio.to_thread.run_sync(spawn)
            except BaseException:
                for ours, _ in pairs:
                    ours.close()
                raise
            finally:
                for _, other in pairs:
                    other.close()
        for ours, _ in pairs:
            ours.setblocking(False)
        return cls(process, [ours for ours, _ in pairs])

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def usable(self) -> bool:
        """Whether a request can still be made."""
        return self._open

    async def request(self, payload: bytes, channel: int = 0) -> bytes:
        """The answer to `payload`. Raises ChildDied; cancelled, it takes the child down before it returns."""
        async with self._turns[channel]:
            if not self._open:
                raise ChildDied("the child process is closed")
            try:
                await self._send(self._sockets[channel], _LENGTH.pack(len(payload)) + payload)
                (size,) = _LENGTH.unpack(await self._receive(self._sockets[channel], _LENGTH.size))
                if size > _LARGEST:
                    raise ChildDied(f"the child process announced {size} bytes")
                return await self._receive(self._sockets[channel], size)
            except OSError as error:
                await self.aclose()
                raise ChildDied(f"the child process is gone: {error}") from error
            except BaseException:
                await self.aclose()
                raise

    async def _send(self, sock: socket.socket, data: bytes) -> None:
        view = memoryview(data)
        while view:
            try:
                view = view[sock.send(view, socket.MSG_NOSIGNAL) :]
            except BlockingIOError:
                await anyio.wait_writable(sock)

    async def _receive(self, sock: socket.socket, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            try:
                part = sock.recv(size - len(data))
            except BlockingIOError:
                await anyio.wait_readable(sock)
                continue
            if not part:
                raise ChildDied("the child process closed its socket")
            data += part
        return bytes(data)

    async def aclose(self) -> None:
        """Close the sockets and wait for the end; after GRACE_S, SIGKILL. Safe to repeat, shielded."""
        if not self._open:
            return
        self._open = False
        with anyio.CancelScope(shield=True):
            for sock in self._sockets:
                anyio.notify_closing(sock)
                sock.close()
            with anyio.move_on_after(GRACE_S):
                await self._ended()
                return
            self._process.kill()
            await self._ended()

    async def _ended(self) -> None:
        pidfd = os.pidfd_open(self._process.pid)
        try:
            await anyio.wait_readable(pidfd)
        finally:
            os.close(pidfd)
        # The dead leader is not reaped yet, so its session's number cannot belong to anybody else.
        kill_session(self._process.pid)
        self._process.wait()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def leashed(argv: Sequence[str]) -> list[str]:
    """The command that runs `argv` for a Child of two channels, the second being its leash: `stop` and `go`
    on it hold the command still, and it ends with whoever started it, in the middle of whatever it does."""
    return [sys.executable, "-I", "-S", _LEASH, *argv]


def kill_session(session: int) -> None:
    """SIGKILL to what is left of `session`, in whatever process groups; its leader must be unreaped."""
    for entry in os.listdir("/proc"):
        if entry.isdecimal():
            with contextlib.suppress(OSError):
                with open(f"/proc/{entry}/stat", "rb") as file:
                    fields = file.read().rpartition(b")")[2].split()  # state, ppid, pgrp, session: proc(5)
                if int(fields[3]) == session and int(entry) != session:
                    os.kill(int(entry), signal.SIGKILL)
