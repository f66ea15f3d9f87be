"""Runs a command that can be held still, and that ends with the daemon.

Started as `python -I -S leash.py ARGV... WORK CONTROL`; the command gets the number of the work socket as
its last argument. This process stays awake beside it: a stopped one could not see the daemon's end. On the
control socket the words `stop` and `go` act on the command's group and are answered; when the socket closes,
or the command ends, all of it is killed. Stdlib only.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import struct
import sys

_LENGTH = struct.Struct("<I")
WORDS = {b"stop": signal.SIGSTOP, b"go": signal.SIGCONT}


def hear(control: socket.socket) -> bytes:
    """The next word; empty where the other end is gone."""
    head = control.recv(_LENGTH.size, socket.MSG_WAITALL)
    if len(head) < _LENGTH.size:
        return b""
    return control.recv(_LENGTH.unpack(head)[0], socket.MSG_WAITALL)


def main(*words: str) -> None:
    """Until the command or the daemon ends."""
    *argv, work, control_fd = words
    control = socket.socket(fileno=int(control_fd))
    group = os.posix_spawn(
        argv[0],
        [*argv, work],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_CLOSE, control.fileno())],
        setpgroup=0,
    )
    os.close(int(work))
    ended = os.pidfd_open(group)
    try:
        while True:
            ready, _, _ = select.select([control.fileno(), ended], [], [])
            word = hear(control) if control.fileno() in ready else b"gone"
            if ended in ready or word not in WORDS:
                break
            os.killpg(group, WORDS[word])
            if word == b"stop":  # a signal takes its time; the answer says that it stands
                os.waitid(os.P_PID, group, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
            control.sendall(_LENGTH.pack(0))
    except OSError:
        pass
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
        os.waitpid(group, 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
