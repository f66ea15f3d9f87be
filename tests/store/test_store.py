"""Publishing, removing and mending in a cache directory, seen through the client's own reader."""

from __future__ import annotations

import os
import resource
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansord.store import Store, StoreBusy, StoreError, StoreFull, faults
from ansord.store.files import temporary_name
from ansord_client.host import host
from ansord_client.lookup import Cache, find
from ansord_client.shard import decode_shard
from tests.client.kernels import add, compiled, entry

KEY_A, KEY_B, KEY_C = "ab" + "1" * 62, "ab" + "2" * 62, "cd" + "3" * 62
ONE, TWO = compiled(add(1)), compiled(add(2))


def seen(root: Path, key: str) -> str | None:
    """The object that a fresh reader finds for `key`."""
    hit = find([Cache(root, "ansord")], key, host()).hit
    return hit.entry.object if hit else None


def shard_file(root: Path, key: str) -> Path:
    return root / "v1" / "index" / host().key / f"{key[:2]}.mpk"


def test_what_is_published_is_found_and_what_is_removed_is_not(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        for key, code in ((KEY_A, ONE), (KEY_B, TWO), (KEY_C, ONE)):
            store.publish(entry(code, key), code)
        assert [one.key for one in store.entries()] == [KEY_A, KEY_B, KEY_C]
        assert [one.key for one in Cache(tmp_path, "ansord").entries()] == [KEY_A, KEY_B, KEY_C]
        assert store.find(KEY_B, host().key) == entry(TWO, KEY_B)
        assert store.code(entry(TWO, KEY_B)) == TWO
        assert store.remove(KEY_A, host().key)
        assert not store.remove(KEY_A, host().key)
        assert [seen(tmp_path, key) for key in (KEY_A, KEY_B, KEY_C)] == [
            None,
            entry(TWO).object,
            entry(ONE).object,
        ]
    assert faults(tmp_path) == []


def test_a_second_entry_for_a_key_replaces_the_first(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.publish(entry(ONE, KEY_A), ONE)
        store.publish(entry(TWO, KEY_A), TWO)
    assert seen(tmp_path, KEY_A) == entry(TWO).object


def test_modes_are_set_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        with Store.open(tmp_path / "cache") as store:
            store.publish(entry(ONE, KEY_A), ONE)
    finally:
        os.umask(before)
    for path in sorted((tmp_path / "cache").rglob("*")):
        wanted = 0o755 if path.is_dir() else 0o600 if path.name == "lock" else 0o444
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path
    assert not list((tmp_path / "cache" / "v1" / "tmp").iterdir())
    assert "deleted at any time" in (tmp_path / "cache" / "README").read_text()
    assert (tmp_path / "cache" / "v1" / "FORMAT").read_text() == "ansord-cache 1\n"


def test_generations_grow_even_when_the_clock_is_set_back(tmp_path: Path) -> None:
    now = [1000.0]
    with Store.open(tmp_path, clock=lambda: now[0]) as store:
        seen_generations = []
        for moment in (1000.0, 10.0, 10.0, 2000.0):
            now[0] = moment
            store.publish(entry(ONE, KEY_A, finished=moment), ONE)
            seen_generations.append(decode_shard(shard_file(tmp_path, KEY_A).read_bytes()).generation)
    assert seen_generations == sorted(set(seen_generations))


def test_an_entry_that_no_reader_would_take_is_refused(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        for bad in (
            entry(ONE, "xyz"),
            entry(ONE, KEY_A, object="0" * 64),
            entry(ONE, KEY_A, size=1),
            entry(ONE, KEY_A, threads=0),
            entry(ONE, KEY_A, scratch_align=48),
            entry(ONE, KEY_A, latency_us=float("inf")),
        ):
            with pytest.raises(ValueError, match="cannot be published"):
                store.publish(bad, ONE)
        text = b"no object at all"
        with pytest.raises(ValueError, match="object file|ELF"):
            store.publish(entry(text, KEY_A), text)
        assert list(store.entries()) == []


def test_a_second_writer_is_told_who_the_first_is(tmp_path: Path) -> None:
    code = (
        "import sys, os\nfrom ansord.store import Store\n"
        "with Store.open(sys.argv[1]):\n    print(os.getpid(), flush=True)\n    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout
        pid = int(child.stdout.readline())
        with pytest.raises(StoreBusy) as caught:
            Store.open(tmp_path)
        assert caught.value.pid == pid
        assert str(pid) in str(caught.value)
        child.kill()
        child.wait()
        Store.open(tmp_path).close()  # the kernel drops the lock of the dead


def test_a_store_whose_directory_was_replaced_writes_nothing(tmp_path: Path) -> None:
    root = tmp_path / "cache"
    with Store.open(root) as store:
        root.rename(tmp_path / "old")
        with Store.open(root) as other:
            with pytest.raises(StoreError, match="replaced"):
                store.publish(entry(ONE, KEY_A), ONE)
            other.publish(entry(TWO, KEY_A), TWO)
    assert seen(root, KEY_A) == entry(TWO).object


def test_another_format_is_left_alone(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    (tmp_path / "v1" / "FORMAT").chmod(0o644)
    (tmp_path / "v1" / "FORMAT").write_text("ansord-cache 2\n")
    with pytest.raises(StoreError, match="ansord-cache 2"):
        Store.open(tmp_path)


def test_damage_is_told_mended_and_published_over(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.publish(entry(ONE, KEY_A), ONE)
        store.publish(entry(TWO, KEY_C), TWO)
        spoilt = tmp_path / "v1" / "objects" / entry(ONE).object[:2] / f"{entry(ONE).object}.so"
        spoilt.chmod(0o644)
        spoilt.write_bytes(ONE[:-1] + b"x")
        shard_file(tmp_path, KEY_C).chmod(0o644)
        shard_file(tmp_path, KEY_C).write_bytes(b"torn")
        assert {fault.path for fault in faults(tmp_path)} == {spoilt, shard_file(tmp_path, KEY_C)}
        assert len(store.mend()) == 2
        assert faults(tmp_path) == []
        assert len(list((tmp_path / "v1" / "quarantine").iterdir())) == 2
        assert seen(tmp_path, KEY_A) is None
        store.publish(entry(ONE, KEY_A), ONE)
        store.publish(entry(TWO, KEY_C), TWO)
    assert faults(tmp_path) == []


def test_publishing_over_damage_sets_it_aside(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.publish(entry(ONE, KEY_A), ONE)
        for path in (*(tmp_path / "v1" / "objects").glob("*/*.so"), shard_file(tmp_path, KEY_A)):
            path.chmod(0o644)
            path.write_bytes(b"")
        store.publish(entry(ONE, KEY_A), ONE)
        assert seen(tmp_path, KEY_A) == entry(ONE).object
        assert faults(tmp_path) == []


def test_objects_outlive_their_last_entry_by_the_grace(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.publish(entry(ONE, KEY_A), ONE)
        store.publish(entry(ONE, KEY_C), ONE)
        path = next((tmp_path / "v1" / "objects").glob("*/*.so"))
        os.utime(path, (0, 0))  # published long ago
        store.publish(entry(TWO, KEY_A), TWO)
        os.utime(path, (0, 0))
        assert store.collect() == []  # the other entry still leads to it
        store.remove(KEY_C, host().key)
        assert store.collect() == []  # readers may be on their way to it
        later = time.time() + 25 * 3600
        store._clock = lambda: later
        assert store.collect() == [path]
        assert not path.exists()
    assert faults(tmp_path) == []


def test_nothing_is_collected_while_a_shard_is_damaged(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.publish(entry(ONE, KEY_A), ONE)
        shard_file(tmp_path, KEY_A).chmod(0o644)
        shard_file(tmp_path, KEY_A).write_bytes(b"torn")
        assert store.collect(grace_s=0) == []


def test_temporary_files_of_the_dead_go_those_of_the_living_stay(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    folder = tmp_path / "v1" / "tmp"
    mine = temporary_name()
    host_name, boot, pid, token = mine.split(".")
    names = {
        mine: True,
        f"{host_name}.{boot}.{2**22 + 1}.{token}": False,
        f"{host_name}.another-boot.{pid}.{token}": False,
        "what.is-this": False,
    }
    for name in names:
        (folder / name).write_text("x")
        os.utime(folder / name, (0, 0))
    young = folder / f"{host_name}.{boot}.{2**22 + 1}.young"
    young.write_text("x")
    Store.open(tmp_path).close()
    assert {path.name for path in folder.iterdir()} == {young.name} | {
        n for n, stays in names.items() if stays
    }


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k,mode=755", "tmpfs", str(place)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting needs root")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_fails_cleanly_and_recovers(tiny_disk: Path) -> None:
    with Store.open(tiny_disk / "cache") as store:
        store.publish(entry(ONE, KEY_A), ONE)
        filler = tiny_disk / "filler"
        with pytest.raises(OSError, match="No space"), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        with pytest.raises(StoreFull):
            store.publish(entry(TWO, KEY_B), TWO)
        assert seen(tiny_disk / "cache", KEY_A) == entry(ONE).object
        assert seen(tiny_disk / "cache", KEY_B) is None
        assert not list((tiny_disk / "cache" / "v1" / "tmp").iterdir())
        filler.unlink()
        store.publish(entry(TWO, KEY_B), TWO)
    assert faults(tiny_disk / "cache") == []
    assert seen(tiny_disk / "cache", KEY_B) == entry(TWO).object


def test_a_size_limit_is_a_full_disk_too(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.publish(entry(ONE, KEY_A), ONE)
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
        try:
            with pytest.raises(StoreFull):
                store.publish(entry(TWO, KEY_B), TWO)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert not list((tmp_path / "v1" / "tmp").iterdir())
        store.publish(entry(TWO, KEY_B), TWO)
    assert seen(tmp_path, KEY_B) == entry(TWO).object
