"""An append-only file of records that survives crashes: every trial that was ever measured.

Written by the tuner, replayed at start. State, not cache: it stands for hours of CPU time.

    journal = record ...
    record  = length u32 | crc u32 | payload        little-endian; crc: CRC-32 of the length and the payload

The length enters the CRC so that zeros, which a power failure may leave at the end, are no record.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from ansord.store.errors import StoreBusy, store_error
from ansord.store.files import Files, make_directories, sync_directory

_HEADER = struct.Struct("<II")
LARGEST = 16 << 20
"""Bytes of a payload; a larger length is damage."""

SYNC_EVERY_S = 1.0
"""Records of the last second may be lost with the power; none is lost with the process."""


class Journal:
    """A journal, opened for appending."""

    def __init__(
        self,
        path: Path,
        *,
        sync_every_s: float = SYNC_EVERY_S,
        files: Files | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Makes the file if it is missing and cuts off a torn tail: `torn` bytes; more than a megabyte,
        which no torn record is, is first copied to PATH.damaged. `sync_every_s`: 0 syncs every record.

        Raises StoreBusy while another process writes it, StoreError where it cannot be written."""
        self.path = Path(path).absolute()
        self._files = files or Files()
        self._clock = clock
        self._sync_every_s = sync_every_s
        try:
            make_directories(self._files, self.path.parent)
            fresh = not self.path.exists()
            self._file = self._files.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if fresh:
                    sync_directory(self._files, self.path.parent)
                self.torn = self._cut()
            except BaseException:
                os.close(self._file)
                raise
        except BlockingIOError:
            raise StoreBusy(str(self.path), None) from None
        except OSError as error:
            raise store_error(str(self.path), error) from error
        self._synced = self._clock()
        self._dirty = False

    def append(self, payload: bytes) -> None:
        """Add a record. Raises StoreFull or StoreError; then the next record takes its place."""
        if not 0 < len(payload) <= LARGEST:
            raise ValueError(f"found a record of {len(payload)} bytes, wanted 1 to {LARGEST}")
        record = _HEADER.pack(len(payload), _crc(len(payload), payload)) + payload
        try:
            os.lseek(self._file, self._end, os.SEEK_SET)
            view = memoryview(record)
            while view:
                view = view[self._files.write(self._file, view) :]
            self._end += len(record)
            self._dirty = True
            if self._clock() - self._synced >= self._sync_every_s:
                self.sync()
        except OSError as error:
            raise store_error(str(self.path), error) from error

    def sync(self) -> None:
        """What was appended is on disk when this returns. Raises StoreError."""
        if not self._dirty:
            return
        try:
            self._files.sync(self._file)
        except OSError as error:
            raise store_error(str(self.path), error) from error
        self._dirty = False
        self._synced = self._clock()

    def close(self) -> None:
        if self._file < 0:
            return
        try:
            self.sync()
        finally:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def replay(self) -> Iterator[bytes]:
        """Every whole record, oldest first, those appended here included."""
        return replay(self.path)

    def _cut(self) -> int:
        """Truncate after the last whole record; how many bytes that took."""
        with open(self.path, "rb") as stream:
            end = 0
            for offset, _, size in _records(stream):
                end = offset + size
            size = os.fstat(self._file).st_size
            if size - end > 1 << 20:
                stream.seek(end)
                self.path.with_name(f"{self.path.name}.damaged").write_bytes(stream.read())
        if size > end:
            os.ftruncate(self._file, end)
            self._files.sync(self._file)
        self._end = end
        return size - end


def replay(path: Path | str) -> Iterator[bytes]:
    """The payload of every whole record of a journal, oldest first; needs no lock. A record whose bytes
    were damaged is passed over where a whole one follows it. Nothing where there is no file; raises
    StoreError otherwise."""
    try:
        with contextlib.ExitStack() as stack:
            try:
                stream = stack.enter_context(open(path, "rb"))
            except FileNotFoundError:
                return
            for _, payload, _ in _records(stream):
                if payload is not None:
                    yield payload
    except OSError as error:
        raise store_error(str(path), error) from error


def _records(stream: BinaryIO) -> Iterator[tuple[int, bytes | None, int]]:
    """(offset, payload, bytes in all) of each record up to the torn tail; payload None: damaged, but not
    the last."""
    offset = 0
    skipped: tuple[int, None, int] | None = None
    while True:
        head = stream.read(_HEADER.size)
        if len(head) < _HEADER.size:
            return
        length, crc = _HEADER.unpack(head)
        payload = stream.read(length) if 0 < length <= LARGEST else b""
        if not payload or len(payload) < length:
            return
        size = _HEADER.size + length
        if _crc(length, payload) == crc:
            if skipped:
                yield skipped
                skipped = None
            yield offset, payload, size
        elif skipped:
            return
        else:
            skipped = (offset, None, size)
        offset += size


def _crc(length: int, payload: bytes) -> int:
    return zlib.crc32(payload, zlib.crc32(length.to_bytes(4, "little")))
