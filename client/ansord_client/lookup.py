"""Finding a kernel: from the exact host over code that this host can run as well, to a miss with its reason.

Called by the client and by `ansord explain`. It takes no lock, writes nothing, loads nothing, and never
raises for what lies in a cache: whatever is wrong there is a miss and a line of the trail.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansord_client import layout
from ansord_client.entry import BadEntry, Entry
from ansord_client.host import Host
from ansord_client.shard import LARGEST, BadShard, Shard, decode_shard
from ansord_client.trust import Untrusted, opened, read_file

log = logging.getLogger("ansord_client")

Signature = tuple[int, int, int, int]


class Cache:
    """One cache directory, seen by a reader: shards are kept decoded until their file is another one."""

    def __init__(self, root: Path, user: str) -> None:
        self.root = root
        self.user = user
        self.top = root / layout.VERSION
        self._index = str(self.top / layout.INDEX)
        self._shards: dict[tuple[str, str], tuple[Signature, Shard | None, str]] = {}

    def __repr__(self) -> str:
        return f"Cache({str(self.root)!r})"

    def look(self, host_key: str, key: str) -> tuple[Entry | None, str]:
        """The entry of `key` under `host_key`, or None and the reason; "" where it simply is not there."""
        shard, reason = self._shard(host_key, f"{key[:2]}.mpk")
        if shard is None:
            return None, reason
        try:
            entry = shard.entry(key)
            if entry is not None and entry.host_key != host_key:
                raise BadEntry(f"the entry of {key[:12]} is of host {entry.host_key}")
        except BadEntry as error:
            return None, f"{self._index}/{host_key}/{key[:2]}.mpk: {error}"
        return entry, reason

    def _shard(self, host_key: str, name: str) -> tuple[Shard | None, str]:
        """The shard as it is, or as it last was where it is unreadable; and what is wrong, if anything."""
        slot = (host_key, name)
        before = self._shards.get(slot)
        path = f"{self._index}/{host_key}/{name}"
        try:
            signature = _signature(os.stat(path))
            if before and before[0] == signature:
                return before[1:]
            with opened(self.root, (layout.VERSION, layout.INDEX, host_key, name), self.user) as file:
                signature = _signature(os.fstat(file))
                shard = decode_shard(read_file(file, LARGEST))
        except FileNotFoundError:
            self._shards.pop(slot, None)
            return None, ""
        except (BadShard, Untrusted) as error:
            now = (signature, before[1] if before else None, f"{path}: {error}")
            log.warning("ansord: %s", now[2])
        except OSError as error:
            return (before[1] if before else None), f"{path}: {error.strerror}"
        else:
            now = (signature, shard, "")
        self._shards[slot] = now
        return now[1:]

    def signature(self, host_key: str, key: str) -> Signature | None:
        """What changes whenever the shard of `key` is replaced. 2 µs; reads no bytes."""
        try:
            return _signature(os.stat(f"{self._index}/{host_key}/{key[:2]}.mpk"))
        except OSError:
            return None

    def hosts(self) -> list[str]:
        """The host keys that have an index here."""
        try:
            return sorted(name for name in os.listdir(self._index) if not name.startswith("."))
        except OSError:
            return []

    def entries(self, faults: list[str] | None = None) -> Iterator[Entry]:
        """Every entry, by host and key; what cannot be read is skipped, and told in `faults`."""
        for host_key in self.hosts():
            for number in range(256):
                shard, reason = self._shard(host_key, f"{number:02x}.mpk")
                reasons = [reason] if reason else []
                for key in sorted(shard.raw) if shard else []:
                    entry, reason = self.look(host_key, key)
                    if entry is not None:
                        yield entry
                    else:
                        reasons.append(reason)
                if faults is not None:
                    faults += reasons


@dataclass(frozen=True, slots=True)
class Hit:
    """`degraded`: made for another host, whose code this one can run."""

    entry: Entry
    cache: Cache
    degraded: bool


@dataclass(frozen=True, slots=True)
class Found:
    """`hit`: None on a miss. `trail`: one line for each rung that was tried and why it did not hold."""

    hit: Hit | None
    trail: tuple[str, ...]

    @property
    def reason(self) -> str:
        return "; ".join(self.trail)


def ladder(caches: Sequence[Cache], key: str, host: Host, trail: list[str]) -> Iterator[Hit]:
    """The kernels for `key` that may run on `host`, best first: those made for it, in the order of the
    caches, then those of other hosts by rank. Each rung that does not hold leaves its reason in `trail`."""
    for cache in caches:
        entry, reason = cache.look(host.key, key)
        obstacle = _obstacle(entry, host) if entry else reason
        if entry is not None and not obstacle:
            yield Hit(entry, cache, degraded=False)
        else:
            absent = "" if cache.top.is_dir() else ", which is no cache yet"
            trail.append(obstacle or f"no kernel {key[:12]} for {host.key} in {cache.root}{absent}")
    usable: list[Hit] = []
    for cache in caches:
        for host_key in cache.hosts():
            if host_key == host.key:
                continue
            entry, reason = cache.look(host_key, key)
            obstacle = _obstacle(entry, host) if entry else reason
            if entry is not None and not obstacle:
                usable.append(Hit(entry, cache, degraded=True))
            elif obstacle:
                trail.append(f"{host_key}: {obstacle}")
    yield from sorted(usable, key=lambda hit: _rank(hit.entry, host), reverse=True)


def find(caches: Sequence[Cache], key: str, host: Host) -> Found:
    """The first rung that holds, or a miss; loads nothing."""
    trail: list[str] = []
    hit = next(ladder(caches, key, host, trail), None)
    return Found(hit, tuple(trail))


def _obstacle(entry: Entry, host: Host) -> str:
    """Why the entry must not run here; "" where it may."""
    if entry.arch != host.arch:
        return f"it is for {entry.arch}"
    lacking = sorted(set(entry.isa) - set(host.isa))
    if lacking:
        return f"it needs {', '.join(lacking)}, which this host lacks"
    if entry.threads > host.threads:
        return f"it is for {entry.threads} threads, this process may use {host.threads}"
    return ""


def _rank(entry: Entry, host: Host) -> tuple[Any, ...]:
    """Higher is better: too few threads cost most, then another CPU, other caches, narrower instructions."""
    same_cpu = entry.provenance.get("cpu_model") == host.cpu_model
    same_caches = entry.provenance.get("caches") == host.cache_sizes
    return entry.threads, same_cpu, same_caches, len(entry.isa), -entry.latency_us, entry.host_key


def _signature(found: os.stat_result) -> Signature:
    # With the inode: a timestamp alone misses a file that was replaced within its resolution.
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size
