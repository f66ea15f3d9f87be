"""The codec of entries and shards: exact both ways, and deaf to anything else."""

from __future__ import annotations

import dataclasses
import hashlib
import struct
from pathlib import Path
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansord_client.entry import SUMMARY, BadEntry, Entry
from ansord_client.host import host
from ansord_client.lookup import Cache, find
from ansord_client.shard import BadShard, decode_shard, encode_shard
from tests.client.kernels import entry

KEY = "ab" + "0" * 62
FULL = entry(
    b"code",
    inputs=(((1, 2), "float32", False), ((), "int8", True)),
    outputs=(((3,), "bool"), ((4,), "int64")),
    packed_bytes=7,
    provenance={"compiler": "gcc 12", "builders": 2, "final": True, "share": 0.5},
)


def test_an_entry_survives_the_trip() -> None:
    shard = decode_shard(encode_shard(17, {KEY: FULL.to_map()}))
    assert shard.generation == 17
    assert shard.entry(KEY) == FULL
    assert shard.entry("cd" + "0" * 62) is None


def test_fields_of_the_future_are_passed_over_and_kept() -> None:
    raw = {**FULL.to_map(), "colour": "blue"}
    shard = decode_shard(encode_shard(1, {KEY: raw}))
    assert shard.entry(KEY) == FULL
    assert decode_shard(encode_shard(2, shard.raw)).raw[KEY]["colour"] == "blue"


def test_the_summary_has_the_fields_of_a_result() -> None:
    summary = FULL.summary("conv", "f" * 64)
    assert tuple(summary) == SUMMARY
    assert summary["schema_version"] == 1
    assert (summary["name"], summary["drop_sha256"], summary["key"]) == ("conv", "f" * 64, KEY)
    assert summary["latency_ci_us"] == [1.4, 1.6]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("key", "short"),
        ("object", None),
        ("size", -1),
        ("size", True),
        ("threads", 0),
        ("isa", "avx2"),
        ("isa", [1]),
        ("inputs", [[[0], "float32", False]]),
        ("inputs", [[[1], "float32"]]),
        ("inputs", 5),
        ("outputs", []),
        ("packed_bytes", 1 << 60),
        ("packed_align", 0),
        ("scratch_align", 96),
        ("scratch_bytes", 1.5),
        ("latency_us", float("nan")),
        ("latency_ci_us", [1.0]),
        ("relaxed", 1),
        ("provenance", {"a": [1]}),
        ("finished", "today"),
    ],
)
def test_a_field_that_does_not_fit_is_refused(field: str, value: Any) -> None:
    raw = msgpack.unpackb(msgpack.packb({**FULL.to_map(), field: value}))
    with pytest.raises(BadEntry, match=field):
        Entry.from_map(raw)


def test_a_missing_field_is_refused_or_has_its_default() -> None:
    raw = msgpack.unpackb(msgpack.packb(FULL.to_map()))
    optional = {one.name for one in dataclasses.fields(Entry) if one.default is not dataclasses.MISSING}
    for name in raw:
        rest = {one: value for one, value in raw.items() if one != name}
        if name in optional | {"provenance"}:
            Entry.from_map(rest)
        else:
            with pytest.raises(BadEntry, match=name):
                Entry.from_map(rest)
    for rubbish in (None, 3, [], "entry", b""):
        with pytest.raises(BadEntry):
            Entry.from_map(rubbish)


def test_any_changed_byte_of_a_shard_is_a_miss_and_never_an_error(tmp_path: Path) -> None:
    whole = encode_shard(3, {KEY: FULL.to_map()})
    folder = tmp_path / "v1" / "index" / host().key
    folder.mkdir(parents=True)
    path = folder / "ab.mpk"
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 0xFF
        path.write_bytes(changed)
        found = find([Cache(tmp_path, "ansord")], KEY, host())
        assert found.hit is None
        assert str(path) in found.reason
    for length in range(len(whole)):
        with pytest.raises(BadShard):
            decode_shard(whole[:length])
    path.write_bytes(whole)
    assert find([Cache(tmp_path, "ansord")], KEY, host()).hit is not None


@given(st.binary(max_size=300))
def test_rubbish_is_no_shard(data: bytes) -> None:
    with pytest.raises(BadShard):
        decode_shard(data)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3) | st.floats(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    )
)
def test_a_shard_with_a_good_checksum_and_any_content_raises_nothing_else(body: Any) -> None:
    data = encode_shard(1, {KEY: body})
    with pytest.raises(BadEntry):
        decode_shard(data).entry(KEY)


def test_a_body_that_is_no_map_or_names_a_key_twice_is_refused() -> None:
    for body in (msgpack.packb([1]), b"\x82\xa1a\x01\xa1a\x02", b"\xc1"):
        head = struct.pack("<13sBQQ", b"ansord-shard\n", 1, 1, len(body)) + body
        with pytest.raises(BadShard):
            decode_shard(head + hashlib.sha256(head).digest())


def test_a_shard_of_another_version_is_refused_with_both_versions() -> None:
    changed = bytearray(encode_shard(1, {}))
    changed[13] = 9
    changed[-32:] = hashlib.sha256(bytes(changed[:-32])).digest()
    with pytest.raises(BadShard, match="version is 9"):
        decode_shard(bytes(changed))
