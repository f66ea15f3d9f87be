"""From an entry to callable code, such that exactly the bytes that were checked are the bytes that run.

Called by the client alone. The object is read once through trusted directories, compared with its name,
copied into a sealed memory file, and that is opened: nobody can swap it between check and use. Nothing is
ever unloaded, and every descriptor stays open: glibc takes a second object of the same name for the first.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import threading
from dataclasses import dataclass
from typing import Any

from cffi import FFI

from ansord_client import layout
from ansord_client.elf import objection
from ansord_client.entry import Entry
from ansord_client.lookup import Hit
from ansord_client.trust import Untrusted, opened, read_file

ffi = FFI()
ffi.cdef("void *dlopen(const char *, int); char *dlerror(void); void *dlsym(void *, const char *);")
_RUN = ffi.typeof("int32_t (*)(void *const *args, const void *packed, void *scratch)")
_PACK = ffi.typeof("int32_t (*)(const void *const *constants, void *packed)")
_libc = ffi.dlopen(None)
_dlopen, _dlsym, _dlerror = _libc.dlopen, _libc.dlsym, _libc.dlerror  # looking one up would clear the error

_MFD_NOEXEC_SEAL = 8  # linux/memfd.h, since 6.3; Python 3.11 has no name for it
_SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


class NotLoadable(Exception):  # noqa: N818 - a verdict that becomes a miss
    """The object of an entry cannot be used here; the message says why."""


@dataclass(frozen=True, slots=True, eq=False)
class Native:
    """One loaded object. `run`, `pack`: its C functions, None where it has none; they release the GIL."""

    digest: str
    run: Any
    pack: Any
    descriptor: int


_loaded: dict[str, Native] = {}
_lock = threading.Lock()


def load(hit: Hit) -> Native:
    """The entry's code; loaded at most once per process, whichever cache or entry leads to it.

    Raises NotLoadable: missing, changed, untrusted or unsuitable object, or a missing library."""
    with _lock:
        native = _loaded.get(hit.entry.object)
        if native is None:
            native = _load(hit)
            _loaded[hit.entry.object] = native
    if native.run is None or (native.pack is None and hit.entry.packed_bytes):
        name = "ansord_run" if native.run is None else "ansord_pack"
        raise NotLoadable(f"object {native.digest[:12]} has no {name}")
    return native


def _load(hit: Hit) -> Native:
    entry = hit.entry
    name = f"object {entry.object[:12]}"
    parts = (layout.VERSION, *layout.object_parts(entry.object))
    try:
        with opened(hit.cache.root, parts, hit.cache.user) as file:
            data = read_file(file, entry.size)
            _check(data, entry)
            descriptor = _sealed(data, entry.object)
            if descriptor is None:
                descriptor = os.dup(file)
    except Untrusted as error:
        raise NotLoadable(f"{name}: {error}") from error
    except OSError as error:
        raise NotLoadable(f"{name} in {hit.cache.root}: {error.strerror}") from error
    # Not ffi.dlopen: when that fails, it goes looking for libraries with the help of gcc and ldconfig.
    library = _dlopen(f"/proc/self/fd/{descriptor}".encode(), ffi.RTLD_NOW | ffi.RTLD_LOCAL)
    if library == ffi.NULL:
        said = ffi.string(_dlerror()).decode(errors="replace")
        os.close(descriptor)
        missing = re.search(r"(lib(?:g?omp)\.so[.\d]*): cannot open", said)
        if missing:
            package = "libgomp1 or libgomp" if "gomp" in missing[1] else "libomp5 or libomp"
            said = f"it needs {missing[1]}, which is not on this machine; install the package {package}"
        raise NotLoadable(f"{name}: {said}")
    run, pack = _dlsym(library, b"ansord_run"), _dlsym(library, b"ansord_pack")
    return Native(
        entry.object,
        ffi.cast(_RUN, run) if run != ffi.NULL else None,
        ffi.cast(_PACK, pack) if pack != ffi.NULL else None,
        descriptor,
    )


def _check(data: bytes, entry: Entry) -> None:
    if len(data) != entry.size:
        raise Untrusted(f"it has {len(data)} bytes, its entry says {entry.size}")
    if hashlib.sha256(data).hexdigest() != entry.object:
        raise Untrusted("its content is not what its name says")
    complaint = objection(data, entry.arch)
    if complaint:
        raise Untrusted(complaint)


def _sealed(data: bytes, digest: str) -> int | None:
    """A memory file of `data` that nobody can change any more; None where the kernel has no such thing."""
    flags = os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING
    for more in (_MFD_NOEXEC_SEAL, 0):
        with contextlib.suppress(OSError):
            descriptor = os.memfd_create(f"ansord-{digest[:12]}.so", flags | more)
            break
    else:
        return None
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _forked() -> None:
    """Another thread may have held the lock while this process was forked off."""
    global _lock
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_forked)
