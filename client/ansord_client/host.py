"""What this machine is, as far as a process without a compiler can know: the half of a kernel's address that
is not the subgraph.

Read by lookups and by the daemon. The host key hashes architecture, usable ISA bits and threads and nothing
else; CPU model and cache sizes are only for ranking. It never runs an instruction to find out.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache, cached_property

# The bits by which a compiler's `-march=native` code may differ, in the kernel's words. Tuning hints (erms,
# fsrm), instructions that only system code uses, and AMX, which a process must ask for, stay out.
_X86_64 = """
sse sse2 pni ssse3 sse4_1 sse4_2 sse4a misalignsse avx avx2 fma f16c fma4 xop tbm bmi1 bmi2 abm popcnt movbe
lahf_lm cx16 3dnowprefetch adx aes pclmulqdq vaes vpclmulqdq gfni sha_ni avx512f avx512dq avx512ifma
avx512cd avx512bw avx512vl avx512vbmi avx512_vbmi2 avx512_vnni avx512_bitalg avx512_vpopcntdq avx512_bf16
avx512_fp16 avx512_vp2intersect avx_vnni avx_ifma avx_vnni_int8 avx_vnni_int16 avx_ne_convert avx10 apx_f
"""
_AARCH64 = """
fp asimd asimdhp asimdrdm asimddp asimdfhm atomics fphp fcma jscvt lrcpc ilrcpc flagm flagm2 frint bf16 i8mm
sve sve2 svei8mm svebf16 sve2p1 svef64mm crc32 aes pmull sha1 sha2 sha3 sha512 mops cssc
"""
ISA_BITS = {"x86_64": frozenset(_X86_64.split()), "aarch64": frozenset(_AARCH64.split())}

USUAL = 32 << 20
"""Bytes of the last cache where nothing says how large it is."""

COUNTED = 64 << 20
"""Bytes of a cache that a process may count on, however large it is: of 480 MiB which a package shares, reads
from more than 64 MiB came at memory's pace (virtual machine of two Xeon cores, 2026)."""


@dataclass(frozen=True)
class CpuCache:
    """One level as CPU 0 sees it. `kind`: "Data" or "Unified"; `size`: bytes, at most COUNTED; `shared`: how
    many CPUs share it."""

    level: int
    kind: str
    size: int
    line: int
    shared: int


@dataclass(frozen=True)
class Host:
    """A machine as seen by one process. `isa`: sorted usable bits, in the words of /proc/cpuinfo;
    `threads`: CPUs that a kernel may use at once. Only arch, isa and threads enter `key`."""

    arch: str
    isa: tuple[str, ...]
    threads: int
    cpu_model: str = ""
    caches: tuple[CpuCache, ...] = ()

    @cached_property
    def key(self) -> str:
        """Such as `x86_64-2t-0123456789ab`: one directory of the cache's index."""
        text = "\n".join(["ansord-host 1", self.arch, " ".join(self.isa), str(self.threads)])
        return f"{self.arch}-{self.threads}t-{hashlib.sha256(text.encode()).hexdigest()[:12]}"

    @property
    def cache_sizes(self) -> str:
        """The caches in KiB from the first level on, such as "32 1024 32768"; for an entry's provenance."""
        return " ".join(str(one.size >> 10) for one in self.caches)

    @property
    def last_cache(self) -> int:
        """Bytes of the largest cache."""
        return max((one.size for one in self.caches), default=USUAL)

    def with_threads(self, threads: int | None) -> Host:
        """This machine, for a process that wants `threads` CPUs (None: all it may have)."""
        return self if threads in (None, self.threads) else replace(self, threads=threads)

    def runs(self, arch: str, isa: Iterable[str]) -> bool:
        """Whether code for `arch` that needs the bits `isa` runs here."""
        return arch == self.arch and set(isa) <= set(self.isa)


@cache
def host() -> Host:
    """This machine, read once. A process that changes its own affinity later passes `threads` instead."""
    arch = platform.machine()
    fields = _first_cpu("/proc/cpuinfo")
    isa = usable_isa(arch, fields)
    model = fields.get("model name") or fields.get("CPU part") or ""
    return Host(arch, isa, usable_threads(), model, _caches("/sys/devices/system/cpu/cpu0/cache"))


def usable_isa(arch: str, fields: dict[str, str]) -> tuple[str, ...]:
    """The bits that are there and switched on: the kernel hides a bit whose registers it does not save."""
    words = (fields.get("flags") or fields.get("Features") or "").split()
    known = ISA_BITS.get(arch)
    return tuple(sorted(set(words) if known is None else known.intersection(words)))


def _first_cpu(path: str) -> dict[str, str]:
    """The first CPU's block only: the file of a large machine takes milliseconds to read."""
    fields: dict[str, str] = {}
    for line in _text(path, 8192).split("\n"):
        name, colon, value = line.partition(":")
        if not colon and fields:
            break
        fields[name.strip()] = value.strip()
    return fields


def _caches(directory: str) -> tuple[CpuCache, ...]:
    found = []
    for number in range(8):
        index = f"{directory}/index{number}/"
        kind = _text(index + "type").strip()
        if kind in ("Data", "Unified"):
            level, size, line = (
                _text(index + name).strip() for name in ("level", "size", "coherency_line_size")
            )
            shared = len(cpu_list(_text(index + "shared_cpu_list")))
            with contextlib.suppress(ValueError):  # virtual machines leave some of these out
                found.append(CpuCache(int(level), kind, min(COUNTED, _bytes(size)), int(line), shared))
    return tuple(sorted(found, key=lambda one: one.level))


def _text(path: str, limit: int = 1 << 20) -> str:
    """A small file of the kernel's; "" where it cannot be read. Bare calls: pathlib takes ten times as long,
    and this stands between a process and its first kernel."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        parts = []
        while limit > 0 and (part := os.read(file, min(limit, 1 << 16))):
            parts.append(part)
            limit -= len(part)
        return b"".join(parts).decode(errors="replace")
    except OSError:
        return ""
    finally:
        os.close(file)


def _bytes(text: str) -> int:
    scale = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}.get(text[-1:], 1)
    return int(text.rstrip("KMG")) * scale


def cpu_list(text: str) -> frozenset[int]:
    """The kernel's list format: `0-3,8`."""
    found: set[int] = set()
    for part in filter(None, text.strip().split(",")):
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)


def usable_threads(root: str = "", affinity: int | None = None) -> int:
    """CPUs of the affinity mask, within the cgroup quota rounded down: a thread more than the quota pays for
    makes every parallel region wait for the throttled one. `root` and `affinity` are for tests."""
    mask = len(os.sched_getaffinity(0)) if affinity is None else affinity
    quota = cgroup_quota(root)
    return max(1, mask if quota is None else min(mask, int(quota)))


def cgroup_quota(root: str = "") -> float | None:
    """The CPUs that this process's cgroup and those above it grant (v2 cpu.max, v1 cpu.cfs_*), None: all."""
    mounts = _text(f"{root}/proc/self/mountinfo").split("\n")
    groups = _text(f"{root}/proc/self/cgroup").split("\n")
    quotas = []
    for top, inside, version in _cpu_hierarchies(mounts, groups):
        steps = inside.split("/") if inside else []
        for depth in range(len(steps) + 1):
            group = "/".join([root + top, *steps[:depth]])
            quotas.append(_quota_v2(group) if version == 2 else _quota_v1(group))
    return min((quota for quota in quotas if quota is not None), default=None)


def _cpu_hierarchies(mounts: list[str], groups: list[str]) -> Iterator[tuple[str, str, int]]:
    """(mount point, this process's group below it, version) of every hierarchy that can limit CPU time.

    Formats: proc_pid_mountinfo(5), cgroups(7). A container sees its own group as the mount's root.
    """
    for line in mounts:
        left, _, right = line.partition(" - ")
        kind, _, options = (right.split() + ["", "", ""])[:3]
        version = 2 if kind == "cgroup2" else 1 if kind == "cgroup" and "cpu" in options.split(",") else 0
        fields = left.split()
        if not version or len(fields) < 5:
            continue
        for group in groups:
            _, controllers, path = (group.split(":", 2) + ["", ""])[:3]
            if path and "cpu" in controllers.split(",") if version == 1 else path and not controllers:
                inside = os.path.relpath(path, fields[3])
                yield fields[4], "" if inside.startswith(".") else inside, version


def _quota_v2(group: str) -> float | None:
    words = _text(f"{group}/cpu.max").split()
    return int(words[0]) / int(words[1]) if len(words) == 2 and words[0].isdecimal() else None


def _quota_v1(group: str) -> float | None:
    quota, period = _text(f"{group}/cpu.cfs_quota_us").strip(), _text(f"{group}/cpu.cfs_period_us").strip()
    return int(quota) / int(period) if quota.isdecimal() and period.isdecimal() else None
