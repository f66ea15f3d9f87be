"""The bytes of one index shard: the entries of one host whose keys start with the same two hex digits.

Written by the store, read by clients without a lock; a shard is replaced as a whole, never changed in place.

    shard  = magic "ansord-shard\\n" (13 bytes) | version u8 | generation u64 | length u64 | body | trailer
    body   = map { key: entry, ... }    msgpack, `length` bytes
    trailer= SHA-256 of everything before it (32 bytes); integers are little-endian

The trailer is checked before anything is decoded. Every fault is one exception with a reason, and no shard.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgpack

from ansord_client.entry import BadEntry, Entry

MAGIC = b"ansord-shard\n"
VERSION = 1
LARGEST = 64 << 20
"""Bytes of a shard: far above a real one (some 200 entries of 2 KiB), far below what would hurt a reader."""

_HEADER = struct.Struct(f"<{len(MAGIC)}sBQQ")
_TRAILER = hashlib.sha256().digest_size


class BadShard(ValueError):
    """Bytes that are no whole shard; the message says what is wrong with them."""


@dataclass(frozen=True, slots=True)
class Shard:
    """`generation`: microseconds since 1970 at which it was written, always above the one it replaced.
    `raw`: key to undecoded entry: a lookup decodes the one entry that it wants."""

    generation: int
    raw: Mapping[str, Any]

    def entry(self, key: str) -> Entry | None:
        """None when the key is not there. Raises BadEntry where the entry is damaged or another key's."""
        if key not in self.raw:
            return None
        entry = Entry.from_map(self.raw[key])
        if entry.key != key:
            raise BadEntry(f"the entry of {key[:12]} says that it is {entry.key[:12]}")
        return entry


def encode_shard(generation: int, raw: Mapping[str, Any]) -> bytes:
    """The shard's bytes; `raw` maps each key to `Entry.to_map()`, or to what a decoded shard had there."""
    body: bytes = msgpack.packb({key: raw[key] for key in sorted(raw)})
    head = _HEADER.pack(MAGIC, VERSION, generation, len(body)) + body
    return head + hashlib.sha256(head).digest()


def decode_shard(data: bytes) -> Shard:
    """The shard in `data`. Raises BadShard for anything else, whatever the bytes are."""
    if len(data) < _HEADER.size + _TRAILER:
        raise BadShard(f"{len(data)} bytes are too short for a shard")
    magic, version, generation, length = _HEADER.unpack_from(data)
    if magic != MAGIC:
        raise BadShard("it does not start as a shard does")
    if version != VERSION:
        raise BadShard(f"its version is {version}, this reader knows {VERSION}")
    if length != len(data) - _HEADER.size - _TRAILER:
        raise BadShard(f"its length is {len(data)}, its header says {length + _HEADER.size + _TRAILER}")
    if hashlib.sha256(data[:-_TRAILER]).digest() != data[-_TRAILER:]:
        raise BadShard("its checksum does not match")
    try:
        raw = msgpack.unpackb(data[_HEADER.size : -_TRAILER], object_pairs_hook=_unique)
    except Exception as error:  # msgpack raises half a dozen unrelated kinds
        raise BadShard(f"its body is no msgpack: {error}") from error
    if not isinstance(raw, dict):
        raise BadShard(f"its body is {type(raw).__name__}, wanted a map")
    return Shard(generation, raw)


def _unique(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a map has a key twice")
    return found
