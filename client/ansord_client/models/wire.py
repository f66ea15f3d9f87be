"""An ONNX file without the bytes of its weights: protobuf's wire format, as far as that takes.

Called by `file`. Parsing the whole file would copy every weight twice, and tell nobody where it lies.
Source: Protocol Buffers, "Encoding"; the field numbers are those of onnx.proto.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass

Bytes = bytes | mmap.mmap

_GRAPH, _INITIALIZER, _NAME, _RAW = 7, 5, 8, 9
"""Fields of a model, a graph, a tensor, a tensor."""
_VARINT, _FIXED64, _MESSAGE, _FIXED32 = 0, 1, 2, 5
_SIZES = {_FIXED64: 8, _FIXED32: 4}


@dataclass(frozen=True, slots=True)
class Light:
    """A serialised model in which initializers lack their `raw_data`; `places` has [start, end) in the file
    for the name of each of these."""

    model: bytes
    places: dict[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class _Field:
    """`start`: of its key, `body` to `end`: of what it holds."""

    number: int
    wire: int
    start: int
    body: int
    end: int


def lightened(data: Bytes, least: int) -> Light | None:
    """The model in these bytes without weights of more than `least` bytes.

    None where its structure is not the plain one, or broken: whoever parses the whole can say what is wrong.
    """
    try:
        return _lightened(data, least)
    except (IndexError, ValueError):
        return None


def _lightened(data: Bytes, least: int) -> Light | None:
    graphs = [field for field in _fields(data, 0, len(data)) if field.number == _GRAPH]
    if len(graphs) != 1 or graphs[0].wire != _MESSAGE:  # protobuf would merge several
        return None
    places: dict[str, tuple[int, int]] = {}
    pieces: list[bytes] = []
    kept = graphs[0].body
    for field in _fields(data, graphs[0].body, graphs[0].end):
        if field.number != _INITIALIZER or field.wire != _MESSAGE or field.end - field.body <= least:
            continue
        inner = [one for one in _fields(data, field.body, field.end) if one.number in (_NAME, _RAW)]
        raw = [one for one in inner if one.number == _RAW]
        names = [one for one in inner if one.number == _NAME]
        if not raw or raw[0].end - raw[0].body <= least:
            continue
        if len(raw) > 1 or len(names) != 1 or raw[0].wire != _MESSAGE or names[0].wire != _MESSAGE:
            return None
        name = data[names[0].body : names[0].end].decode()
        if name in places:
            return None
        places[name] = raw[0].body, raw[0].end
        tensor = data[field.body : raw[0].start] + data[raw[0].end : field.end]
        pieces += [data[kept : field.start], _key(_INITIALIZER), _varint(len(tensor)), tensor]
        kept = field.end
    graph = b"".join([*pieces, data[kept : graphs[0].end]])
    before, after = data[: graphs[0].start], data[graphs[0].end :]
    return Light(b"".join([before, _key(_GRAPH), _varint(len(graph)), graph, after]), places)


def _fields(data: Bytes, at: int, end: int) -> Iterator[_Field]:
    """Those of a message. Raises ValueError or IndexError where it ends too early, or has groups."""
    while at < end:
        start = at
        key, at = _read(data, at)
        wire = key & 7
        if wire == _VARINT:
            body, (_, at) = at, _read(data, at)
        elif wire == _MESSAGE:
            length, body = _read(data, at)
            at = body + length
        else:
            body, at = at, at + _SIZES.get(wire, end)
        if at > end:
            raise ValueError("a field beyond the end of its message")
        yield _Field(key >> 3, wire, start, body, at)


def _read(data: Bytes, at: int) -> tuple[int, int]:
    """A number of 7 bits a byte, and where it ends."""
    value = shift = 0
    while shift < 64:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
    raise ValueError("a number of more than 64 bits")


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])


def _key(number: int) -> bytes:
    return _varint(number << 3 | _MESSAGE)
