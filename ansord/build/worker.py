"""The builder's process: runs one compiler at a time, and takes it down when the daemon goes away.

Started as `python -I -S worker.py DIR WORK_FD CONTROL_FD`; stdlib only, so that it is there in 20 ms.
The compiler runs in a process group of its own, which dies with the wall deadline, with the end of this
process's sockets, and before its leader is reaped (a process group id must not be killed once it is free).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import resource
import select
import signal
import socket
import struct
import sys
import time

STDERR_BYTES = 64 << 10
LIMITS = (
    (resource.RLIMIT_AS, 4 << 30),
    (resource.RLIMIT_FSIZE, 256 << 20),
    (resource.RLIMIT_NOFILE, 256),
    (resource.RLIMIT_CORE, 0),
)
_LENGTH = struct.Struct("<I")


class Gone(Exception):
    """The daemon closed a socket, or died."""


def receive(sock: socket.socket) -> bytes:
    data = b""
    size = _LENGTH.size
    head = True
    while len(data) < size:
        part = sock.recv(size - len(data))
        if not part:
            raise Gone
        data += part
        if head and len(data) == size:
            (size,), data, head = _LENGTH.unpack(data), b"", False
    return data


def reply(sock: socket.socket, data: bytes) -> None:
    try:
        sock.sendall(_LENGTH.pack(len(data)) + data)
    except OSError:
        raise Gone from None


class Worker:
    """The two sockets and the compiler that runs now, if any."""

    def __init__(self, work: socket.socket, control: socket.socket) -> None:
        self.work = work
        self.control = control
        self.group = 0
        self.stopped_since: float | None = None
        self.deadline = 0.0

    def serve(self) -> None:
        """Answer until a socket closes."""
        poll = select.poll()
        poll.register(self.control, select.POLLIN)
        poll.register(self.work, select.POLLIN)
        while True:
            ready = {fd for fd, _ in poll.poll()}
            if self.control.fileno() in ready:
                self.obey()
            elif self.work.fileno() in ready:
                job = receive(self.work)
                while self.stopped_since is not None:
                    self.obey()
                reply(self.work, self.build(job))

    def obey(self) -> None:
        """`stop` and `go` act on the compiler's group; this process itself must stay awake to see an end."""
        word = receive(self.control)
        if word == b"stop" and self.stopped_since is None:
            self.stopped_since = time.monotonic()
            self.signal_group(signal.SIGSTOP)
        elif word == b"go" and self.stopped_since is not None:
            self.deadline += time.monotonic() - self.stopped_since
            self.stopped_since = None
            self.signal_group(signal.SIGCONT)
        reply(self.control, b"")

    def signal_group(self, number: signal.Signals) -> None:
        if self.group:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.group, number)

    def build(self, job: bytes) -> bytes:
        """Run the compiler on the text of `job`; JSON that says what came of it."""
        head, _, text = job.partition(b"\0")
        order = json.loads(head)
        with open(order["source"], "wb") as file:
            file.write(text)
        cpu = int(time.process_time()) + int(order["limit_s"]) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (cpu, resource.getrlimit(resource.RLIMIT_CPU)[1]))
        read, write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            self.group = os.posix_spawn(
                order["argv"][0],
                order["argv"],
                order["env"],
                file_actions=[(os.POSIX_SPAWN_DUP2, write, 2)],
                setpgroup=0,
                setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],  # Python ignores both, a child would inherit that
            )
        except OSError as error:
            os.close(read)
            return json.dumps({"status": "absent", "said": str(error)}).encode()
        finally:
            os.close(write)
        try:
            said, late = self.watch(read, order["limit_s"])
        finally:
            os.close(read)
            self.signal_group(signal.SIGKILL)
            status = os.waitstatus_to_exitcode(os.waitpid(self.group, 0)[1])
            self.group = 0
        if late or status != 0:
            sweep()
            answer = {"status": "late" if late else status, "said": said.decode(errors="replace")}
            return json.dumps(answer).encode()
        with open(order["output"], "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        os.rename(order["output"], order["final"])
        return json.dumps({"status": 0, "digest": digest}).encode()

    def watch(self, stderr: int, limit_s: float) -> tuple[bytes, bool]:
        """Wait for the leader's end; what it wrote, and whether the wall deadline came first."""
        pidfd = os.pidfd_open(self.group)
        poll = select.poll()
        for fd in (pidfd, stderr, self.control.fileno()):
            poll.register(fd, select.POLLIN)
        poll.register(self.work, 0)  # only its end matters now
        self.deadline = time.monotonic() + limit_s
        said = b""
        try:
            while True:
                left = self.deadline - time.monotonic()
                if self.stopped_since is not None:
                    left = 1.0
                elif left <= 0:
                    return said, True
                ready = {fd for fd, _ in poll.poll(left * 1000)}
                if self.work.fileno() in ready:
                    raise Gone
                if self.control.fileno() in ready:
                    self.obey()
                if stderr in ready:
                    said = self.hear(stderr, said, poll)
                if pidfd in ready:
                    return self.hear(stderr, said, None), False
        finally:
            os.close(pidfd)

    @staticmethod
    def hear(stderr: int, said: bytes, poll: select.poll | None) -> bytes:
        """`said` and what is there to read by now; the part beyond STDERR_BYTES is dropped."""
        try:
            while part := os.read(stderr, 1 << 16):
                said = (said + part)[:STDERR_BYTES]
            if poll is not None:
                poll.unregister(stderr)  # every writer has closed it
        except BlockingIOError:
            pass
        return said


def sweep() -> None:
    """Remove what a compiler left in the working directory."""
    for name in os.listdir("."):
        os.unlink(name)


def main(directory: str, work: str, control: str) -> None:
    os.chdir(directory)
    for kind, most in LIMITS:
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard),) * 2)
    for fd in (work, control):
        os.set_inheritable(int(fd), False)  # a compiler that held them would hide this process's death
    worker = Worker(socket.socket(fileno=int(work)), socket.socket(fileno=int(control)))
    try:
        worker.serve()
    except (Gone, OSError):
        pass
    finally:
        sweep()
        os.rmdir(directory)


if __name__ == "__main__":
    main(*sys.argv[1:])
