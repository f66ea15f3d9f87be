"""Processes seen from outside, through /proc: whose children they are, and what CPU time they took."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from cffi import FFI

PR_SET_CHILD_SUBREAPER = 36  # prctl(2)


def parents() -> dict[int, tuple[int, str]]:
    """Of every process: (its parent, its state), as in proc_pid_stat(5)."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdecimal():
            with contextlib.suppress(OSError):
                fields = Path(f"/proc/{name}/stat").read_text(errors="replace").rpartition(")")[2].split()
                found[int(name)] = (int(fields[1]), fields[0])
    return found


def below(pid: int) -> list[int]:
    """The living descendants of `pid`, zombies left out."""
    table = parents()
    tree, grown = {pid}, True
    while grown:
        more = {one for one, (parent, _) in table.items() if parent in tree} - tree
        tree |= more
        grown = bool(more)
    return sorted(one for one in tree - {pid} if table[one][1] not in "ZX")


def cpu_seconds(pid: int) -> float:
    """CPU time of a process, of threads that ended too; in nanoseconds, where the tick-based books round.

    The clock's number: Linux, include/linux/posix-timers.h, CPUCLOCK_SCHED of a process."""
    return time.clock_gettime((~pid << 3) | 2)


def tree_cpu_seconds(pid: int) -> dict[int, float]:
    """The same of `pid` and each of its descendants."""
    found = {}
    for one in (pid, *below(pid)):
        with contextlib.suppress(OSError):
            found[one] = cpu_seconds(one)
    return found


@contextlib.contextmanager
def adopting() -> Iterator[None]:
    """Within the block orphans of this process's descendants become its children: none can hide."""
    ffi = FFI()
    ffi.cdef("int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long);")
    libc = ffi.dlopen(None)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError("prctl(PR_SET_CHILD_SUBREAPER) failed")
    try:
        yield
    finally:
        libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def bury(before: set[int]) -> list[str]:
    """Ends the children of this process that are not in `before`, and collects them; the command lines of
    those that were alive."""
    alive = [pid for pid in below(os.getpid()) if pid not in before]
    words = [_command(pid) for pid in alive]
    for pid in alive:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    mine = [pid for pid, (parent, _) in parents().items() if parent == os.getpid() and pid not in before]
    for pid in mine:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
    return words


def _command(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    return f"process {pid}"
