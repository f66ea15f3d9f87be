"""Dropping a file into a watched directory: it appears there whole or not at all, and replaces nothing.

Called by the client on a miss and by `ansord submit`. A dot file is written first, which no watcher takes.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from pathlib import Path

_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)


def drop(inbox: Path, name: str, data: bytes) -> bool:
    """Put `data` into `inbox` as `name`, on disk before it is seen; makes the directory if it is missing.

    False when a file of that name waits there already. Raises OSError, and then leaves nothing behind.
    """
    inbox.mkdir(parents=True, exist_ok=True)
    directory = os.open(inbox, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        temporary = f".{name}.{os.getpid()}.{secrets.token_hex(6)}.tmp"
        try:
            _write(directory, temporary, data)
            dropped = _appear(directory, temporary, name)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary, dir_fd=directory)
        os.fsync(directory)
        return dropped
    finally:
        os.close(directory)


def _write(directory: int, name: str, data: bytes) -> None:
    file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=directory)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(file, view) :]
        os.fchmod(file, 0o644)  # whatever the umask: the daemon may be another user
        os.fsync(file)
    finally:
        os.close(file)


def _appear(directory: int, temporary: str, name: str) -> bool:
    try:
        os.link(temporary, name, src_dir_fd=directory, dst_dir_fd=directory, follow_symlinks=False)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # A file system without links: between these two lines another drop of this name could be replaced.
        with contextlib.suppress(FileNotFoundError):
            os.stat(name, dir_fd=directory, follow_symlinks=False)
            return False
        os.rename(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
    return True
