"""The one writer of a cache directory: objects before the index, and each on disk before it can be seen.

Opened by `serve`, `tune` and `import`. Readers need no lock and no care: whatever moment a crash picks,
they find the old entry or the new one, whole. It publishes what it is given; whether that is better is not
its question.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ansord.store.errors import StoreBusy, StoreError, store_error
from ansord.store.files import Files, boot_id, make_directories, sync_directory, write_file
from ansord.store.upkeep import Fault, faults, is_stale
from ansord_client import layout
from ansord_client.elf import objection
from ansord_client.entry import BadEntry, Entry
from ansord_client.shard import BadShard, Shard, decode_shard, encode_shard

README = """\
This is the kernel cache of ansord. It can be deleted at any time: kernels are tuned again on demand.
Do not edit anything in it; only the process that holds v1/lock writes here. `ansord ls` shows what it
holds, `ansord verify` checks it, `ansord gc` makes room. The format is described in client/FORMATS.md.
"""

GRACE_S = 24 * 3600.0
"""How long an object outlives its last entry: far longer than a reader takes from the index to the object."""


class Store:
    """A cache directory, opened for writing. Not thread-safe; one per process and directory."""

    def __init__(self, root: Path, lock: int, files: Files, clock: Callable[[], float]) -> None:
        self.root = root
        self.top = root / layout.VERSION
        self._lock = lock
        self._files = files
        self._clock = clock

    @classmethod
    def open(
        cls, root: Path | str, *, files: Files | None = None, clock: Callable[[], float] = time.time
    ) -> Store:
        """Become the writer of `root`, which is made if it is missing, and remove what dead writers left.

        Raises StoreBusy while another process is it, StoreError where the place cannot be written."""
        root, files = Path(root).absolute(), files or Files()
        top = root / layout.VERSION
        try:
            for name in (layout.TEMPORARY, layout.QUARANTINE, layout.OBJECTS, layout.INDEX):
                make_directories(files, top / name)
            lock = _locked(files, top / layout.LOCK)
        except OSError as error:
            raise store_error(str(root), error) from error
        store = cls(root, lock, files, clock)
        try:
            store._prepare()
        except OSError as error:
            store.close()
            raise store_error(str(root), error) from error
        except BaseException:
            store.close()
            raise
        return store

    def close(self) -> None:
        """Let others write; also done by the kernel when this process dies."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Writing

    def publish(self, entry: Entry, code: bytes) -> None:
        """Make `entry` what readers find for its key and host; `code` is its object.

        Raises StoreError or StoreFull: readers then have the entry that was there, or this one, whole.
        Raises ValueError for an entry that no reader would take."""
        complaint = _complaint(entry, code)
        if complaint:
            raise ValueError(f"{entry.key[:12]} cannot be published: {complaint}")
        with self._writing(f"publishing {entry.key[:12]}"):
            self._put_object(entry.object, code)
            before = self._shard(entry.host_key, entry.key)
            self._retire(before, entry.key, successor=entry.object)
            self._put_shard(entry.host_key, entry.key, before, {**before.raw, entry.key: entry.to_map()})

    def remove(self, key: str, host_key: str) -> bool:
        """Forget an entry; its object stays until `collect`. False when there is none. Raises StoreError."""
        with self._writing(f"removing {key[:12]}"):
            before = self._shard(host_key, key)
            if key not in before.raw:
                return False
            self._retire(before, key)
            left = {one: raw for one, raw in before.raw.items() if one != key}
            self._put_shard(host_key, key, before, left)
        return True

    def collect(self, grace_s: float = GRACE_S) -> list[Path]:
        """Unlink the objects that no entry has led to for `grace_s`; a process that has one loaded keeps it.

        Does nothing while a shard is damaged, since what it held cannot be told. Raises StoreError."""
        used = set()
        for path in self._shard_files():
            try:
                shard = decode_shard(path.read_bytes())
            except (OSError, BadShard):
                return []
            used |= {raw.get("object") for raw in shard.raw.values() if isinstance(raw, dict)}
        gone = []
        with self._writing("collecting"):
            for path in sorted((self.top / layout.OBJECTS).glob("??/*.so")):
                if path.stem not in used and self._clock() - path.stat().st_mtime >= grace_s:
                    self._files.unlink(path)
                    gone.append(path)
        return gone

    def mend(self) -> list[Fault]:
        """Set damaged files aside in quarantine/ and drop the entries that need them; tells what was
        wrong."""
        found = faults(self.root)
        with self._writing("mending"):
            for fault in found:
                if fault.path.exists():
                    self._quarantine(fault.path)
        for fault in found:
            for key, host_key in fault.entries:
                self.remove(key, host_key)
        return found

    def tidy(self) -> list[Path]:
        """Unlink the temporary files of dead writers; done at opening, and worth repeating hourly."""
        gone = []
        for path in sorted((self.top / layout.TEMPORARY).iterdir()):
            with contextlib.suppress(OSError):
                if is_stale(path, self._clock()):
                    self._files.unlink(path)
                    gone.append(path)
        return gone

    # Reading: what the writer needs; others use ansord_client.lookup

    def find(self, key: str, host_key: str) -> Entry | None:
        """The entry as readers see it now."""
        try:
            shard = decode_shard(self._path(*layout.shard_parts(host_key, key)).read_bytes())
            return shard.entry(key)
        except (OSError, BadShard, BadEntry):
            return None

    def entries(self) -> Iterator[Entry]:
        """Every entry that can be read, by host and key."""
        for path in self._shard_files():
            with contextlib.suppress(OSError, BadShard):
                shard = decode_shard(path.read_bytes())
                for key in sorted(shard.raw):
                    with contextlib.suppress(BadEntry):
                        entry = shard.entry(key)
                        if entry is not None:
                            yield entry

    def code(self, entry: Entry) -> bytes | None:
        """The object's bytes, if they are what the entry says."""
        try:
            data = self._path(*layout.object_parts(entry.object)).read_bytes()
        except OSError:
            return None
        return data if hashlib.sha256(data).hexdigest() == entry.object else None

    # Inside

    def _path(self, *parts: str) -> Path:
        return self.top.joinpath(*parts)

    def _shard_files(self) -> list[Path]:
        return sorted((self.top / layout.INDEX).glob("*/??.mpk"))

    @contextlib.contextmanager
    def _writing(self, what: str) -> Iterator[None]:
        """Around every change: the lock is still the one that others see, and a failed call has a name."""
        try:
            here, there = os.fstat(self._lock), os.stat(self.top / layout.LOCK)
            if (here.st_dev, here.st_ino) != (there.st_dev, there.st_ino):
                raise StoreError(f"{what}: {self.root} was replaced while it was open; open it again")
            yield
        except OSError as error:
            raise store_error(f"{what} in {self.root}", error) from error

    def _put_object(self, digest: str, code: bytes) -> None:
        path = self._path(*layout.object_parts(digest))
        make_directories(self._files, path.parent)
        if path.exists():
            if path.read_bytes() == code:
                sync_directory(self._files, path.parent)  # a crash may have come before this
                return
            self._quarantine(path)
        write_file(self._files, self.top / layout.TEMPORARY, path, code)

    def _shard(self, host_key: str, key: str) -> Shard:
        """The shard that holds `key`, or would; a damaged one is set aside, and its place is empty."""
        path = self._path(*layout.shard_parts(host_key, key))
        try:
            return decode_shard(path.read_bytes())
        except FileNotFoundError:
            return Shard(0, {})
        except BadShard:
            self._quarantine(path)
            return Shard(0, {})

    def _put_shard(self, host_key: str, key: str, before: Shard, raw: Mapping[str, Any]) -> None:
        # Time makes the number grow even past a shard that was lost, and the sum past a clock that was set
        # back.
        generation = max(before.generation + 1, int(self._clock() * 1e6))
        path = self._path(*layout.shard_parts(host_key, key))
        make_directories(self._files, path.parent)
        write_file(self._files, self.top / layout.TEMPORARY, path, encode_shard(generation, raw))

    def _retire(self, before: Shard, key: str, successor: str = "") -> None:
        """Start the grace of the object that `key` leads to, before the entry goes."""
        raw = before.raw.get(key)
        digest = raw.get("object") if isinstance(raw, dict) else None
        if isinstance(digest, str) and digest != successor:
            with contextlib.suppress(FileNotFoundError):
                self._files.touch(self._path(*layout.object_parts(digest)))

    def _quarantine(self, path: Path) -> None:
        """Keep a damaged file for whoever wants to know, out of everybody's way."""
        name = f"{int(self._clock() * 1e6)}.{path.parent.name}.{path.name}"
        self._files.rename(path, self.top / layout.QUARANTINE / name)
        sync_directory(self._files, path.parent)

    def _prepare(self) -> None:
        """What a fresh cache holds, and no leftovers."""
        texts = {self.top / "FORMAT": layout.FORMAT, self.root / "README": README}
        for path, text in texts.items():
            if not path.exists():
                write_file(self._files, self.top / layout.TEMPORARY, path, text.encode())
        found = (self.top / "FORMAT").read_text(errors="replace")
        if found != layout.FORMAT:
            wanted = layout.FORMAT.strip()
            raise StoreError(f"{self.top}/FORMAT: found {found.strip()!r}, wanted {wanted!r}")
        # What a crash left between making a directory and making it readable and durable.
        for path in (self.top, *(one for depth in ("*/", "*/*/") for one in self.top.glob(depth))):
            if stat.S_IMODE(path.stat().st_mode) != layout.DIRECTORY_MODE:
                self._files.chmod(path, layout.DIRECTORY_MODE)
        for path in (self.root, self.top, self.top / layout.OBJECTS, self.top / layout.INDEX):
            sync_directory(self._files, path)
        self.tidy()


def _complaint(entry: Entry, code: bytes) -> str:
    """Why no reader would take the entry; "" where it would."""
    try:
        Entry.from_map(_as_read(entry))
    except BadEntry as error:
        return str(error)
    if len(code) != entry.size or hashlib.sha256(code).hexdigest() != entry.object:
        return "its object is another one than its entry says"
    return objection(code, entry.arch)


def _as_read(entry: Entry) -> Any:
    shard = decode_shard(encode_shard(0, {entry.key: entry.to_map()}))
    return shard.raw[entry.key]


def _locked(files: Files, path: Path) -> int:
    """The lock file, locked and never unlinked: a second file of that name would be a second lock."""
    lock = files.open(path, os.O_RDWR | os.O_CREAT, 0o600)  # who can open it can hold it
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        note = os.pread(lock, 64, 0).split()
        os.close(lock)
        pid = int(note[0]) if note and note[0].isdigit() else None
        raise StoreBusy(str(path.parent.parent), pid) from None
    except BaseException:
        os.close(lock)
        raise
    with contextlib.suppress(OSError):  # for people and for StoreBusy; nothing depends on it
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()} {boot_id()} {int(time.time())}\n".encode(), 0)
    return lock
