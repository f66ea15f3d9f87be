"""FORMATS.md, chapters 4 and 5, say what the software does."""

from __future__ import annotations

import builtins
import dataclasses
import hashlib
import inspect
import re
import stat
import struct
import zlib
from pathlib import Path

import msgpack
import numpy as np
import pytest

import ansord_client
from ansord.store import Journal, Store
from ansord_client import Client, Kernel
from ansord_client.entry import SUMMARY, Entry
from ansord_client.host import Host, host
from ansord_client.shard import decode_shard
from tests.client.kernels import add, compiled, entry, entry_of, publish, subgraph

TEXT = (Path(__file__).parents[2] / "client" / "FORMATS.md").read_text()
CLIENT = TEXT.split("\n## 4. ")[1].split("\n## 5. ")[0]
CACHE = TEXT.split("\n## 5. ")[1].split("\n## 6. ")[0]
SG = subgraph(("x", [16], "float32"), name="dense_gelu")


def rows(chapter: str, head: str) -> list[list[str]]:
    """The cells of the table that starts with `head`."""
    table = chapter.split(head)[1].split("\n\n")[0].strip().split("\n")[1:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table]


def test_the_example_of_the_client_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sg = subgraph(("x", [16], "float32"), ("w", [16], "float32", True), ("b", [16], "float32", True))
    text = """RUN { const float *x = args[0], *w = args[1], *b = args[2]; float *y = args[3];
        for (int i = 0; i < 16; i++) y[i] = x[i] + w[i] + b[i]; return 0; }"""
    publish(tmp_path, sg, compiled(text))
    here = Client(cache=tmp_path)
    monkeypatch.setattr(ansord_client, "get_kernel", here.get_kernel)
    monkeypatch.setattr(ansord_client, "load_subgraph", lambda path: sg)
    x, w, b = (np.full(16, value, np.float32) for value in (1, 2, 4))
    names = {"x": x, "w": w, "b": b}
    code = re.search(r"```python\n(.*?)```", CLIENT, re.DOTALL)
    assert code
    exec(code[1], names)
    assert set(names["y"]) == {7}


def test_the_options_of_a_client_are_all_told() -> None:
    for name in inspect.signature(Client).parameters:
        assert f"{name}=…" in CLIENT, name
    told = [row[0].strip('`"') for row in rows(CLIENT, "| `on_miss` | on a miss |")]
    assert told == ["raise", "request", "wait", "reference"]
    for name in (*SUMMARY, "degraded"):
        assert name in TEXT, name
    for method in ("bind", "info"):
        assert hasattr(Kernel, method)
        assert method in CLIENT


def test_the_errors_are_what_they_are_said_to_be() -> None:
    sentence = CLIENT.split("Errors: ")[1]
    for name, kind in re.findall(r"`(\w+)` (?:is also )?an? `(\w+)`", sentence):
        assert issubclass(getattr(ansord_client, name), getattr(builtins, kind))
        assert issubclass(getattr(ansord_client, name), ansord_client.AnsordError)


def test_the_host_key_can_be_computed_from_the_text() -> None:
    one = Host("x86_64", ("avx2", "fma"), 4)
    lines = "\n".join(["ansord-host 1", "x86_64", "avx2 fma", "4"])
    assert one.key == f"x86_64-4t-{hashlib.sha256(lines.encode()).hexdigest()[:12]}"


def test_the_directory_looks_as_drawn(tmp_path: Path) -> None:
    code = compiled(add(1))
    publish(tmp_path, SG, code)
    one = entry_of(SG, code)
    drawn = re.findall(r"^DIR/(\S+)", CACHE, re.MULTILINE)
    names = {
        name.replace("SHA256", one.object)
        .replace("objects/ab", f"objects/{one.object[:2]}")
        .replace("HOST_KEY", host().key)
        .replace("ab.mpk", f"{SG.key[:2]}.mpk")
        .rstrip("/")
        for name in drawn
    }
    there = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")}
    parents = {str(parent) for name in names for parent in Path(name).parents} - {"."}
    assert there == names | parents
    for name in there:
        mode = stat.S_IMODE((tmp_path / name).stat().st_mode)
        wanted = "0755" if (tmp_path / name).is_dir() else "0600" if name == "v1/lock" else "0444"
        assert f"{mode:04o}" == wanted
        assert wanted in CACHE


def test_a_shard_can_be_read_from_the_text(tmp_path: Path) -> None:
    code = compiled(add(1))
    publish(tmp_path, SG, code)
    data = (tmp_path / "v1/index" / host().key / f"{SG.key[:2]}.mpk").read_bytes()
    sizes = [row[0] for row in rows(CACHE, "| bytes | what |")]
    assert sizes == ["13", "1", "8", "8", "length", "32"]
    magic, version, generation, length = struct.unpack_from("<13sBQQ", data)
    assert (magic, version) == (b"ansord-shard\n", 1)
    assert generation == decode_shard(data).generation
    body = data[30 : 30 + length]
    assert data[30 + length :] == hashlib.sha256(data[: 30 + length]).digest()
    assert msgpack.unpackb(body)[SG.key]["object"] == entry_of(SG, code).object


def test_the_fields_of_an_entry_are_all_told_with_their_defaults() -> None:
    told: dict[str, str] = {}
    for names, default, _ in rows(CACHE, "| field | default | what |"):
        fields = re.findall(r"`(\w+)`", names)
        defaults = re.split(r", (?![^\[]*\])", default) if default else [""] * len(fields)
        told |= dict(zip(fields, defaults * (len(fields) // len(defaults)), strict=True))
    assert list(told) == [one.name for one in dataclasses.fields(Entry)]
    bare = entry(b"x")
    fresh = Entry(*[getattr(bare, name) for name, default in told.items() if not default])
    shown = {"0": 0, "64": 64, "false": False, "{}": {}, "[0, 0]": (0.0, 0.0), '""': "", '"fast"': "fast"}
    shown['"compute"'] = "compute"
    for name, default in told.items():
        if default:
            assert getattr(fresh, name) == shown[default], name


def test_the_journal_can_be_read_from_the_text(tmp_path: Path) -> None:
    with Journal(tmp_path / "records.log") as journal:
        journal.append(b"payload")
    data = (tmp_path / "records.log").read_bytes()
    length, crc = struct.unpack_from("<II", data)
    assert data[8:] == b"payload"
    assert (length, crc) == (7, zlib.crc32(data[:4] + data[8:]))


def test_the_grace_is_a_day() -> None:
    assert inspect.signature(Store.collect).parameters["grace_s"].default == 24 * 3600
    assert "24 hours" in CACHE
