"""The journal keeps every whole record, whatever became of its tail."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansord.store import Files, Journal, StoreBusy, StoreError, StoreFull
from ansord.store.journal import replay


def written(path: Path, *records: bytes) -> Path:
    with Journal(path) as journal:
        for record in records:
            journal.append(record)
    return path


def test_what_was_appended_is_replayed(tmp_path: Path) -> None:
    path = written(tmp_path / "state" / "records.log", b"one", b"two")
    written(path, b"three" * 1000)
    assert list(replay(path)) == [b"one", b"two", b"three" * 1000]
    assert list(replay(tmp_path / "none")) == []
    with Journal(path) as journal:
        journal.append(b"four")
        assert list(journal.replay())[-1] == b"four"


def test_every_torn_tail_is_cut_and_written_over(tmp_path: Path) -> None:
    path = written(tmp_path / "log", b"first", b"second")
    whole = path.read_bytes()
    start = len(written(tmp_path / "one", b"first").read_bytes())
    for end in range(start, len(whole)):
        path.write_bytes(whole[:end])
        assert list(replay(path)) == [b"first"]
        with Journal(path) as journal:
            assert journal.torn == end - start
            journal.append(b"third")
        assert list(replay(path)) == [b"first", b"third"]


@pytest.mark.parametrize("tail", [bytes(4096), b"\xff" * 100, b"\x05\0\0\0abcdhello"])
def test_rubbish_at_the_end_is_cut(tmp_path: Path, tail: bytes) -> None:
    path = written(tmp_path / "log", b"first")
    with path.open("ab") as file:
        file.write(tail)
    with Journal(path) as journal:
        assert journal.torn == len(tail)
    assert list(replay(path)) == [b"first"]


@given(records=st.lists(st.binary(min_size=1, max_size=50), min_size=1, max_size=8), data=st.data())
def test_any_changed_byte_costs_at_most_what_it_must(
    tmp_path_factory: pytest.TempPathFactory, records: list[bytes], data: st.DataObject
) -> None:
    path = written(tmp_path_factory.mktemp("journal") / "log", *records)
    whole = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(whole)
    found = list(replay(path))
    offset, hurt = 0, 0
    for number, record in enumerate(records):
        hurt = number if offset <= place else hurt
        offset += 8 + len(record)
    assert found[:hurt] == records[:hurt]
    assert all(record in records for record in found)
    with Journal(path) as journal:
        journal.append(b"after")
    assert list(replay(path)) == [*found, b"after"]


def test_damage_in_the_middle_costs_one_record(tmp_path: Path) -> None:
    path = written(tmp_path / "log", b"first", b"second", b"third", b"fourth")
    data = path.read_bytes()
    path.write_bytes(data.replace(b"second", b"sec_nd"))
    assert list(replay(path)) == [b"first", b"third", b"fourth"]
    written(path, b"fifth")
    assert list(replay(path)) == [b"first", b"third", b"fourth", b"fifth"]


def test_a_tail_too_long_to_be_torn_is_kept_aside(tmp_path: Path) -> None:
    path = written(tmp_path / "log", b"first", b"x" * 700_000, b"y" * 700_000)
    data = bytearray(path.read_bytes())
    data[13] ^= 0xFF  # the second record's length
    path.write_bytes(data)
    with Journal(path) as journal:
        assert journal.torn == len(data) - 13
    assert (tmp_path / "log.damaged").read_bytes() == data[13:]


def test_one_writer_and_any_number_of_readers(tmp_path: Path) -> None:
    with Journal(tmp_path / "log") as journal:
        journal.append(b"one")
        with pytest.raises(StoreBusy):
            Journal(tmp_path / "log")
        code = "import sys; from ansord.store.journal import replay; print(len(list(replay(sys.argv[1]))))"
        done = subprocess.run([sys.executable, "-c", code, tmp_path / "log"], capture_output=True, check=True)
        assert done.stdout == b"1\n"
    Journal(tmp_path / "log").close()


def test_a_failed_append_leaves_no_hole(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with Journal(path) as journal:
        journal.append(b"one")
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20, hard))
        try:
            with pytest.raises(StoreFull):
                journal.append(b"two" * 100)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert list(replay(path)) == [b"one"]
        journal.append(b"three")
    assert list(replay(path)) == [b"one", b"three"]


def test_the_sync_policy(tmp_path: Path) -> None:
    synced = 0

    class Counting(Files):
        def sync(self, file: int) -> None:
            nonlocal synced
            synced += 1
            super().sync(file)

    now = [0.0]
    with Journal(tmp_path / "log", sync_every_s=1.0, files=Counting(), clock=lambda: now[0]) as journal:
        start = synced
        for moment in (0.1, 0.5, 1.2, 1.3, 2.5):
            now[0] = moment
            journal.append(b"x")
        assert synced - start == 2
        journal.append(b"x")
    assert synced - start == 3  # closing keeps the promise
    with Journal(tmp_path / "eager", sync_every_s=0.0, files=Counting()) as journal:
        start = synced
        journal.append(b"x")
        journal.append(b"x")
        assert synced - start == 2


def test_a_disk_error_is_told(tmp_path: Path) -> None:
    class Failing(Files):
        broken = False

        def write(self, file: int, data: bytes | memoryview) -> int:
            if self.broken:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return super().write(file, data)

    files = Failing()
    with Journal(tmp_path / "log", files=files) as journal:
        files.broken = True
        with pytest.raises(StoreError, match="Input/output error"):
            journal.append(b"x")
    with pytest.raises(ValueError, match="wanted 1 to"), Journal(tmp_path / "log") as journal:
        journal.append(b"")
