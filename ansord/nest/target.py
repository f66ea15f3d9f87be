"""What the emitter and the cost model may know about the machine: numbers only, no names of CPUs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """Registers and caches of one host.

    `vector_bytes` and `registers` describe the vector unit; cache sizes are bytes, per core for l1 and l2
    and per package for l3; `threads` is what a kernel may use.
    """

    vector_bytes: int = 64
    registers: int = 32
    threads: int = 1
    l1: int = 32 << 10
    l2: int = 1 << 20
    l3: int = 32 << 20

    def lanes(self, itemsize: int) -> int:
        """Elements of `itemsize` bytes in one vector, at least one."""
        return max(1, self.vector_bytes // itemsize)


def target_of(isa: Iterable[str], threads: int, caches: tuple[int, int, int]) -> Target:
    """The target of a host with these usable ISA bits (the kernel's names, as in /proc/cpuinfo)."""
    bits = set(isa)
    if {"avx512f", "avx512vl"} <= bits:
        width, registers = 64, 32
    elif "avx2" in bits:
        width, registers = 32, 16
    elif "asimd" in bits:
        width, registers = 16, 32
    else:
        width, registers = 16, 16
    return Target(width, registers, threads, *caches)
