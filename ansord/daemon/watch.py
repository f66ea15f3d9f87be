"""inotify through watchdog: wakes the inbox when something stirs. Events are hints, the scan is the truth.

The inbox service owns one. The handler does nothing but wake and note closed names, since an exception in it
would end the observer's thread for good; overflows, dead threads and replaced directories are noticed here.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable
from pathlib import Path

from watchdog.events import (
    DirDeletedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers.inotify import InotifyObserver

EVENTS: list[type[FileSystemEvent]] = [
    FileCreatedEvent,  # a rename-in and a hard link show as this one alone
    FileMovedEvent,
    FileModifiedEvent,
    FileClosedEvent,
    DirDeletedEvent,
]
REMOTE = frozenset({"nfs", "nfs4", "cifs", "smb3", "fuse", "9p", "ceph", "afs", "glusterfs", "virtiofs"})
"""File systems on which another machine's writes raise no event (watchdog's issues 420, 504, 802)."""
MOST_CLOSED = 1 << 16


class Watch:
    """`start` may raise OSError (no inotify instance left): the caller then scans more often."""

    def __init__(self, directory: Path, loop: asyncio.AbstractEventLoop, woken: asyncio.Event) -> None:
        self.closed: set[str] = set()
        """File names whose writer closed them; the scan removes what it dealt with."""
        self.overflows = 0
        self._directory = directory
        self._wake = _waker(loop, woken)
        self._observer: InotifyObserver | None = None

    def start(self) -> None:
        observer = InotifyObserver()
        observer.schedule(_Hints(self._wake, self.closed), str(self._directory), event_filter=EVENTS)
        observer.start()
        self._observer = observer
        for name in _LOGGERS:
            logging.getLogger(name).addFilter(self._hear)

    def stop(self) -> None:
        for name in _LOGGERS:
            logging.getLogger(name).removeFilter(self._hear)
        if self._observer is not None:
            self._observer.stop()
            self._observer.join(timeout=2)
            self._observer = None

    def alive(self) -> bool:
        """Whether events can still arrive: a dead emitter leaves its observer alive."""
        observer = self._observer
        return (
            observer is not None
            and observer.is_alive()
            and len(observer.emitters) > 0
            and all(emitter.is_alive() for emitter in observer.emitters)
        )

    def _hear(self, record: logging.LogRecord) -> bool:
        """The only place where watchdog tells of a lost event is its log."""
        if "overflow" in str(record.msg):
            self.overflows += 1
            self._wake()
        return False


_LOGGERS = ("watchdog.observers.inotify_c", "watchdog.observers.inotify")


class _Hints(FileSystemEventHandler):
    def __init__(self, wake: Callable[[], None], closed: set[str]) -> None:
        self._wake, self._closed = wake, closed

    def dispatch(self, event: FileSystemEvent) -> None:
        with contextlib.suppress(Exception):
            if isinstance(event, FileClosedEvent):
                if len(self._closed) >= MOST_CLOSED:
                    self._closed.clear()  # their files then wait for the 30 s without change
                self._closed.add(os.path.basename(os.fsdecode(event.src_path)))
        self._wake()


def _waker(loop: asyncio.AbstractEventLoop, woken: asyncio.Event) -> Callable[[], None]:
    def wake() -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to wake
            loop.call_soon_threadsafe(woken.set)

    return wake


def is_remote(directory: Path, mounts: Path = Path("/proc/self/mountinfo")) -> bool:
    """Whether the directory lies on a file system that does not tell of other machines' writes."""
    try:
        device = os.stat(directory).st_dev
        wanted = f"{os.major(device)}:{os.minor(device)}"
        for line in mounts.read_text(errors="replace").splitlines():
            left, _, right = line.partition(" - ")
            if left.split()[2] == wanted:
                return right.split()[0].split(".")[0] in REMOTE
    except (OSError, IndexError):
        pass
    return False
