"""A child process whose words are limited: what it says beyond that is not kept, and it is killed for it."""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

PIECE = 1 << 16
"""Bytes read at once, and of stderr the last that are kept."""


@dataclass(frozen=True, slots=True)
class Said:
    """`out`: all of stdout, or its first `most` + 1 bytes; `err`: the end of stderr."""

    code: int
    out: bytes
    err: bytes


def run(command: Sequence[str], environment: Mapping[str, str], seconds: float, most: int) -> Said:
    """Runs it without stdin to its end, to `most` bytes, or for so many seconds.

    :raises TimeoutError: it was killed for taking too long.
    """
    ends = time.monotonic() + seconds
    with (
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environment),
        ) as process,
        selectors.DefaultSelector() as pipes,
    ):
        assert process.stdout is not None and process.stderr is not None
        out, err = bytearray(), bytearray()
        for pipe in (process.stdout, process.stderr):
            pipes.register(pipe, selectors.EVENT_READ)
        try:
            while pipes.get_map() and len(out) <= most:
                ready = pipes.select(max(0.0, ends - time.monotonic()))
                if not ready and time.monotonic() >= ends:
                    raise TimeoutError
                for key, _ in ready:
                    piece = os.read(key.fd, PIECE)
                    if not piece:
                        pipes.unregister(key.fileobj)
                    elif key.fileobj is process.stdout:
                        out += piece
                    else:
                        err = (err + piece)[-PIECE:]
            if len(out) > most:
                process.kill()
            process.wait(max(0.1, ends - time.monotonic()))
        except (TimeoutError, subprocess.TimeoutExpired) as error:
            raise TimeoutError(f"more than {seconds:g} s") from error
        finally:
            process.kill()
    return Said(process.returncode, bytes(out[: most + 1]), bytes(err))
