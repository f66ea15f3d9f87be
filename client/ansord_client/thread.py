"""What a thread remembers between its calls: its last arrays, and its scratch memory.

Read by kernels in every call. Nothing here is shared between threads, and nothing keeps an array alive.
"""

from __future__ import annotations

import threading
from typing import Any

from ansord_client.arrays import aligned
from ansord_client.entry import Entry
from ansord_client.load import ffi


class Nothing:
    """Stands for an array that was not given, and for a weak reference to one: calling it gives an object
    that no argument is."""


class Thread(threading.local):
    """Of one kernel. `last`: weak references to the arrays of a call with `out` (first, second, others, out),
    and what they led to (C function, args, packed, scratch, what keeps the scratch alive)."""

    last: tuple[Any, ...] = (Nothing, Nothing, (), Nothing, None, None, None, None, None)
    seen = 0  # id of the last `out`: only what comes twice is worth remembering
    scratch: tuple[Any, Any] | None = None


class _Scratch(threading.local):
    """One buffer for all kernels of a thread: as large as the largest needs, and warm in the caches."""

    size = 0
    alignment = 0
    pointer: Any = ffi.NULL
    owner: Any = None


_scratch = _Scratch()


def scratch_of(entry: Entry, thread: Thread) -> tuple[Any, Any]:
    """This thread's scratch memory for a kernel: (pointer, what keeps it alive when a larger one replaces
    it)."""
    reserve(entry.scratch_bytes, entry.scratch_align)
    thread.scratch = _scratch.pointer, _scratch.owner
    return thread.scratch


def reserve(size: int, alignment: int) -> None:
    """Scratch memory of this thread for whatever needs no more: kernels keep the buffer of their first call,
    so that who knows several asks for the largest before."""
    if _scratch.size < size or _scratch.alignment < alignment:
        _scratch.size = max(size, _scratch.size)
        _scratch.alignment = max(alignment, _scratch.alignment)
        _scratch.pointer, _scratch.owner = aligned(_scratch.size, _scratch.alignment)
