"""Reading an object file before it is trusted with a dlopen: only what the loader would act on.

Called by the loader with bytes whose checksum already matched; what it keeps out are mistakes (a foreign
machine, a wrong flag) rather than malice, since a kernel's own code can do anything. It runs nothing.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

MACHINES = {"x86_64": 62, "aarch64": 183}
_C_LIBRARY = {"libc.so.6", "libm.so.6", "libmvec.so.1", "libpthread.so.0"}
_LOADERS = {"ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}
_OPENMP = {"libgomp.so.1", "libomp.so.5", "libomp.so"}  # gcc's, clang's
NEEDED = frozenset(_C_LIBRARY | _LOADERS | _OPENMP)

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")  # Elf64_Ehdr; all of these: elf(5)
_SEGMENT = struct.Struct("<IIQQQQQQ")  # Elf64_Phdr
_DYNAMIC = struct.Struct("<qQ")  # Elf64_Dyn
_SHARED = 3
_LOAD, _DYNAMIC_SEGMENT, _INTERPRETER, _STACK = 1, 2, 3, 0x6474E551
_EXECUTABLE, _WRITABLE = 1, 2
_TAG_NEEDED, _TAG_STRINGS, _TAG_INIT, _TAG_INIT_BYTES, _TAG_FINI_BYTES = 1, 5, 12, 27, 28
_TAG_FLAGS, _FLAG_TEXT_RELOCATIONS = 30, 4
_FORBIDDEN = {
    14: "a name of its own (DT_SONAME), by which later libraries could be mistaken for it",
    15: "a search path (DT_RPATH)",
    22: "relocations in its code (DT_TEXTREL)",
    29: "a search path (DT_RUNPATH)",
    32: "code that runs before it is loaded (DT_PREINIT_ARRAY)",
    0x7FFFFFFD: "an auxiliary library (DT_AUXILIARY)",
    0x7FFFFFFF: "a filter library (DT_FILTER)",
}


def objection(data: bytes, arch: str) -> str:
    """Why the object must not be loaded; "" where it may."""
    try:
        return next(_objections(data, arch), "")
    except (struct.error, ValueError, IndexError, OverflowError) as error:
        return f"it is a damaged object file: {error}"


def _objections(data: bytes, arch: str) -> Iterator[str]:
    ident, kind, machine, _, _, table, _, _, _, row, rows, *_ = _HEADER.unpack_from(data)
    if ident[:6] != b"\x7fELF\x02\x01":
        yield "it is no 64-bit little-endian ELF file"
    if kind != _SHARED:
        yield "it is no shared object"
    if machine != MACHINES.get(arch):
        yield f"it is for machine {machine}, not {arch}"
    segments = [_SEGMENT.unpack_from(data, table + row * number) for number in range(rows)]
    stacks = [flags for kind, flags, *_ in segments if kind == _STACK]
    if not stacks or stacks[0] & _EXECUTABLE:
        yield "it wants an executable stack"
    if any(kind == _LOAD and flags & _EXECUTABLE and flags & _WRITABLE for kind, flags, *_ in segments):
        yield "it has memory that is both writable and executable"
    if any(kind == _INTERPRETER for kind, *_ in segments):
        yield "it is a program"
    yield from _dynamic_objections(data, segments)


def _dynamic_objections(data: bytes, segments: list[tuple[int, ...]]) -> Iterator[str]:
    dynamic = [(segment[2], segment[5]) for segment in segments if segment[0] == _DYNAMIC_SEGMENT]
    if len(dynamic) != 1:
        yield "it has no dynamic section"
        return
    offset, size = dynamic[0]
    rows = list(_DYNAMIC.iter_unpack(data[offset : offset + size - size % _DYNAMIC.size]))
    tags = {tag: value for tag, value in rows if tag}
    for tag, what in _FORBIDDEN.items():
        if tag in tags:
            yield f"it has {what}"
    if tags.get(_TAG_FLAGS, 0) & _FLAG_TEXT_RELOCATIONS:
        yield f"it has {_FORBIDDEN[22]}"
    # gcc's crtbeginS.o brings DT_INIT and one pointer (frame_dummy, which does nothing in C); -nostartfiles
    # brings neither. Anything more is code at load: -ffast-math's, say, which sets the whole process's
    # floating-point mode.
    runtime = 8 if _TAG_INIT in tags else 0
    if tags.get(_TAG_INIT_BYTES, 0) > runtime or tags.get(_TAG_FINI_BYTES, 0) > runtime:
        yield "it has code that runs when it is loaded or unloaded"
    strings = _file_offset(tags.get(_TAG_STRINGS, 0), segments)
    for tag, value in rows:
        if tag == _TAG_NEEDED:
            name = data[strings + value : data.index(b"\0", strings + value)].decode("ascii", "replace")
            if name not in NEEDED:
                yield f"it needs {name}, which no kernel may"


def _file_offset(address: int, segments: list[tuple[int, ...]]) -> int:
    for kind, _, offset, start, _, size, *_ in segments:
        if kind == _LOAD and start <= address < start + size:
            return address - start + offset
    raise ValueError("its string table lies outside")
