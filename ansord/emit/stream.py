"""Stores past the caches, for results that no core's cache would hold until somebody reads them.

A plain store first reads the line that it changes. Arrays of callers are as aligned as their allocator makes
them, NumPy's to 16 bytes and no more: a vector goes in pieces of 16, which the CPU joins to whole lines.
"""

from __future__ import annotations

from ansord.emit.ctype import CType

PIECE = 16
"""Bytes."""

FENCE = """\
static inline void fence(void) {
#if defined(__x86_64__)
  __asm__ volatile("sfence" ::: "memory");
#endif
}"""


def stream_text(name: str, ctype: CType, vector: str, lanes: int) -> str:
    """The function that stores one vector so."""
    count = PIECE // ctype.bytes
    lines = [f"static inline void {name}({ctype.name} *p, {vector} a) {{", "#if defined(__x86_64__)"]
    attributes = f"vector_size({PIECE}), aligned({ctype.bytes}), may_alias"
    lines.append(f"  typedef {ctype.name} piece __attribute__(({attributes}));")
    for first in range(0, lanes, count):
        picked = ", ".join(str(lane) for lane in range(first, first + count))
        part = f"__builtin_shufflevector(a, a, {picked})" if lanes > count else "a"
        lines.append(f"  {{ const piece b = {part};")
        for condition, word in (("#ifdef __AVX__", "vmovntps"), ("#else", "movntps")):
            lines += [condition, f'  __asm__("{word} %1, %0" : "=m"(*(piece *)(p + {first})) : "x"(b));']
        lines += ["#endif", "  }"]
    return "\n".join([*lines, "#else", f"  *({vector} *)p = a;", "#endif", "}"])
