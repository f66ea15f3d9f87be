"""The C side of a runner: libc, the harness, one loaded candidate, and memory between guard pages."""

from __future__ import annotations

import contextlib
import mmap
from typing import Any

import cffi
import numpy as np
from numpy.typing import NDArray

ffi = cffi.FFI()
ffi.cdef(
    """
    int mprotect(void *address, size_t size, int protection);
    int fflush(void *stream);
    void *dlopen(const char *path, int flags);
    char *dlerror(void);

    typedef int32_t run_t(void *const *args, const void *packed, void *scratch);
    int32_t ansord_run(void *const *args, const void *packed, void *scratch);
    int32_t ansord_pack(const void *const *constants, void *packed);

    struct region { uintptr_t low, begin, end, high; char name[96]; };
    int64_t ansord_time(run_t *run, void *const *const *args, const void *const *packed, int32_t sets,
                        void *scratch, int64_t n);
    void ansord_spread(int32_t threads, int64_t ns);
    double ansord_pulse(int32_t threads, double seconds);
    int32_t ansord_watch(const struct region *table, int32_t n);

    int32_t ansord_peak_cases(void);
    const char *ansord_peak_name(int32_t which);
    double ansord_peak(int32_t which, int32_t threads, int64_t bytes, double seconds);
    """
)
libc: Any = ffi.dlopen(None)
_dlopen, _dlerror = libc.dlopen, libc.dlerror  # looked up now: a look-up clears the error
PAGE = mmap.PAGESIZE
GUARD = 1 << 20  # wide enough that a whole row too far still faults; it is address space, not memory
ALIGNMENT = 64
UNTOUCHED = 0xA5
PROT_NONE, PROT_READ, PROT_WRITE = 0, mmap.PROT_READ, mmap.PROT_WRITE
Bytes = NDArray[np.uint8]


class Unloadable(Exception):
    """The object does not load or lacks a function; the text says which."""


class Object:
    """A loaded shared object. Its path must be new: one seen before would give the object seen before."""

    def __init__(self, path: str) -> None:
        # Not cffi's dlopen: where that fails, it starts a compiler to look for a library of this name.
        handle = _dlopen(path.encode(), ffi.RTLD_NOW | ffi.RTLD_LOCAL)
        if handle == ffi.NULL:
            raise Unloadable(f"the object cannot be loaded: {ffi.string(_dlerror()).decode()}")
        self.lib: Any = ffi.dlopen(handle)

    def address(self, name: str) -> Any:
        """A pointer to the function `name`. Raises Unloadable."""
        try:
            return ffi.addressof(self.lib, name)
        except AttributeError as error:
            raise Unloadable(f"the object defines no {name}") from error


class Region:
    """`size` bytes between two guards; `place` puts them against the upper or the lower one.

    What is left of the pages holds UNTOUCHED, and `intact` says whether it still does.
    """

    def __init__(self, size: int, name: str, alignment: int = 1) -> None:
        self.size = size
        self.name = name
        self.alignment = alignment
        self.room = -(-size // PAGE) * PAGE
        self._map = mmap.mmap(-1, self.room + 2 * GUARD, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        with contextlib.suppress(OSError):  # large pages, where there are any: faults take time
            self._map.madvise(mmap.MADV_HUGEPAGE)
        self._base = int(ffi.cast("uintptr_t", ffi.from_buffer(self._map)))
        self._protect(self._base, GUARD, PROT_NONE)
        self._protect(self._base + GUARD + self.room, GUARD, PROT_NONE)
        self._pages = np.frombuffer(self._map, np.uint8)[GUARD : GUARD + self.room]
        self.offset = 0

    def place(self, upper: bool) -> None:
        """Writable, against the upper guard (as near as the alignment allows) or flush with the lower one."""
        self.readonly(False)
        self.offset = (self.room - self.size) // self.alignment * self.alignment if upper else 0
        self._pages[: self.offset] = UNTOUCHED
        self._pages[self.offset + self.size :] = UNTOUCHED

    @property
    def address(self) -> int:
        return self._base + GUARD + self.offset

    @property
    def bytes(self) -> Bytes:
        """The operand itself, as a view that is valid until the next `place`."""
        return self._pages[self.offset : self.offset + self.size]

    def readonly(self, yes: bool) -> None:
        self._protect(self._base + GUARD, self.room, PROT_READ if yes else PROT_READ | PROT_WRITE)

    def intact(self) -> bool:
        """Whether nobody wrote beside the operand."""
        before, after = self._pages[: self.offset], self._pages[self.offset + self.size :]
        return bool((before == UNTOUCHED).all() and (after == UNTOUCHED).all())

    def describe(self, row: Any) -> None:
        """Fill the harness's row for it."""
        row.low, row.high = self._base, self._base + self.room + 2 * GUARD
        row.begin, row.end = self.address, self.address + self.size
        row.name = self.name.encode(errors="replace")[:95]

    def _protect(self, address: int, size: int, protection: int) -> None:
        if libc.mprotect(ffi.cast("void *", address), size, protection) != 0:
            raise OSError(ffi.errno, f"mprotect of {size} bytes for {self.name}")


def pointers(addresses: list[int]) -> Any:
    """A C array of `void *`; it owns its memory."""
    return ffi.new("void *[]", [ffi.cast("void *", address) for address in addresses])


def aligned(size: int) -> tuple[int, Bytes]:
    """`size` fresh bytes at a multiple of ALIGNMENT, as the client makes them: (address, what keeps them)."""
    owner = np.empty(size + ALIGNMENT, np.uint8)
    address = owner.ctypes.data
    return address + -address % ALIGNMENT, owner
