"""What a machine says about itself, on fabricated machines too."""

from __future__ import annotations

import os
import platform
from dataclasses import replace
from pathlib import Path

import pytest

from ansord_client.host import (
    COUNTED,
    Host,
    _caches,
    cgroup_quota,
    cpu_list,
    host,
    usable_isa,
    usable_threads,
)

BASE = Host("x86_64", ("avx2", "fma"), 4, "Some CPU")


def test_this_machine() -> None:
    found = host()
    assert found.arch == platform.machine()
    assert 1 <= found.threads <= len(os.sched_getaffinity(0))
    assert found.isa == tuple(sorted(set(found.isa)))
    assert found.key.startswith(f"{found.arch}-{found.threads}t-")
    assert found is host()


def test_the_key_depends_on_what_decides_whether_code_runs_and_on_nothing_else() -> None:
    assert BASE.key == "x86_64-4t-95348a301631"  # golden: another value would orphan every cache
    assert replace(BASE, cpu_model="Other", caches=()).key == BASE.key
    others = [replace(BASE, arch="aarch64"), replace(BASE, isa=("avx2",)), replace(BASE, threads=8)]
    assert len({one.key for one in [BASE, *others]}) == 4
    assert BASE.with_threads(8) == others[2]
    assert BASE.with_threads(None) is BASE


def test_what_runs_where() -> None:
    assert BASE.runs("x86_64", ["fma"])
    assert not BASE.runs("x86_64", ["avx512f"])
    assert not BASE.runs("aarch64", [])


def test_only_bits_that_decide_code_count() -> None:
    fields = {"flags": "fpu avx2 fma erms amx_tile hypervisor tsc"}
    assert usable_isa("x86_64", fields) == ("avx2", "fma")
    assert usable_isa("aarch64", {"Features": "asimd evtstrm sve"}) == ("asimd", "sve")
    assert usable_isa("riscv64", {"flags": "b a"}) == ("a", "b")


def machine(root: Path, mounts: str, groups: str, **files: str) -> str:
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/mountinfo").write_text(mounts)
    (root / "proc/self/cgroup").write_text(groups)
    for name, text in files.items():
        path = root / "sys/fs/cgroup" / name.replace("__", "/").replace("max", "cpu.max")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return str(root)


V2 = "31 23 0:28 / /sys/fs/cgroup rw,relatime shared:9 - cgroup2 cgroup2 rw\n"


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({"a__b__max": "150000 100000"}, 1.5),
        ({"a__b__max": "max 100000"}, None),
        ({"a__b__max": "800000 100000", "a__max": "300000 100000", "max": "max 100000"}, 3.0),
        ({}, None),
        ({"a__b__max": "rubbish"}, None),
    ],
)
def test_the_quota_of_version_2_is_the_smallest_on_the_way_up(
    tmp_path: Path, files: dict[str, str], quota: float | None
) -> None:
    assert cgroup_quota(machine(tmp_path, V2, "0::/a/b\n", **files)) == quota


def test_the_quota_of_a_container_that_sees_itself_as_the_root(tmp_path: Path) -> None:
    mounts = "31 23 0:28 /docker/x /sys/fs/cgroup ro - cgroup2 cgroup rw\n"
    assert cgroup_quota(machine(tmp_path, mounts, "0::/docker/x\n", max="200000 100000")) == 2.0


def test_the_quota_of_version_1(tmp_path: Path) -> None:
    mounts = (
        "40 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
        "41 31 0:30 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
    )
    groups = "4:cpuset:/\n3:cpu,cpuacct:/jobs/one\n"
    root = machine(tmp_path, mounts, groups)
    here = tmp_path / "sys/fs/cgroup/cpu,cpuacct/jobs/one"
    here.mkdir(parents=True)
    (here / "cpu.cfs_quota_us").write_text("250000\n")
    (here / "cpu.cfs_period_us").write_text("100000\n")
    (here.parent / "cpu.cfs_quota_us").write_text("-1\n")
    (here.parent / "cpu.cfs_period_us").write_text("100000\n")
    assert cgroup_quota(root) == 2.5


def test_threads_are_the_mask_within_the_quota_rounded_down(tmp_path: Path) -> None:
    root = machine(tmp_path, V2, "0::/\n", max="250000 100000")
    assert usable_threads(root, affinity=8) == 2
    assert usable_threads(root, affinity=1) == 1
    (tmp_path / "sys/fs/cgroup/cpu.max").write_text("10000 100000")
    assert usable_threads(root, affinity=8) == 1
    assert usable_threads(str(tmp_path / "nothing"), affinity=8) == 8


def test_lists_of_cpus() -> None:
    assert cpu_list("0-3,8\n") == {0, 1, 2, 3, 8}
    assert cpu_list("") == frozenset()


def test_caches_are_counted_up_to_what_one_process_holds(tmp_path: Path) -> None:
    for number, (level, size) in enumerate([(1, "48K"), (2, "2048K"), (3, "491520K")]):
        folder = tmp_path / f"index{number}"
        folder.mkdir()
        words = {"type": "Unified", "level": level, "size": size, "coherency_line_size": 64}
        for name, value in {**words, "shared_cpu_list": "0-1"}.items():
            (folder / name).write_text(f"{value}\n")
    found = _caches(str(tmp_path))
    assert [one.size for one in found] == [48 << 10, 2 << 20, COUNTED]
    assert [one.shared for one in found] == [2, 2, 2]
