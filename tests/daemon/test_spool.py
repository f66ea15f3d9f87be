"""The spool under crashes at every system call, races over a name, hostile names and no files at all."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansord.daemon import files, spool
from ansord.daemon.spool import DONE, FAILED, LARGEST, Drop, Seen, Spool
from ansord_client.errors import BadConfig

RESULT = {"schema_version": 1, "latency_us": 12.5}
ERROR = {"schema_version": 1, "cause": "shape"}


def tree(inbox: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(inbox)): path.read_bytes()
        for path in sorted(inbox.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def claim(box: Spool, name: str) -> Drop:
    return box.claim(name, box.read(name))


def seen(box: Spool, name: str) -> Seen:
    return next(one for one in box.look() if one.name == name)


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    return tmp_path / "inbox"


def test_a_drop_walks_from_the_inbox_to_done(inbox: Path) -> None:
    box = Spool(inbox)
    (inbox / "a.json").write_bytes(b"{}")
    drop = claim(box, "a")
    assert drop.data == b"{}" and [path for path in tree(inbox)] == [f".work/{drop.work_name}"]
    box.settle(drop, DONE, RESULT)
    assert tree(inbox) == {
        "done/a.json": b"{}",
        "done/a.result.json": json.dumps(RESULT, indent=2).encode() + b"\n",
    }


def test_the_newest_drop_of_a_name_owns_both_folders(inbox: Path) -> None:
    box = Spool(inbox)
    for text, folder, record in ((b"[1]", DONE, RESULT), (b"[2]", FAILED, ERROR), (b"[3]", DONE, RESULT)):
        (inbox / "a.json").write_bytes(text)
        drop = claim(box, "a")
        assert len(tree(inbox)) == 1, "while a drop is in work, neither folder says anything about its name"
        box.settle(drop, folder, record)
        assert tree(inbox)[f"{folder}/a.json"] == text and len(tree(inbox)) == 2


def test_an_older_drop_of_a_name_writes_no_files(inbox: Path) -> None:
    box = Spool(inbox)
    (inbox / "a.json").write_bytes(b"[1]")
    older = claim(box, "a")
    (inbox / "a.json").write_bytes(b"[2]")
    newer = claim(box, "a")
    box.settle(newer, DONE, RESULT)
    box.settle(older, FAILED, ERROR)
    assert sorted(tree(inbox)) == ["done/a.json", "done/a.result.json"]
    assert tree(inbox)["done/a.json"] == b"[2]"


def test_age_is_remembered_over_a_restart(inbox: Path) -> None:
    box = Spool(inbox)
    (inbox / "a.json").write_bytes(b"[1]")
    claim(box, "a")
    (inbox / "a.json").write_bytes(b"[2]")
    box.settle(claim(box, "a"), DONE, RESULT)
    (left,) = Spool(inbox).recover()
    assert left.data == b"[1]" and not left.owner
    again = Spool(inbox)
    again.settle(again.recover()[0], FAILED, ERROR)
    assert tree(inbox)["done/a.json"] == b"[2]" and len(tree(inbox)) == 2


def test_bytes_dropped_over_a_name_during_its_claim_are_the_next_drop(inbox: Path) -> None:
    box = Spool(inbox)
    (inbox / "a.json").write_bytes(b"[1]")
    data = box.read("a")
    (inbox / "b").write_bytes(b"[2]")
    os.rename(inbox / "b", inbox / "a.json")
    assert box.claim("a", data).data == b"[1]"
    assert claim(box, "a").data == b"[2]"
    assert not (inbox / "a.json").exists()


def test_a_name_taken_away_during_its_claim_is_a_drop_all_the_same(inbox: Path) -> None:
    box = Spool(inbox)
    (inbox / "a.json").write_bytes(b"[1]")
    data = box.read("a")
    (inbox / "a.json").unlink()
    box.settle(box.claim("a", data), DONE, RESULT)
    assert "done/a.json" in tree(inbox)


def test_a_hard_link_leaves_its_other_name_alone(inbox: Path, tmp_path: Path) -> None:
    box = Spool(inbox)
    (tmp_path / "mine").write_bytes(b"{}")
    os.link(tmp_path / "mine", inbox / "a.json")
    drop = claim(box, "a")
    (tmp_path / "mine").write_bytes(b"changed")
    box.settle(drop, DONE, RESULT)
    assert tree(inbox)["done/a.json"] == b"{}" and (tmp_path / "mine").read_bytes() == b"changed"


class Crash(BaseException):
    pass


class Brittle:
    """`os`, failing at the n-th call that touches the disk."""

    TOUCHES = frozenset({"open", "write", "fsync", "rename", "unlink", "link", "mkdir"})

    def __init__(self, fail_at: int, error: Callable[[], BaseException]) -> None:
        self.left, self.error = fail_at, error

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        if name not in self.TOUCHES:
            return real

        def call(*args: Any, **keywords: Any) -> Any:
            self.left -= 1
            if self.left == 0:
                raise self.error()
            return real(*args, **keywords)

        return call


def life(inbox: Path) -> None:
    """Two drops under one name and one under another: one refused, the rest settled."""
    box = Spool(inbox)
    drops = [*box.recover(), *(claim(box, one.name) for one in box.look())]
    for drop in drops:
        box.settle(drop, FAILED if drop.name == "bad" else DONE, ERROR if drop.name == "bad" else RESULT)


def test_nothing_is_lost_by_a_crash_at_any_step(inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crashes = 0
    for step in range(1, 400):
        root = inbox / str(step)
        Spool(root).close()
        (root / "good.json").write_bytes(b"[1]")
        (root / "bad.json").write_bytes(b"[2]")
        (root / "done/bad.json").write_bytes(b"[0]")
        (root / "done/bad.result.json").write_bytes(b"old")
        brittle = Brittle(step, Crash)
        with monkeypatch.context() as patch:
            patch.setattr(spool, "os", brittle)
            patch.setattr(files, "os", brittle)
            try:
                life(root)
            except Crash:
                crashes += 1
        life(root)
        assert sorted(tree(root)) == [
            "done/good.json", "done/good.result.json", "failed/bad.error.json", "failed/bad.json",
        ], step  # fmt: skip
        assert tree(root)["done/good.json"] == b"[1]" and tree(root)["failed/bad.json"] == b"[2]"
        if brittle.left > 0:
            break
    assert crashes > 30


def test_a_full_disk_leaves_the_drop_where_it_is(inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every system call fails once with ENOSPC in the same process; trying again is enough."""
    for step in range(1, 60):
        root = inbox / str(step)
        box = Spool(root)
        (root / "good.json").write_bytes(b"[1]")
        brittle = Brittle(step, lambda: OSError(28, "No space left on device"))
        drop = None
        with monkeypatch.context() as patch:
            patch.setattr(spool, "os", brittle)
            patch.setattr(files, "os", brittle)
            try:
                drop = claim(box, "good")
                box.settle(drop, DONE, RESULT)
            except OSError:
                pass
        if (root / "good.json").exists():
            drop = claim(box, "good")
        assert drop is not None
        box.settle(drop, DONE, RESULT)
        left = [name for name in tree(root) if not name.endswith(".tmp")]
        assert sorted(left) == ["done/good.json", "done/good.result.json"], step
        box.close()


def test_bytes_are_on_the_disk_before_a_name_goes(inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    box = Spool(inbox)
    (inbox / "a.json").write_bytes(b"{}")
    data, calls = box.read("a"), []

    class Listening(Brittle):
        def __getattr__(self, name: str) -> Any:
            real = getattr(os, name)
            if name not in self.TOUCHES:
                return real

            def call(*args: Any, **keywords: Any) -> Any:
                calls.append(f"{name} {args[0]}" if isinstance(args[0], str) else name)
                return real(*args, **keywords)

            return call

    listening = Listening(0, Crash)
    monkeypatch.setattr(spool, "os", listening)
    monkeypatch.setattr(files, "os", listening)
    drop = box.claim("a", data)
    gone = calls.index("rename a.json")
    kept = calls.index("rename 0.tmp")
    assert calls[:kept].count("fsync") == 1, "the copy before its name"
    assert calls[kept:gone].count("fsync") == 1, "the directory before the old name goes"
    calls.clear()
    box.settle(drop, DONE, RESULT)
    assert calls.index("fsync") < calls.index("rename 1.tmp") < calls.index("rename 2.tmp")
    assert "fsync" in calls[calls.index("rename 2.tmp") : calls.index(f"unlink {drop.work_name}")]


@pytest.mark.parametrize(
    "name",
    ["with space", "new\nline", "ünïcode", "-rf", "a" * 250, "x.result", "x.error", "\udcff\udcfe", "%s{}"],
)
def test_names_of_every_kind_survive(inbox: Path, name: str) -> None:
    box = Spool(inbox)
    (inbox / f"{name}.json").write_bytes(b"{}")
    (inbox / "x.json").write_bytes(b"[]")
    assert {one.name for one in box.look()} == {name, "x"}
    claim(box, name)
    (drop,) = Spool(inbox).recover()
    assert drop.name == name
    box.settle(drop, FAILED, ERROR)
    box.settle(claim(box, "x"), FAILED, ERROR)
    found = tree(inbox)
    assert len(found) == 4 and found["failed/x.json"] == b"[]"
    assert json.loads(found["failed/x.error.json"]) == ERROR


def make_strange(kind: str, path: Path) -> None:
    if kind == "a symbolic link":
        path.symlink_to("/etc/passwd")
    elif kind == "a FIFO":
        os.mkfifo(path)
    elif kind == "a directory":
        path.mkdir()
        (path / "inside").write_bytes(b"mine")
    else:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))


@pytest.mark.parametrize("kind", ["a symbolic link", "a FIFO", "a directory", "a socket"])
def test_what_is_no_file_is_refused_without_being_opened(inbox: Path, kind: str) -> None:
    box = Spool(inbox)
    make_strange(kind, inbox / "s.json")
    one = seen(box, "s")
    assert one.strange == kind
    box.refuse(one, ERROR)
    assert not os.path.lexists(inbox / "s.json")
    assert json.loads((inbox / "failed/s.error.json").read_bytes()) == ERROR
    kept = inbox / "failed/s.json"
    assert (kept / "inside").exists() if kind == "a directory" else not os.path.lexists(kept)
    (inbox / "s.json").write_bytes(b"{}")
    box.settle(claim(box, "s"), DONE, RESULT)
    assert sorted(tree(inbox)) == ["done/s.json", "done/s.result.json"]


def test_a_link_or_fifo_swapped_in_after_the_look_is_not_followed(inbox: Path) -> None:
    box = Spool(inbox)
    for kind in ("a symbolic link", "a FIFO", "a directory"):
        make_strange(kind, inbox / f"{kind}.json")
        with pytest.raises(OSError):
            box.read(kind)


def test_too_large_a_file_moves_as_it_is(inbox: Path) -> None:
    box = Spool(inbox)
    (inbox / "big.json").write_bytes(b"0" * (LARGEST + 10))
    assert len(box.read("big")) == LARGEST + 1
    box.refuse(seen(box, "big"), ERROR)
    assert (inbox / "failed/big.json").stat().st_size == LARGEST + 10


def test_other_names_are_left_alone(inbox: Path) -> None:
    box = Spool(inbox)
    for name in (".hidden.json", ".json", "readme.txt", "a.json.part"):
        (inbox / name).write_bytes(b"{}")
    assert box.look() == []


def test_settled_drops_are_kept_for_their_time(inbox: Path) -> None:
    box = Spool(inbox)
    (inbox / "a.json").write_bytes(b"{}")
    box.settle(claim(box, "a"), DONE, RESULT)
    assert box.purge(older_than=60) == 0
    time.sleep(0.02)
    assert box.purge(older_than=0.01) == 2 and tree(inbox) == {}


def test_folders_that_are_links_are_refused(inbox: Path, tmp_path: Path) -> None:
    inbox.mkdir()
    (inbox / "done").symlink_to(tmp_path)
    with pytest.raises(BadConfig, match="done"):
        Spool(inbox)


def test_a_replaced_inbox_is_noticed(inbox: Path) -> None:
    box = Spool(inbox)
    assert not box.moved()
    inbox.rename(inbox.with_name("old"))
    assert box.moved()
    inbox.mkdir()
    assert box.moved()


def test_foreign_files_in_the_work_folder_do_not_stop_a_start(inbox: Path) -> None:
    Spool(inbox).close()
    for name in ("x.drop", "0000000000000007.drop", "y.aside", "z.old", "noise"):
        (inbox / ".work" / name).write_bytes(b"not a header")
    assert Spool(inbox).recover() == []
