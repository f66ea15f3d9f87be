"""File operations relative to an open directory, careful with what other users may have put there.

Called by the spool and the status file. Nothing here follows a link, waits on a FIFO, or leaves half a file.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import shutil
import stat

_LIBC = ctypes.CDLL(None, use_errno=True)
_RENAME_NOREPLACE = 1


def open_directory(path: str | os.PathLike[str], directory: int | None = None) -> int:
    """A descriptor of a directory; below `directory` not through a link. Raises OSError."""
    follow = 0 if directory is None else os.O_NOFOLLOW
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | follow, dir_fd=directory)


def read_regular(directory: int, name: str, largest: int) -> bytes:
    """At most `largest` bytes of a regular file. Raises OSError for anything else."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
    descriptor = os.open(name, flags, dir_fd=directory)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "no regular file", name)
        data = bytearray()
        while len(data) < largest and (piece := os.read(descriptor, largest - len(data))):
            data += piece
        return bytes(data)
    finally:
        os.close(descriptor)


def write_durably(directory: int, name: str, data: bytes) -> None:
    """A new or emptied file with all of `data` on the disk. Raises OSError, and then leaves nothing."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        descriptor = os.open(name, flags, 0o644, dir_fd=directory)
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError:
        unlink(directory, name)
        raise


def rename_new(here: int, name: str, there: int, new: str) -> None:
    """Renames without replacing, for which Python has no flag. Raises FileExistsError.

    A link would do the same, but not for another user's file where fs.protected_hardlinks is on.
    """
    if _LIBC.renameat2(here, os.fsencode(name), there, os.fsencode(new), _RENAME_NOREPLACE) == 0:
        return
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.ENOSYS):  # a file system without the flag
        os.link(name, new, src_dir_fd=here, dst_dir_fd=there, follow_symlinks=False)
        unlink(here, name)
    else:
        raise OSError(code, os.strerror(code), new)


def unlink(directory: int, name: str) -> None:
    """Removes a name that may be gone already."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(name, dir_fd=directory)


def remove(directory: int, name: str) -> None:
    """Removes a file, or a directory with all that is in it, as far as permissions go."""
    try:
        unlink(directory, name)
    except (IsADirectoryError, PermissionError):
        shutil.rmtree(name, dir_fd=directory, ignore_errors=True)


def replace_text(path: str | os.PathLike[str], data: bytes) -> None:
    """A file that readers see whole, old or new. It need not survive a power cut. Raises OSError."""
    temporary = f"{os.fspath(path)}.new"
    with open(temporary, "wb") as file:
        file.write(data)
    os.replace(temporary, path)
