"""A crash at every single system call of a publish: death of the process, an error, loss of power."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansord.store import Files, Store, StoreError, faults
from ansord_client.entry import Entry
from ansord_client.host import host
from ansord_client.lookup import Cache, find
from tests.client.kernels import add, compiled, entry

OLD_A, OLD_B, NEW_B, FRESH = (compiled(add(number)) for number in (1, 2, 3, 4))
A, B, C = "ab" + "1" * 62, "ab" + "2" * 62, "cd" + "3" * 62
CALLS = ("open", "allocate", "write", "chmod", "sync", "close", "rename", "unlink", "make_directory", "touch")


class Dead(BaseException):
    """The process is no more: no handler may do anything after it."""


class Breaking(Files):
    """Fails at the n-th system call; `error` None: dies there, and every later call is dead as well."""

    def __init__(self, at: int, error: int | None) -> None:
        self.at = at
        self.error = error
        self.count = 0

    def before(self, name: str) -> None:
        self.count += 1
        if self.error is None and self.count > self.at:
            raise Dead
        if self.error is not None and self.count == self.at + 1:
            raise OSError(self.error, os.strerror(self.error))


def wrapped(name: str) -> Callable[..., Any]:
    def call(self: Breaking, *arguments: Any) -> Any:
        if name != "close":  # a file descriptor that a dead process leaves open harms nobody
            self.before(name)
        return getattr(Files, name)(self, *arguments)

    return call


for name in CALLS:
    setattr(Breaking, name, wrapped(name))


class Disk(Breaking):
    """Knows what a power failure would leave: names and contents as they were last synced."""

    def __init__(self, root: Path, at: int) -> None:
        super().__init__(at, None)
        self.contents: dict[int, bytes] = {}
        self.names: dict[int, dict[str, int]] = {}
        for folder, folders, files in os.walk(root):
            here = Path(folder)
            self.names[here.stat().st_ino] = {name: (here / name).stat().st_ino for name in folders + files}
            self.contents |= {(here / name).stat().st_ino: (here / name).read_bytes() for name in files}

    def open(self, path: Path, flags: int, mode: int = 0o600) -> int:
        self.before("open")
        file = Files.open(self, path, flags, mode)
        if flags & os.O_EXCL:
            self.contents.pop(os.fstat(file).st_ino, None)  # a reused number
        return file

    def make_directory(self, path: Path) -> None:
        self.before("make_directory")
        Files.make_directory(self, path)
        self.names[path.stat().st_ino] = {}

    def sync(self, file: int) -> None:
        self.before("sync")
        Files.sync(self, file)
        place, number = Path(f"/proc/self/fd/{file}").resolve(), os.fstat(file).st_ino
        if place.is_dir():
            self.names[number] = {path.name: path.stat().st_ino for path in place.iterdir()}
        else:
            self.contents[number] = place.read_bytes()

    def survivors(self, root: Path, target: Path, *, eager: bool) -> None:
        """Write the tree after the failure. `eager`: names reached the disk, contents did not."""
        paths = {path.stat().st_ino: path for path in (root, *root.rglob("*"))}

        def copy(number: int, place: Path) -> None:
            there = paths.get(number)
            if number in self.names and (there is None or there.is_dir()):
                place.mkdir(mode=0o755)
                entries = self.names[number]
                if eager and there:
                    entries = {path.name: path.stat().st_ino for path in there.iterdir()}
                for name, inode in entries.items():
                    copy(inode, place / name)
            else:
                place.write_bytes(self.contents.get(number, b""))

        copy(root.stat().st_ino, target)


@pytest.fixture
def place() -> Iterator[Path]:
    """In memory where that can be: these tests sync thousands of times, and simulate what that means."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder)


@pytest.fixture
def base(place: Path) -> Path:
    """A cache with two entries in one shard, and a third one's object and directory already there or not."""
    with Store.open(place / "base") as store:
        store.publish(entry(OLD_A, A), OLD_A)
        store.publish(entry(OLD_B, B), OLD_B)
    return place / "base"


def change(root: Path, files: Files) -> None:
    """What is broken off: a replacement in a shard, a key in a new shard, a removal."""
    with Store.open(root, files=files) as store:
        store.publish(entry(NEW_B, B), NEW_B)
        store.publish(entry(FRESH, C), FRESH)
        store.remove(A, host().key)


def objects(root: Path) -> dict[str, str | None]:
    caches = [Cache(root, "ansord")]
    hits = {key: find(caches, key, host()).hit for key in (A, B, C)}
    return {key: hit.entry.object if hit else None for key, hit in hits.items()}


OLD: dict[str, str | None] = {A: entry(OLD_A).object, B: entry(OLD_B).object, C: None}
NEW: dict[str, str | None] = {A: None, B: entry(NEW_B).object, C: entry(FRESH).object}
ORDER = [B, C, A]
STATES = [{key: (NEW if key in ORDER[:done] else OLD)[key] for key in ORDER} for done in range(4)]


def whole(root: Path) -> int:
    """Nothing is damaged, and what readers see is one of the states between two changes: which one."""
    assert faults(root) == []
    return STATES.index(objects(root))


def steps(base: Path, place: Path) -> int:
    files = Breaking(10**9, None)
    shutil.copytree(base, place / "count")
    change(place / "count", files)
    assert whole(place / "count") == 3
    return files.count


def test_death_at_every_call(base: Path, place: Path) -> None:
    reached = set()
    for at in range(steps(base, place)):
        root = place / f"cache{at}"
        shutil.copytree(base, root)
        with pytest.raises(Dead):
            change(root, Breaking(at, None))
        reached.add(whole(root))
        change(root, Files())
        assert whole(root) == 3
        shutil.rmtree(root)
    assert reached == {0, 1, 2, 3}


@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC])
def test_an_error_at_every_call(base: Path, place: Path, error: int) -> None:
    for at in range(steps(base, place)):
        root = place / f"cache{at}"
        shutil.copytree(base, root)
        files = Breaking(at, error)
        try:
            change(root, files)
        except StoreError as caught:
            assert (type(caught).__name__ == "StoreFull") == (error == errno.ENOSPC)  # noqa: PT017
        whole(root)
        assert not list((root / "v1" / "tmp").iterdir()), at
        change(root, Files())
        assert whole(root) == 3
        shutil.rmtree(root)


@pytest.mark.parametrize("eager", [False, True])
def test_loss_of_power_at_every_call(base: Path, place: Path, eager: bool) -> None:
    total = steps(base, place)
    for at in range(total + 1):
        root, after = place / f"cache{at}", place / f"after{at}"
        shutil.copytree(base, root)
        disk = Disk(root, at)
        if at < total:
            with pytest.raises(Dead):
                change(root, disk)
        else:
            change(root, disk)
        disk.survivors(root, after, eager=eager)
        state = whole(after)
        if at == total:
            assert state == 3  # what was promised is kept
        change(after, Files())
        assert whole(after) == 3
        shutil.rmtree(root)
        shutil.rmtree(after)


WRITER = """
import sys, itertools, time
from ansord.store import Store
sys.path.insert(0, sys.argv[2])
from tests.client.kernels import entry, HEAD
from pathlib import Path
codes = [Path(name).read_bytes() for name in sys.argv[3:]]
with Store.open(sys.argv[1]) as store:
    print("open", flush=True)
    for number in itertools.count():
        code = codes[number % len(codes)]
        store.publish(entry(code, f"{number % 7:02x}" + "4" * 62, finished=time.time()), code)
"""


def test_a_writer_that_is_killed_leaves_a_whole_cache(tmp_path: Path) -> None:
    """A reader looks all the while: it never sees damage, nor an entry that goes back."""
    root = tmp_path / "cache"
    names = []
    for number, code in enumerate((OLD_A, OLD_B, NEW_B)):
        (tmp_path / f"{number}.so").write_bytes(code)
        names.append(str(tmp_path / f"{number}.so"))
    repository = str(Path(__file__).resolve().parents[2])
    latest: dict[str, float] = {}
    for attempt in range(8):
        command = [sys.executable, "-c", WRITER, str(root), repository, *names]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
            assert child.stdout
            assert child.stdout.readline() == b"open\n"
            cache = Cache(root, "ansord")
            until = time.monotonic() + 0.05 + 0.013 * attempt
            try:
                while time.monotonic() < until:
                    told: list[str] = []
                    for one in cache.entries(told):
                        assert one.finished >= latest.get(one.key, 0.0)
                        latest[one.key] = one.finished
                    assert told == []
            finally:
                child.kill()
        assert faults(root) == []
        assert {one.key for one in Cache(root, "ansord").entries()} >= set(latest)
    assert len(latest) == 7


def test_the_order_is_objects_then_index(tmp_path: Path) -> None:
    """A reader between any two calls finds each entry's object: watched from inside the calls."""
    root = tmp_path / "cache"
    looked = 0

    class Watching(Files):
        def rename(self, source: Path, target: Path) -> None:
            nonlocal looked
            super().rename(source, target)
            found = [one for one in Cache(root, "ansord").entries()]
            looked += len(found)
            assert all(there(root, one) for one in found)

    with Store.open(root, files=Watching()) as store:
        store.publish(entry(OLD_A, A), OLD_A)
        store.publish(entry(OLD_B, A), OLD_B)
    assert looked


def there(root: Path, one: Entry) -> bool:
    return (root / "v1" / "objects" / one.object[:2] / f"{one.object}.so").stat().st_size == one.size
