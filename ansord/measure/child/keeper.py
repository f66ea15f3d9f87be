"""The keeper: forks the runner, watches it, and ends it at a deadline, at its death, or at the daemon's.

It has one thread and everything imported, so that a fresh runner is a fork of a few milliseconds. A runner
lives in a process group of its own; what it started is found again here, since orphans come to a subreaper.
It never loads a candidate.
"""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import secrets
import select
import signal
import socket
import sys
import time
import warnings
from typing import Any

import cffi
import numpy as np

from . import runner
from .frames import Gone, Reader, receive, send

SAID_BYTES = 4096
LIMITS = (
    (resource.RLIMIT_CORE, 0),
    (resource.RLIMIT_FSIZE, 0),  # a kernel has no file to write
    (resource.RLIMIT_NOFILE, 512),
    (resource.RLIMIT_CPU, 3600 * (os.cpu_count() or 1)),  # of all its threads; a net under the deadlines
)
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # prctl(2)


class Runner:
    """One runner as its keeper sees it."""

    def __init__(self, libc: Any, others: list[int]) -> None:
        self.socket, theirs = socket.socketpair()
        self.output, write = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self.output, False)
        keeper = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                for fd in (*others, self.output, self.socket.fileno()):
                    os.close(fd)
                _settle(libc, write, keeper)
                runner.serve(theirs)
            finally:
                os._exit(runner.FINISHED)
        theirs.close()
        os.close(write)
        with contextlib.suppress(OSError):
            os.setpgid(self.pid, self.pid)
        self.pidfd = os.pidfd_open(self.pid)
        self.said = b""

    def hear(self) -> None:
        """Take what it has written; the last SAID_BYTES are kept."""
        try:
            while part := os.read(self.output, 1 << 16):
                self.said = (self.said + part)[-SAID_BYTES:]
        except BlockingIOError:
            pass

    def has_ended(self) -> bool:
        return bool(select.select([self.pidfd], [], [], 0)[0])

    def end(self) -> str:
        """Kill its group and whatever else it started; how the leader ended."""
        os.killpg(self.pid, signal.SIGKILL)  # before the leader is reaped: the number is still ours
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        self.hear()
        os.close(self.pidfd)
        os.close(self.output)
        self.socket.close()
        reap()
        return f"exit {code}" if code >= 0 else signal.Signals(-code).name

    def strays(self) -> bool:
        """Whether it has started a process."""
        return bool(children(self.pid)) or children(os.getpid()) != [self.pid]


def _settle(libc: Any, output: int, keeper: int) -> None:
    """In the forked child: a group of its own, closed streams, limits, and an end with the keeper."""
    os.setpgid(0, 0)
    sys.dont_write_bytecode = True  # a late import is no kernel that writes to a file
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")  # where memory runs out, this process goes, not the daemon nor its neighbours
    libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != keeper:
        os._exit(runner.FINISHED)
    os.dup2(output, 1)
    os.dup2(output, 2)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for kind, most in (*LIMITS, (resource.RLIMIT_DATA, memory // 4 * 3)):
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard),) * 2)


def children(pid: int) -> list[int]:
    """Processes whose parent is the first thread of `pid`; empty where the kernel does not say."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


def reap() -> None:
    """End and collect every child of this process: orphans that a runner left, in any session."""
    for _ in range(1000):
        for pid in children(os.getpid()):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.001)
        except ChildProcessError:
            return


class Keeper:
    """Answers the daemon: each order goes to a runner, and its fate comes back."""

    def __init__(self, daemon: socket.socket, libc: Any) -> None:
        self.daemon = daemon
        self.libc = libc
        self.runner: Runner | None = None

    def serve(self) -> None:
        try:
            while True:
                order = receive(self.daemon)
                if order.pop("fresh", False):
                    self.end()
                if self.runner is not None and self.runner.has_ended():  # a thread that a kernel left behind
                    said, how = self.runner.said, self.end()
                    if order["op"] in ("burst", "rest"):  # of the kernel that it held
                        words = said.decode(errors="replace").strip()
                        send(self.daemon, {"end": "died", "said": words, "how": how})
                        continue
                send(self.daemon, self.fate(order, float(order["limit_s"])))
        finally:
            self.end()

    def end(self) -> str:
        if self.runner is None:
            return ""
        gone, self.runner = self.runner, None
        how = gone.end()
        return how

    def fate(self, order: dict[str, Any], limit_s: float) -> dict[str, Any]:
        """{"end": "answer" | "died" | "late", ...}; after anything but an answer the runner is gone."""
        if self.runner is None:
            self.runner = Runner(self.libc, [self.daemon.fileno()])
        here = self.runner
        here.hear()
        here.said = b""
        nonce = secrets.token_bytes(8)
        with contextlib.suppress(Gone):  # its death is seen below
            send(here.socket, {**order, "nonce": nonce})
        answer, why = self.watch(here, limit_s)
        if answer is not None and answer.pop("nonce", None) != nonce:
            answer, why = None, "protocol"
        if answer is not None and here.strays():
            answer, why = None, "fork"
        if answer is None:
            how = self.end()
            why = why if why in ("late", "fork", "protocol") else how
        said = here.said.decode(errors="replace").strip()
        if answer is not None:
            return {"end": "answer", "said": said, "answer": answer}
        return {"end": "late" if why == "late" else "died", "said": said, "how": why}

    def watch(self, here: Runner, limit_s: float) -> tuple[dict[str, Any] | None, str]:
        """Wait for an answer, a death or the deadline."""
        deadline = time.monotonic() + limit_s
        reader = Reader()
        poll = select.poll()
        for fd in (here.socket.fileno(), here.output, here.pidfd, self.daemon.fileno()):
            poll.register(fd, select.POLLIN)
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                return None, "late"
            ready = dict(poll.poll(left * 1000 + 1))
            if self.daemon.fileno() in ready:
                raise Gone  # nothing is sent while an answer is due, so this is the end
            if here.output in ready:
                here.hear()
                if ready[here.output] & select.POLLHUP:
                    poll.unregister(here.output)
            if here.socket.fileno() in ready:
                try:
                    answer = reader.take(here.socket)
                except ValueError:
                    return None, "protocol"
                if answer is not None:
                    here.hear()
                    return answer, ""
                if ready[here.socket.fileno()] & select.POLLHUP:
                    poll.unregister(here.socket)
            if here.pidfd in ready:
                return None, "died"


def take_precedence() -> None:
    """Run before others where that is allowed; runners inherit it. A sample in which somebody else had the
    core is thrown away and taken again, which costs everybody more. A service is bound by its cgroup."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, -20)
        with open("/proc/self/autogroup", "w") as file:
            file.write("-20")  # else niceness counts within a session only: sched(7)


def main(fd: int) -> None:
    """Serve the daemon at the other end of `fd` until it closes it."""
    warnings.simplefilter("ignore")  # what a runner prints counts as the candidate's words
    np.seterr(all="ignore")
    ffi = cffi.FFI()
    ffi.cdef("int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long);")
    libc = ffi.dlopen(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    take_precedence()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the daemon decides; it closes the socket
    os.set_inheritable(fd, False)
    gc.collect()
    gc.freeze()  # a runner's collector then leaves the pages that it shares with the keeper alone
    with contextlib.suppress(Gone):
        Keeper(socket.socket(fileno=fd), libc).serve()
