"""What can go wrong when something is to be kept.

AnsordError
└── StoreError      a write that failed; readers have what was there before, or the whole of the new
    ├── StoreBusy   another process is the writer: pid
    └── StoreFull   no space, no quota, or a size limit
"""

from __future__ import annotations

import errno

from ansord_client.errors import AnsordError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class StoreError(AnsordError):
    """Readers have what was there before, or the whole of the new; trying again is safe."""


class StoreFull(StoreError):
    """There is no room for it; readers are not affected, and the same call may succeed later."""


class StoreBusy(StoreError):
    """Another process is the writer. `pid`: None where it left no note."""

    def __init__(self, what: str, pid: int | None) -> None:
        self.pid = pid
        super().__init__(f"{what} is being written by {f'process {pid}' if pid else 'another process'}")


def store_error(what: str, error: OSError) -> StoreError:
    """The right kind for a failed system call."""
    kind = StoreFull if error.errno in _FULL else StoreError
    return kind(f"{what}: {error.strerror or error}")
