"""The few system calls by which the store changes a disk, and the one way in which it writes a file.

Tests replace `Files` to fail or stop at every single call. Nothing here knows what the files mean.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
from functools import cache
from pathlib import Path

from ansord_client.layout import DIRECTORY_MODE, FILE_MODE


class Files:
    """The disk, each method one system call."""

    def open(self, path: Path, flags: int, mode: int = 0o600) -> int:
        return os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, mode)

    def allocate(self, file: int, size: int) -> None:
        os.posix_fallocate(file, 0, size)

    def write(self, file: int, data: bytes | memoryview) -> int:
        return os.write(file, data)

    def chmod(self, path: Path | int, mode: int) -> None:
        os.chmod(path, mode)

    def sync(self, file: int) -> None:
        os.fsync(file)

    def close(self, file: int) -> None:
        os.close(file)

    def rename(self, source: Path, target: Path) -> None:
        os.rename(source, target)

    def unlink(self, path: Path) -> None:
        os.unlink(path)

    def make_directory(self, path: Path) -> None:
        os.mkdir(path)

    def touch(self, path: Path) -> None:
        os.utime(path)


@cache
def boot_id() -> str:
    """Another one after every boot of the machine; empty where the kernel does not tell."""
    with contextlib.suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return ""


def temporary_name() -> str:
    """`HOST.BOOT_ID.PID.RANDOM`: whose it is can be told after a crash. A dot in the host name becomes a
    dash."""
    host = socket.gethostname().replace(".", "-").replace("/", "-")
    return f"{host}.{boot_id()}.{os.getpid()}.{secrets.token_hex(6)}"


def write_file(files: Files, directory: Path, target: Path, data: bytes) -> None:
    """Make `target` hold `data`, or leave all as it was, even when the power fails meanwhile.

    `directory` takes the temporary file; it is on the same file system. Space is allocated before the first
    byte: on a full disk, a file that is merely short would be renamed as happily as a whole one. Raises
    OSError.
    """
    temporary = directory / temporary_name()
    file = files.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        try:
            files.allocate(file, len(data))
            view = memoryview(data)
            while view:
                view = view[files.write(file, view) :]
            files.chmod(file, FILE_MODE)
            files.sync(file)
        finally:
            files.close(file)
        files.rename(temporary, target)
    except OSError:
        with contextlib.suppress(OSError):
            files.unlink(temporary)
        raise
    sync_directory(files, target.parent)


def sync_directory(files: Files, directory: Path) -> None:
    """Names, too, are only on disk after this."""
    file = files.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        files.sync(file)
    finally:
        files.close(file)


def make_directories(files: Files, directory: Path) -> None:
    """`directory` and what is missing above it, readable by all whatever the umask, and on disk."""
    missing = [path for path in (directory, *directory.parents) if not path.exists()]
    for path in reversed(missing):
        with contextlib.suppress(FileExistsError):
            files.make_directory(path)
        files.chmod(path, DIRECTORY_MODE)
        sync_directory(files, path.parent)
