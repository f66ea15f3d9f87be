"""What this machine is, as far as a process without a compiler can know: the half of a kernel's address that
is not the subgraph.

Read by lookups and by the daemon. The host key hashes architecture, usable ISA bits and threads and nothing
else; CPU model and cache sizes are only for ranking. It never runs an instruction to find out.
"""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path

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


@dataclass(frozen=True)
class CpuCache:
    """One level as CPU 0 sees it. `kind`: "Data" or "Unified"; `shared`: how many CPUs share it."""

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
    fields = _first_cpu(Path("/proc/cpuinfo"))
    isa = usable_isa(arch, fields)
    model = fields.get("model name") or fields.get("CPU part") or ""
    return Host(arch, isa, usable_threads(), model, _caches(Path("/sys/devices/system/cpu/cpu0/cache")))


def usable_isa(arch: str, fields: dict[str, str]) -> tuple[str, ...]:
    """The bits that are there and switched on: the kernel hides a bit whose registers it does not save."""
    words = (fields.get("flags") or fields.get("Features") or "").split()
    known = ISA_BITS.get(arch)
    return tuple(sorted(set(words) if known is None else known.intersection(words)))


def _first_cpu(file: Path) -> dict[str, str]:
    """The first CPU's block only: the file of a large machine takes milliseconds to read."""
    fields: dict[str, str] = {}
    try:
        with file.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                name, colon, value = line.partition(":")
                if not colon and fields:
                    break
                fields[name.strip()] = value.strip()
    except OSError:
        pass
    return fields


def _caches(directory: Path) -> tuple[CpuCache, ...]:
    found = []
    for entry in sorted(directory.glob("index*")):
        try:
            kind, level, size, line, shared = (
                (entry / name).read_text().strip()
                for name in ("type", "level", "size", "coherency_line_size", "shared_cpu_list")
            )
            if kind != "Instruction":
                found.append(CpuCache(int(level), kind, _bytes(size), int(line), len(cpu_list(shared))))
        except (OSError, ValueError):
            continue  # virtual machines leave some of these files out
    return tuple(sorted(found, key=lambda one: one.level))


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


def usable_threads(root: Path = Path("/"), affinity: int | None = None) -> int:
    """CPUs of the affinity mask, within the cgroup quota rounded down: a thread more than the quota pays for
    makes every parallel region wait for the throttled one. `root` and `affinity` are for tests."""
    mask = len(os.sched_getaffinity(0)) if affinity is None else affinity
    quota = cgroup_quota(root)
    return max(1, mask if quota is None else min(mask, int(quota)))


def cgroup_quota(root: Path = Path("/")) -> float | None:
    """The CPUs that this process's cgroup and those above it grant (v2 cpu.max, v1 cpu.cfs_*), None: all."""
    try:
        mounts = (root / "proc/self/mountinfo").read_text(errors="replace").splitlines()
        groups = (root / "proc/self/cgroup").read_text(errors="replace").splitlines()
    except OSError:
        return None
    quotas = []
    for top, inside, version in _cpu_hierarchies(mounts, groups):
        base = root / top.lstrip("/")
        for group in (base / inside, *(base / inside).parents):
            quotas.append(_quota_v2(group) if version == 2 else _quota_v1(group))
            if group == base:
                break
    return min((quota for quota in quotas if quota is not None), default=None)


def _cpu_hierarchies(mounts: list[str], groups: list[str]) -> Iterable[tuple[str, str, int]]:
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
            if (version == 2 and controllers == "") or (version == 1 and "cpu" in controllers.split(",")):
                inside = os.path.relpath(path, fields[3])
                yield fields[4], "" if inside.startswith("..") else inside, version


def _quota_v2(group: Path) -> float | None:
    words = _words(group / "cpu.max")
    return int(words[0]) / int(words[1]) if len(words) == 2 and words[0].isdecimal() else None


def _quota_v1(group: Path) -> float | None:
    quota, period = _words(group / "cpu.cfs_quota_us"), _words(group / "cpu.cfs_period_us")
    return int(quota[0]) / int(period[0]) if quota and period and quota[0].isdecimal() else None


def _words(file: Path) -> list[str]:
    try:
        return file.read_text().split()
    except OSError:
        return []
