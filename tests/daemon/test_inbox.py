"""The inbox service on a real directory with real inotify: what is taken, what waits, what is refused."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from ansord.daemon import watch
from ansord.daemon.inbox import Inbox, whole
from ansord.daemon.settings import Settings
from ansord.daemon.spool import LARGEST, Drop, Spool
from ansord_client.errors import BadSubgraph
from ansord_client.subgraph import Subgraph
from tests.daemon.tiny import text


class Taken:
    """What the inbox handed on."""

    def __init__(self) -> None:
        self.all: dict[str, Subgraph | BadSubgraph] = {}
        self.drops: list[Drop] = []

    def take(self, drop: Drop, read_as: Subgraph | BadSubgraph) -> None:
        self.all[drop.name] = read_as
        self.drops.append(drop)


@asynccontextmanager
async def inbox(
    path: Path, closed_s: float = 0.05, unchanged_s: float = 60.0, rescan_s: float = 60.0
) -> AsyncIterator[tuple[Inbox, Taken]]:
    """A running inbox service, past its first scan."""
    settings = Settings(path.parent / "cache", path, path.parent / "state", rescan_seconds=rescan_s)
    taken = Taken()
    service = Inbox(Spool(path), lambda: settings, taken.take, lambda: None, closed_s, unchanged_s)
    async with anyio.create_task_group() as group:
        group.start_soon(service.run)
        await until(lambda: service.pending is not None)
        yield service, taken
        group.cancel_scope.cancel()


async def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    with anyio.fail_after(seconds):
        while not condition():
            await anyio.sleep(0.005)


@pytest.fixture
def box(tmp_path: Path) -> Path:
    path = tmp_path / "inbox"
    path.mkdir()
    return path


def copy(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def move(path: Path, data: bytes) -> None:
    outside = path.parent.parent / "outside"
    outside.write_bytes(data)
    outside.rename(path)


def link(path: Path, data: bytes) -> None:
    outside = path.parent.parent / "outside"
    outside.write_bytes(data)
    os.link(outside, path)


def editor(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.swp")
    temporary.write_bytes(data)
    temporary.replace(path)


def trickle(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        for start in range(0, len(data), 40):
            file.write(data[start : start + 40])
            file.flush()


@pytest.mark.asyncio
@pytest.mark.parametrize("way", [copy, move, link, editor, trickle])
async def test_a_drop_in_any_way_is_taken_at_once(box: Path, way: Callable[[Path, bytes], None]) -> None:
    async with inbox(box) as (_, taken):
        started = time.monotonic()
        way(box / "a.json", text())
        await until(lambda: taken.drops)
        assert time.monotonic() - started < 2
        assert isinstance(taken.all["a"], Subgraph) and not (box / "a.json").exists()


@pytest.mark.asyncio
async def test_what_was_there_before_the_start_is_taken(box: Path) -> None:
    (box / "a.json").write_bytes(text())
    async with inbox(box) as (_, taken):
        assert list(taken.all) == ["a"]


@pytest.mark.asyncio
async def test_a_half_written_file_is_never_taken(box: Path) -> None:
    data = text()
    async with inbox(box) as (service, taken):
        with (box / "a.json").open("wb") as file:
            for cut in (0, 1, len(data) // 2, len(data) - 1):
                file.seek(0)
                file.write(data[:cut])
                file.flush()
                await until(lambda: service.pending == 1)
                await anyio.sleep(0.15)
                assert not taken.drops, cut
            file.write(data[-1:])
            file.flush()
            await until(lambda: taken.drops)
        assert isinstance(taken.all["a"], Subgraph)


@pytest.mark.asyncio
async def test_a_whole_value_is_taken_although_its_writer_holds_it_open(box: Path) -> None:
    async with inbox(box) as (_, taken):
        with (box / "a.json").open("wb") as file:
            file.write(text())
            file.flush()
            await until(lambda: taken.drops)


@pytest.mark.asyncio
async def test_what_does_not_parse_fails_after_its_close(box: Path) -> None:
    async with inbox(box) as (_, taken):
        (box / "a.json").write_bytes(text()[:-1])
        await until(lambda: taken.drops)
        assert isinstance(taken.all["a"], BadSubgraph)


@pytest.mark.asyncio
async def test_a_close_leaves_a_moment_to_open_it_again(box: Path) -> None:
    data = text()
    async with inbox(box, closed_s=0.5) as (service, taken):
        (box / "a.json").write_bytes(data[:10])
        await until(lambda: service.pending == 1)
        with (box / "a.json").open("ab") as file:
            file.write(data[10:])
        await until(lambda: taken.drops)
        assert isinstance(taken.all["a"], Subgraph)


@pytest.mark.asyncio
async def test_what_nobody_saw_closed_fails_when_it_does_not_change(box: Path) -> None:
    async with inbox(box, unchanged_s=0.3) as (_, taken):
        move(box / "a.json", b"{")
        await anyio.sleep(0.15)
        assert not taken.drops
        await until(lambda: taken.drops)
        assert isinstance(taken.all["a"], BadSubgraph)


@pytest.mark.asyncio
async def test_the_close_of_an_earlier_file_says_nothing_of_a_later_one(box: Path) -> None:
    async with inbox(box) as (service, taken):
        (box / "a.json").write_bytes(text())
        await until(lambda: taken.drops)
        move(box / "a.json", b"{")
        await until(lambda: service.pending == 1)
        await anyio.sleep(0.3)
        assert len(taken.drops) == 1


HOSTILE = {
    "empty": b"",
    "binary": bytes(range(256)),
    "utf16": text().decode().encode("utf-16"),
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "twice": b'{"ansord": 1, "ansord": 1}',
    "nan": b'{"ansord": NaN}',
    "huge_number": b'{"ansord": ' + b"9" * 100_000 + b"}",
    "array": b"[1, 2]",
    "two_values": b"{} {}",
    "unknown": text(surprise=1),
    "surrogate": b'{"ansord": "\\ud800"}',
    "nul": b"\0" * 1000,
    "long_key": b'{"' + b"k" * 200_000 + b'": 1}',
}


@pytest.mark.asyncio
async def test_hostile_drops_are_read_as_bad_and_stop_nothing(box: Path) -> None:
    async with inbox(box) as (_, taken):
        for name, data in HOSTILE.items():
            (box / f"{name}.json").write_bytes(data)
        (box / "good.json").write_bytes(text())
        await until(lambda: len(taken.drops) == len(HOSTILE) + 1)
    assert isinstance(taken.all.pop("good"), Subgraph)
    for name, error in taken.all.items():
        assert isinstance(error, BadSubgraph) and error.found and error.wanted, name
        assert error.cause != "internal error", name


@pytest.mark.asyncio
async def test_what_is_no_file_is_refused_and_stops_nothing(box: Path) -> None:
    (box.parent / "secret.json").write_bytes(text())
    async with inbox(box) as (service, taken):
        (box / "link.json").symlink_to(box.parent / "secret.json")
        (box / "dangling.json").symlink_to("nowhere")
        os.mkfifo(box / "fifo.json")
        (box / "dir.json").mkdir()
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(box / "socket.json"))
        (box / "big.json").write_bytes(b" " * (LARGEST + 1))
        (box / "good.json").write_bytes(text())
        await until(lambda: taken.drops and service.refused == 6)
        assert list(taken.all) == ["good"]
    assert not list(box.glob("*.json"))
    for name in ("link", "dangling", "fifo", "dir", "socket", "big"):
        error = json.loads((box / f"failed/{name}.error.json").read_bytes())
        assert error["schema_version"] == 1 and error["wanted"] and error["drop_sha256"] is None
    assert (
        str(box.parent / "secret.json") in json.loads((box / "failed/link.error.json").read_bytes())["found"]
    )


@pytest.mark.asyncio
async def test_a_device_is_refused(box: Path) -> None:
    try:
        os.mknod(box / "null.json", 0o666 | 0o020000, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("only root makes devices")
    async with inbox(box) as (service, taken):
        await until(lambda: service.refused)
        assert not taken.drops and not (box / "null.json").exists()


@pytest.mark.asyncio
async def test_other_names_are_nobodys_business(box: Path) -> None:
    async with inbox(box) as (service, taken):
        for name in (".a.json", "a.txt", "b.json~", ".json"):
            (box / name).write_bytes(text())
        (box / "z.json").write_bytes(text())
        await until(lambda: taken.drops)
        assert list(taken.all) == ["z"] and service.pending == 0


@pytest.mark.asyncio
async def test_an_event_queue_that_overflows_loses_nothing(
    box: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The handler's thread stands still while more is dropped than any queue of hints would hold."""
    monkeypatch.setattr(watch._Hints, "dispatch", lambda self, event: None)  # every hint is lost
    async with inbox(box, rescan_s=0.2) as (_, taken):
        for number in range(300):
            (box / f"{number}.json").write_bytes(text(number + 1))
        await until(lambda: len(taken.drops) == 300, 30)


@pytest.mark.asyncio
async def test_an_overflow_is_counted_and_looked_after(box: Path) -> None:
    import logging

    async with inbox(box) as (service, _):
        before = service.beat
        logging.getLogger("watchdog.observers.inotify_c").warning(
            "Inotify queue overflowed; events were lost"
        )
        await until(lambda: service.beat > before)
    assert service.overflows == 1


@pytest.mark.asyncio
async def test_a_handler_that_raises_does_not_end_the_watch(
    box: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with inbox(box) as (_, taken):
        monkeypatch.setattr(watch, "os", None)
        (box / "a.json").write_bytes(text())
        await until(lambda: taken.drops)
        monkeypatch.undo()
        (box / "b.json").write_bytes(text())
        await until(lambda: len(taken.drops) == 2)


@pytest.mark.asyncio
async def test_a_dead_watch_and_a_replaced_inbox_are_noticed(
    box: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ansord.daemon.inbox.HEALTH_S", 0.05)
    async with inbox(box) as (_, taken):
        box.rename(box.with_name("old"))
        box.mkdir()
        await anyio.sleep(0.3)
        (box / "a.json").write_bytes(text())
        await until(lambda: taken.drops)
        assert not (box / "a.json").exists() and (box / ".work").is_dir()


@pytest.mark.asyncio
async def test_without_inotify_it_scans(box: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: watch.Watch) -> None:
        raise OSError(24, "inotify instance limit reached")

    monkeypatch.setattr(watch.Watch, "start", refuse)
    monkeypatch.setattr("ansord.daemon.inbox.BLIND_S", 0.1)
    async with inbox(box) as (_, taken):
        (box / "a.json").write_bytes(text())
        await until(lambda: taken.drops)


@pytest.mark.asyncio
async def test_a_second_life_hands_on_what_the_first_claimed_and_lost(box: Path) -> None:
    spool = Spool(box)
    (box / "a.json").write_bytes(text())
    spool.claim("a", spool.read("a"))
    async with inbox(box) as (_, taken):
        assert [drop.name for drop in taken.drops] == ["a"]


def test_which_file_systems_are_remote(tmp_path: Path) -> None:
    device = os.stat(tmp_path).st_dev
    mounts = tmp_path / "mountinfo"
    for kind, remote in (("ext4", False), ("nfs4", True), ("fuse.sshfs", True), ("tmpfs", False)):
        where = f"{os.major(device)}:{os.minor(device)}"
        mounts.write_text(f"1 1 0:1 / / rw - proc proc rw\n2 1 {where} / / rw shared:1 - {kind} x rw\n")
        assert watch.is_remote(tmp_path, mounts) is remote


@pytest.mark.parametrize(
    ("data", "is_whole"),
    [
        (b"{}", True),
        (b" [1] \n", True),
        (b'"x"', True),
        (b"{", False),
        (b"", False),
        (b"{}{}", False),
        (b"\xff", False),
    ],
)
def test_what_is_one_json_value(data: bytes, is_whole: bool) -> None:
    assert whole(data) is is_whole
