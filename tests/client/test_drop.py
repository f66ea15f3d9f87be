"""A drop appears whole or not at all, and replaces nothing."""

from __future__ import annotations

import json
import os
import stat
import threading
from pathlib import Path

import pytest

from ansord_client import TuningFailed
from ansord_client import drop as drop_module
from ansord_client import request as request_module
from ansord_client.drop import drop
from ansord_client.request import raise_failure, request
from tests.client.kernels import subgraph

SG = subgraph(("x", [16], "float32"))


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_module, "_asked", {})


def test_a_drop_lies_there_for_all_to_read(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        assert drop(tmp_path / "in", "a.json", b"{}")
    finally:
        os.umask(before)
    path = tmp_path / "in" / "a.json"
    assert path.read_bytes() == b"{}"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert path.stat().st_nlink == 1
    assert [one.name for one in (tmp_path / "in").iterdir()] == ["a.json"]


def test_a_drop_replaces_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("first")
    (tmp_path / "b.json").symlink_to("nowhere")
    assert not drop(tmp_path, "a.json", b"second")
    assert not drop(tmp_path, "b.json", b"second")
    assert (tmp_path / "a.json").read_text() == "first"
    assert len(list(tmp_path.iterdir())) == 2


def test_one_of_many_wins_and_is_whole(tmp_path: Path) -> None:
    won: list[int] = []

    def work(number: int) -> None:
        if drop(tmp_path, "a.json", b"%d" % number * 10_000):
            won.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(won) == 1
    assert (tmp_path / "a.json").read_bytes() == b"%d" % won[0] * 10_000


def test_a_file_system_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*arguments: object, **more: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(drop_module.os, "link", refused)
    assert drop(tmp_path, "a.json", b"first")
    assert not drop(tmp_path, "a.json", b"second")
    assert (tmp_path / "a.json").read_bytes() == b"first"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_failed_drop_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(drop_module.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        drop(tmp_path, "a.json", b"{}")
    assert list(tmp_path.iterdir()) == []


def test_a_subgraph_is_asked_for_once_in_ten_minutes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(request_module.time, "monotonic", lambda: now[0])
    path = tmp_path / f"{SG.key}.json"
    request(tmp_path, SG)
    assert json.loads(path.read_bytes()) == SG.to_dict()
    path.unlink()  # claimed
    now[0] += 599
    request(tmp_path, SG)
    assert not path.exists()
    request(tmp_path / "other", SG)
    assert (tmp_path / "other" / path.name).exists()
    now[0] += 2
    request(tmp_path, SG)
    assert path.exists()


def fail(inbox: Path, **more: str) -> None:
    (inbox / "failed").mkdir(exist_ok=True)
    temporary = inbox / "failed" / ".x"
    error = {"path": "$.nodes[0]", "found": "a", "wanted": "b", "cause": "shape", "hint": "try c", **more}
    temporary.write_text(json.dumps(error))
    temporary.rename(inbox / "failed" / f"{SG.key}.error.json")


def test_only_a_failure_since_the_request_counts(tmp_path: Path) -> None:
    fail(tmp_path)
    raise_failure(tmp_path, SG.key)
    request(tmp_path, SG)
    raise_failure(tmp_path, SG.key)
    fail(tmp_path, cause="axis")
    with pytest.raises(TuningFailed, match=r"\$\.nodes\[0\]: axis: found a, wanted b; try c"):
        raise_failure(tmp_path, SG.key)
    request(tmp_path, SG)  # within ten minutes: not asked again, so the answer stands
    with pytest.raises(TuningFailed):
        raise_failure(tmp_path, SG.key)


@pytest.mark.parametrize("text", ["", "[]", "{}", "nonsense", '{"cause": 1}'])
def test_a_failure_that_cannot_be_read_is_one(tmp_path: Path, text: str) -> None:
    request(tmp_path, SG)
    (tmp_path / "failed").mkdir()
    (tmp_path / "failed" / f"{SG.key}.error.json").write_text(text)
    with pytest.raises(TuningFailed, match="error.json"):
        raise_failure(tmp_path, SG.key)
