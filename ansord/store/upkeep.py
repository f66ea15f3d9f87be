"""What is wrong in a cache directory, and what dead writers left there. Only reads; the store acts on it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ansord.store.files import boot_id
from ansord_client import layout
from ansord_client.elf import objection
from ansord_client.entry import BadEntry, Entry
from ansord_client.shard import BadShard, Shard, decode_shard

STALE_S = 600.0
"""A temporary file lives for milliseconds; this is for clocks that differ."""


@dataclass(frozen=True, slots=True)
class Fault:
    """`path`: the damaged or missing file. `entries`: (key, host key) of those that need it or lie in it."""

    path: Path
    reason: str
    entries: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


def faults(root: Path) -> list[Fault]:
    """Everything that a reader would stumble over: damaged shards and entries, missing and damaged objects.

    Takes no lock; next to a working writer it may tell of an object that is being collected."""
    top = Path(root) / layout.VERSION
    found: list[Fault] = []
    users: dict[str, list[Entry]] = {}
    for path in sorted((top / layout.INDEX).glob("*/??.mpk")):
        try:
            shard = decode_shard(path.read_bytes())
        except FileNotFoundError:
            continue
        except (OSError, BadShard) as error:
            found.append(Fault(path, str(error)))
            continue
        for item in _entries(path, shard):
            if isinstance(item, Fault):
                found.append(item)
            else:
                users.setdefault(item.object, []).append(item)
    for digest, entries in sorted(users.items()):
        path = top.joinpath(*layout.object_parts(digest))
        reason = _object_fault(path, entries[0])
        if reason:
            found.append(Fault(path, reason, tuple((one.key, one.host_key) for one in entries)))
    return found


def _entries(path: Path, shard: Shard) -> Iterator[Entry | Fault]:
    """The entries of a shard; a fault's path is then no file of its own: the shard itself is whole."""
    for key in sorted(shard.raw):
        place = path / key
        try:
            entry = shard.entry(key)
        except BadEntry as error:
            yield Fault(place, str(error), ((key, path.parent.name),))
            continue
        if entry is not None and (entry.host_key != path.parent.name or key[:2] != path.stem):
            yield Fault(
                place, f"it lies in the wrong shard; it is of {entry.host_key}", ((key, path.parent.name),)
            )
        elif entry is not None:
            yield entry


def _object_fault(path: Path, entry: Entry) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        return error.strerror or str(error)
    if len(data) != entry.size:
        return f"it has {len(data)} bytes, its entry says {entry.size}"
    if hashlib.sha256(data).hexdigest() != entry.object:
        return "its content is not what its name says"
    return objection(data, entry.arch)


def is_stale(path: Path, now: float) -> bool:
    """Whether a temporary file's writer is dead: another boot, or a process that is no more. Raises
    OSError."""
    if abs(now - path.stat().st_mtime) < STALE_S:
        return False
    _, boot, pid, _ = (path.name.split(".") + ["", "", "", ""])[:4]
    return boot != boot_id() or not pid.isdigit() or not Path("/proc", pid).exists()
