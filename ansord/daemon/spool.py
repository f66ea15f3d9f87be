"""The inbox directory as a spool: claim a drop, settle it, and survive a crash between any two steps.

Called by the inbox and the publisher, in worker threads. All names are relative to open directories, so that
nobody can swap a folder underneath. It parses no subgraph, and removes no name before its bytes are safe.

    inbox/NAME.json -> .work/TICKET.drop -> done/NAME.json   + done/NAME.result.json
                                         or failed/NAME.json + failed/NAME.error.json
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import stat
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ansord.daemon.files import open_directory, read_regular, remove, rename_new, unlink, write_durably
from ansord_client.errors import BadConfig

LARGEST = 256 * 1024
"""Bytes of a drop: the limit of the subgraph format."""

LONGEST_STEM = 200
"""Bytes of NAME that leave room for `.result.json` and a digest in a file name of 255."""

WORK, DONE, FAILED = ".work", "done", "failed"
SIDECAR = {DONE: "result", FAILED: "error"}

STRANGE = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFDIR: "a directory",
    stat.S_IFSOCK: "a socket",
    stat.S_IFBLK: "a block device",
    stat.S_IFCHR: "a character device",
}


@dataclass(frozen=True, slots=True)
class Drop:
    """A claimed file. Its bytes lie in `.work` until it is settled; tickets grow with every claim."""

    ticket: int
    name: str
    data: bytes
    claimed: float
    owner: bool = True
    """False once a newer drop of the same name was claimed: its kernel is published, its files are not."""

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @property
    def work_name(self) -> str:
        return f"{self.ticket:016d}.{'drop' if self.owner else 'old'}"


@dataclass(frozen=True, slots=True)
class Seen:
    """One name in the inbox, as `lstat` saw it; the signature changes whenever the file does."""

    name: str
    mode: int
    size: int
    signature: tuple[int, int, int, int]

    @property
    def strange(self) -> str | None:
        """What it is, when it is no regular file."""
        return STRANGE.get(stat.S_IFMT(self.mode))


class Spool:
    """The inbox, opened. One process owns it: the daemon holds its lock before it opens one."""

    def __init__(self, inbox: Path) -> None:
        """Makes the directories that are missing. Raises BadConfig where one cannot be used or trusted."""
        self.path = inbox
        self._newest: dict[str, Drop] = {}
        self._temporary = itertools.count()
        self._lock = threading.Lock()  # claims and settlements come from different worker threads
        self._ticket = 0
        self._open()

    def _open(self) -> None:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._inbox = open_directory(self.path)
        except OSError as error:
            raise BadConfig(f"the inbox {self.path} cannot be used: {error.strerror}") from error
        self._identity = _identity(os.fstat(self._inbox))
        self._dirs = {name: self._folder(name) for name in (WORK, DONE, FAILED)}
        self._ticket = max([self._ticket, *(_ticket_of(name) for name in os.listdir(self._dirs[WORK]))])

    def close(self) -> None:
        for descriptor in (self._inbox, *self._dirs.values()):
            os.close(descriptor)

    def reopen(self) -> None:
        """Follows the path to the directory that it leads to now, and makes it where it leads nowhere."""
        with self._lock:
            self.close()
            self._open()

    def moved(self) -> bool:
        """Whether the path no longer leads to the directory that is open here."""
        try:
            return _identity(os.stat(self.path)) != self._identity
        except OSError:
            return True

    # Looking

    def look(self) -> list[Seen]:
        """The `*.json` names in the inbox, oldest first. Dotfiles and other names are nobody's business."""
        found = []
        with os.scandir(self._inbox) as entries:
            for entry in entries:
                if entry.name.startswith(".") or not entry.name.endswith(".json"):
                    continue
                with contextlib.suppress(FileNotFoundError):
                    info = entry.stat(follow_symlinks=False)
                    signature = (info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns)
                    found.append(
                        Seen(entry.name.removesuffix(".json"), info.st_mode, info.st_size, signature)
                    )
        return sorted(found, key=lambda seen: (seen.signature[2], seen.name))

    def read(self, name: str) -> bytes:
        """The bytes of a regular file in the inbox, at most one more than a drop may have. Raises OSError."""
        return read_regular(self._inbox, f"{name}.json", LARGEST + 1)

    def link_target(self, name: str) -> str:
        try:
            return os.readlink(f"{name}.json", dir_fd=self._inbox)
        except OSError:
            return "?"

    # Claiming

    def claim(self, name: str, data: bytes) -> Drop:
        """Copies `data`, just read from NAME, into `.work`, then removes the name.

        The copy is durable before the name goes. Where the name holds other bytes by now, it is put back:
        that is the next drop. From here on neither folder says anything about NAME.
        Raises OSError (a full disk): nothing is lost, the name is still there.
        """
        with self._lock:
            self._ticket += 1
            drop = Drop(self._ticket, name, data, time.time())
            header = json.dumps({"name": name, "claimed": drop.claimed}).encode() + b"\n"
            try:
                self._put(WORK, drop.work_name, header + data)
                self._disown(name)
                os.fsync(self._dirs[WORK])
                self._clear(_stem(name))
                aside = self._take_aside(drop)
            except OSError:
                self.forget(drop)
                raise
            self._newest[name] = drop
            if aside:
                self._drop_aside(aside, drop)
            return drop

    def _disown(self, name: str) -> None:
        older = self._newest.pop(name, None)
        if older is not None:
            with contextlib.suppress(FileNotFoundError):
                self._move(WORK, older.work_name, WORK, replace(older, owner=False).work_name)

    def _take_aside(self, drop: Drop) -> str | None:
        """Renamed before it is compared: what was dropped over the name meanwhile must not be removed."""
        aside = f"{drop.ticket:016d}.aside"
        try:
            os.rename(f"{drop.name}.json", aside, src_dir_fd=self._inbox, dst_dir_fd=self._dirs[WORK])
        except FileNotFoundError:
            return None
        return aside

    def _drop_aside(self, aside: str, drop: Drop) -> None:
        """Removes the name for good, or puts it back where anything speaks against that."""
        work = self._dirs[WORK]
        with contextlib.suppress(OSError):
            if read_regular(work, aside, LARGEST + 1) == drop.data:
                unlink(work, aside)
                return
        with contextlib.suppress(FileExistsError):  # a newer drop owns the name by now
            rename_new(work, aside, self._inbox, f"{drop.name}.json")
        remove(work, aside)

    # Settling

    def owns(self, drop: Drop) -> bool:
        """Whether no newer drop of its name was claimed since."""
        try:
            os.stat(replace(drop, owner=False).work_name, dir_fd=self._dirs[WORK])
        except FileNotFoundError:
            return drop.owner
        return False

    def settle(self, drop: Drop, folder: str, record: Mapping[str, Any]) -> None:
        """Puts the drop's bytes and its `record` into `folder`, the record last, and ends the claim.

        May be repeated after a crash or a full disk. Raises OSError: the claim then stays open.
        """
        with self._lock:
            if self.owns(drop):
                stem, other = _stem(drop.name), FAILED if folder == DONE else DONE
                self._put(folder, f"{stem}.json", drop.data)
                self._put(folder, f"{stem}.{SIDECAR[folder]}.json", _json(record))
                os.fsync(self._dirs[folder])
                self._clear(stem, (other,))
                self._newest.pop(drop.name, None)
            self.forget(drop)

    def forget(self, drop: Drop) -> None:
        """Ends a claim without a trace: a newer drop says the same thing."""
        for owner in (True, False):
            unlink(self._dirs[WORK], replace(drop, owner=owner).work_name)

    def refuse(self, seen: Seen, record: Mapping[str, Any]) -> None:
        """What is no regular file, or too large, or unreadable leaves the inbox unopened.

        Links, FIFOs, sockets and devices hold nothing and are removed; files and directories go to `failed`.
        Raises OSError, for a directory of another user: it stays, with its error record written.
        """
        stem, source = _stem(seen.name), f"{seen.name}.json"
        with self._lock:
            self._disown(seen.name)
            self._clear(stem)
            self._put(FAILED, f"{stem}.error.json", _json(record))
            os.fsync(self._dirs[FAILED])
            with contextlib.suppress(FileNotFoundError):
                if stat.S_ISREG(seen.mode) or stat.S_ISDIR(seen.mode):
                    os.rename(source, f"{stem}.json", src_dir_fd=self._inbox, dst_dir_fd=self._dirs[FAILED])
                else:
                    os.unlink(source, dir_fd=self._inbox)

    # Upkeep

    def recover(self) -> list[Drop]:
        """What a crash left behind, oldest first: open claims, and names that were on their way back."""
        with self._lock:
            return self._recover()

    def _recover(self) -> list[Drop]:
        work = self._dirs[WORK]
        drops: dict[int, Drop] = {}
        for name in sorted(os.listdir(work)):
            if name.endswith(".tmp"):
                unlink(work, name)
            elif name.endswith((".drop", ".old")):
                with contextlib.suppress(OSError, ValueError, KeyError, TypeError):  # not a file of ours
                    drops[_ticket_of(name)] = self._reopen(name)
        for drop in drops.values():
            if drop.owner:
                self._disown(drop.name)
                self._newest[drop.name] = drop
        for name in os.listdir(work):
            if name.endswith(".aside") and (claimed := drops.get(_ticket_of(name))):
                self._drop_aside(name, claimed)
        return [replace(drop, owner=self.owns(drop)) for drop in drops.values()]

    def _reopen(self, name: str) -> Drop:
        header, _, data = read_regular(self._dirs[WORK], name, LARGEST + 4096).partition(b"\n")
        facts = json.loads(header)
        return Drop(
            _ticket_of(name), str(facts["name"]), data, float(facts["claimed"]), name.endswith(".drop")
        )

    def purge(self, older_than: float) -> int:
        """Removes what was settled more than `older_than` seconds ago; says how many names went."""
        before, gone = time.time() - older_than, 0
        for folder in (DONE, FAILED):
            for name in os.listdir(self._dirs[folder]):
                with contextlib.suppress(FileNotFoundError):
                    if os.stat(name, dir_fd=self._dirs[folder], follow_symlinks=False).st_ctime < before:
                        remove(self._dirs[folder], name)
                        gone += 1
        return gone

    # Inside

    def _folder(self, name: str) -> int:
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, 0o700 if name == WORK else 0o755, dir_fd=self._inbox)
        try:
            descriptor = open_directory(name, self._inbox)
        except OSError as error:
            raise BadConfig(f"{self.path / name} must be a directory: {error.strerror}") from error
        owner = os.fstat(descriptor).st_uid
        if owner not in (0, os.geteuid()):
            os.close(descriptor)
            raise BadConfig(f"{self.path / name} belongs to user {owner}, who could swap the files in it")
        return descriptor

    def _put(self, folder: str, name: str, data: bytes) -> None:
        """Whole and durable under its name, or not there at all. The caller syncs the directory."""
        temporary = f"{next(self._temporary)}.tmp"
        write_durably(self._dirs[WORK], temporary, data)
        try:
            self._move(WORK, temporary, folder, name)
        except OSError:
            unlink(self._dirs[WORK], temporary)
            raise

    def _move(self, here: str, name: str, there: str, new: str) -> None:
        os.rename(name, new, src_dir_fd=self._dirs[here], dst_dir_fd=self._dirs[there])

    def _clear(self, stem: str, folders: tuple[str, ...] = (DONE, FAILED)) -> None:
        for folder in folders:
            for name in (f"{stem}.{SIDECAR[folder]}.json", f"{stem}.json"):
                remove(self._dirs[folder], name)


def _stem(name: str) -> str:
    """NAME as the folders hold it: `x.result` must not pass for the result of `x`, file names end at 255."""
    raw = os.fsencode(name)
    if len(raw) > LONGEST_STEM:
        return os.fsdecode(raw[:LONGEST_STEM]) + "~" + hashlib.sha256(raw).hexdigest()[:8]
    return f"{name}~" if name.endswith((".result", ".error")) else name


def _json(record: Mapping[str, Any]) -> bytes:
    return json.dumps(record, indent=2).encode() + b"\n"


def _identity(info: os.stat_result) -> tuple[int, int]:
    return info.st_dev, info.st_ino


def _ticket_of(name: str) -> int:
    digits = name.partition(".")[0]
    return int(digits) if digits.isdecimal() else 0
