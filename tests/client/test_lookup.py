"""The ladder: the exact host, else what this host can run, else a miss that says why."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from ansord.store import Store
from ansord_client.host import CpuCache, Host
from ansord_client.lookup import Cache, find
from tests.client.kernels import add, compiled, entry

KEY = "ab" + "0" * 62
ME = Host("x86_64", ("avx", "avx2", "fma"), 4, "Mine")
CODE = {name: compiled(add(number)) for number, name in enumerate(("exact", "b", "c", "d"))}


def put(root: Path, name: str, at: Host, **more: object) -> None:
    with Store.open(root) as store:
        store.publish(entry(CODE[name], KEY, at=at, **more), CODE[name])


def cache(root: Path) -> Cache:
    return Cache(root, "ansord")


def test_the_exact_host_comes_first(tmp_path: Path) -> None:
    put(tmp_path, "b", replace(ME, isa=("avx",)))
    put(tmp_path, "exact", ME)
    hit = find([cache(tmp_path)], KEY, ME).hit
    assert hit is not None
    assert not hit.degraded
    assert hit.entry.object == entry(CODE["exact"]).object


def test_else_the_best_that_runs_here(tmp_path: Path) -> None:
    put(tmp_path, "b", replace(ME, isa=("avx",), threads=2))
    put(tmp_path, "c", replace(ME, isa=("avx",), threads=4))
    put(tmp_path, "d", replace(ME, isa=("avx", "avx2"), threads=3))
    found = find([cache(tmp_path)], KEY, ME)
    assert found.hit is not None
    assert found.hit.degraded
    assert found.hit.entry.object == entry(CODE["c"]).object


def test_the_same_cpu_beats_wider_code_of_another(tmp_path: Path) -> None:
    put(tmp_path, "b", replace(ME, isa=("avx",)), provenance={"cpu_model": "Mine"})
    put(tmp_path, "c", replace(ME, isa=("avx", "avx2")), provenance={"cpu_model": "Other"})
    hit = find([cache(tmp_path)], KEY, ME).hit
    assert hit is not None
    assert hit.entry.object == entry(CODE["b"]).object


def test_then_the_same_caches(tmp_path: Path) -> None:
    me = replace(ME, caches=(CpuCache(1, "Data", 32 << 10, 64, 1), CpuCache(2, "Unified", 1 << 20, 64, 1)))
    assert me.cache_sizes == "32 1024"
    put(tmp_path, "b", replace(ME, isa=("avx",)), provenance={"caches": "32 1024"})
    put(tmp_path, "c", replace(ME, isa=("avx", "avx2")), provenance={"caches": "48 2048"})
    hit = find([cache(tmp_path)], KEY, me).hit
    assert hit is not None
    assert hit.entry.object == entry(CODE["b"]).object


def test_code_that_this_host_cannot_run_is_never_chosen(tmp_path: Path) -> None:
    put(tmp_path, "b", replace(ME, isa=("avx", "avx512f")))
    put(tmp_path, "c", replace(ME, threads=8))
    put(tmp_path, "d", replace(ME, arch="x86_64", isa=("avx",)), arch="x86_64", isa=("avx", "amx_tile"))
    found = find([cache(tmp_path)], KEY, ME)
    assert found.hit is None
    assert "needs avx512f, which this host lacks" in found.reason
    assert "is for 8 threads, this process may use 4" in found.reason
    assert "needs amx_tile" in found.reason


def test_an_entry_under_this_host_key_is_checked_too(tmp_path: Path) -> None:
    put(tmp_path, "exact", ME, isa=("avx512f",))
    assert find([cache(tmp_path)], KEY, ME).hit is None


def test_a_shard_of_another_host_in_the_wrong_folder_is_no_hit(tmp_path: Path) -> None:
    other = replace(ME, isa=("avx",))
    put(tmp_path, "b", other)
    (tmp_path / "v1/index" / other.key).rename(tmp_path / "v1/index" / ME.key)
    found = find([cache(tmp_path)], KEY, ME)
    assert found.hit is None
    assert f"is of host {other.key}" in found.reason


def test_several_caches_in_their_order(tmp_path: Path) -> None:
    put(tmp_path / "one", "b", replace(ME, isa=("avx",)))
    put(tmp_path / "two", "exact", ME)
    put(tmp_path / "three", "c", ME)
    caches = [cache(tmp_path / name) for name in ("none", "one", "two", "three")]
    hit = find(caches, KEY, ME).hit
    assert hit is not None
    assert hit.cache is caches[2]


def test_a_miss_says_why(tmp_path: Path) -> None:
    assert "is no cache yet" in find([cache(tmp_path)], KEY, ME).reason
    put(tmp_path, "exact", ME)
    reason = find([cache(tmp_path)], "cd" + "1" * 62, ME).reason
    assert f"no kernel {'cd' + '1' * 10} for {ME.key}" in reason


def test_a_reader_sees_what_is_published_later_and_keeps_what_is_torn(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    reader = cache(tmp_path)
    assert find([reader], KEY, ME).hit is None
    put(tmp_path, "b", ME)
    first = find([reader], KEY, ME).hit
    assert first is not None
    put(tmp_path, "c", ME)
    second = find([reader], KEY, ME).hit
    assert second is not None
    assert second.entry.object != first.entry.object
    path = tmp_path / "v1/index" / ME.key / "ab.mpk"
    path.chmod(0o644)
    path.write_bytes(b"torn")
    kept = find([reader], KEY, ME).hit
    assert kept is not None
    assert kept.entry == second.entry
    assert len(caplog.records) == 1
    find([reader], KEY, ME)
    assert len(caplog.records) == 1  # told once
    os.unlink(path)
    assert find([reader], KEY, ME).hit is None


def test_nothing_in_a_cache_raises(tmp_path: Path) -> None:
    put(tmp_path, "exact", ME)
    path = tmp_path / "v1/index" / ME.key / "ab.mpk"
    data = path.read_bytes()
    path.unlink()
    reader = cache(tmp_path)
    path.mkdir()
    assert "no regular file" in find([reader], KEY, ME).reason
    path.rmdir()
    os.mkfifo(path)
    assert "no regular file" in find([reader], KEY, ME).reason
    path.unlink()
    (tmp_path / "elsewhere").write_bytes(data)
    path.symlink_to(tmp_path / "elsewhere")
    assert "symbolic links" in find([reader], KEY, ME).reason
    path.unlink()
    path.write_bytes(bytes(65 << 20))
    assert "more than" in find([reader], KEY, ME).reason
    (tmp_path / "v1/index/a file").write_text("x")
    assert find([reader], KEY, ME).hit is None
