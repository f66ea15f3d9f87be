"""Whole daemon processes: signals, deaths, restarts, two of them, the status that tells the truth."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansord.daemon import holder, read_status
from ansord.daemon.notify import notify
from tests.daemon.tiny import text, until

TINY = Path(__file__).with_name("tiny.py")


class Daemon:
    """A daemon process on directories of its own."""

    def __init__(self, root: Path) -> None:
        self.inbox, self.state = root / "inbox", root / "state"
        self.process: subprocess.Popen[bytes] | None = None
        self.log = root / "log"
        for path in (self.inbox, self.state):
            path.mkdir()

    def start(self, *flags: str, environ: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(TINY), str(self.inbox), str(self.state), *flags]
        path = {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stderr=log, stdout=log, env=dict(os.environ) | path | (environ or {})
            )
        return self.process

    def up(self, *flags: str, environ: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
        process = self.start(*flags, environ=environ)
        until(lambda: (self.status() or {}).get("state") in ("idle", "tuning"))
        return process

    def status(self) -> dict[str, Any] | None:
        return read_status(self.state)

    def drop(self, name: str, data: bytes) -> None:
        temporary = self.inbox / f".{name}"
        temporary.write_bytes(data)
        temporary.rename(self.inbox / f"{name}.json")

    def result(self, name: str) -> Path:
        return self.inbox / f"done/{name}.result.json"

    def trials(self) -> int:
        notes = self.state / "trials"
        return len(notes.read_text().split()) if notes.exists() else 0


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    one = Daemon(tmp_path)
    yield one
    if one.process is not None and one.process.poll() is None:
        one.process.kill()
        one.process.wait()


def test_a_drop_becomes_a_result(daemon: Daemon) -> None:
    daemon.up()
    daemon.drop("a", text())
    until(lambda: daemon.result("a").exists())
    assert json.loads(daemon.result("a").read_bytes())["trials"] == 8


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_first_signal_drains(daemon: Daemon, number: signal.Signals) -> None:
    process = daemon.up("--round", "0.5")
    daemon.drop("a", text(trials=1000))
    until(lambda: daemon.trials() > 0)
    before = daemon.trials()
    process.send_signal(number)
    assert process.wait(10) == 0
    assert before <= daemon.trials() <= before + 8, "the round under way was finished, and no other begun"
    assert [path.suffix for path in (daemon.inbox / ".work").iterdir()] == [".drop"], "the task waits"


def test_a_second_signal_does_not_wait(daemon: Daemon) -> None:
    process = daemon.up("--round", "30")
    daemon.drop("a", text())
    until(lambda: (daemon.status() or {}).get("current"))
    process.send_signal(signal.SIGTERM)
    until(lambda: (daemon.status() or {}).get("state") == "stopping")
    process.send_signal(signal.SIGTERM)
    assert process.wait(2) == 128 + signal.SIGTERM


def test_a_kill_loses_nothing(daemon: Daemon) -> None:
    """kill -9 at random moments; every drop ends in done all the same."""
    chance = random.Random(7)
    names = [f"d{number}" for number in range(6)]
    for number, name in enumerate(names):
        process = daemon.start()
        daemon.drop(name, text(number + 1, trials=16))
        time.sleep(chance.uniform(0.2, 0.9))
        process.kill()
        process.wait()
    process = daemon.start("--until-idle")
    assert process.wait(30) == 0
    assert sorted(path.name for path in (daemon.inbox / "done").glob("*.result.json")) == [
        f"{name}.result.json" for name in names
    ]
    assert not list((daemon.inbox / ".work").iterdir()) and not list(daemon.inbox.glob("*.json"))
    assert daemon.trials() <= 6 * 16 + 6 * 4, "trials of earlier lives count"


def test_until_idle_says_whether_a_drop_failed(daemon: Daemon) -> None:
    daemon.drop("good", text())
    assert daemon.start("--until-idle").wait(20) == 0
    daemon.drop("bad", b"[1]")
    assert daemon.start("--until-idle").wait(20) == 1
    error = json.loads((daemon.inbox / "failed/bad.error.json").read_bytes())
    assert set(error) == {
        "schema_version", "path", "found", "wanted", "cause", "hint", "drop_sha256", "finished",
    }  # fmt: skip
    (daemon.inbox / "link.json").symlink_to("/etc/hostname")
    assert daemon.start("--until-idle").wait(20) == 1
    assert daemon.start("--until-idle").wait(20) == 0, "an empty inbox is idle"


def test_two_daemons_do_not_share_a_state_directory(daemon: Daemon) -> None:
    first = daemon.up()
    second = daemon.start()
    assert second.wait(10) != 0
    assert f"another daemon (pid {first.pid})" in daemon.log.read_text()
    assert first.poll() is None and holder(daemon.state) == first.pid
    first.terminate()
    first.wait()


def test_the_status_tells_the_truth(daemon: Daemon) -> None:
    assert daemon.status() is None
    process = daemon.up("--round", "0.3")
    daemon.drop("a", text(trials=100))
    until(lambda: (daemon.status() or {}).get("tasks"))
    status = daemon.status()
    assert status is not None and (status["state"], status["pid"]) == ("tuning", process.pid)
    (task,) = status["tasks"]
    assert (task["name"], task["trials_wanted"], task["weights"]) == (
        "relu_8", 100, [{"model": None, "weight": 1.0}],
    )  # fmt: skip
    until(lambda: b"ansord_tasks 1.0" in (daemon.state / "metrics.prom").read_bytes())
    process.kill()
    process.wait()
    assert (daemon.state / "status.json").exists() and daemon.status() is None


def test_a_hangup_reloads_and_goes_on(daemon: Daemon) -> None:
    process = daemon.up()
    process.send_signal(signal.SIGHUP)
    until(lambda: "reloaded" in daemon.log.read_text())
    daemon.drop("a", text())
    until(lambda: daemon.result("a").exists())


def test_systemd_hears_of_it(daemon: Daemon, tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(address)
        listener.settimeout(10)
        process = daemon.start(environ={"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "300000"})
        heard = [listener.recv(4096).decode()]
        while len(heard) < 6:
            heard.append(listener.recv(4096).decode())
        process.terminate()
        while heard[-1] != "STOPPING=1":
            heard.append(listener.recv(4096).decode())
    assert heard[0] == "READY=1" and heard.count("WATCHDOG=1") >= 3
    assert any(line.startswith("STATUS=idle: 0 open tasks") for line in heard)
    assert process.wait(10) == 0


def test_nobody_is_told_where_nobody_listens(tmp_path: Path) -> None:
    assert not notify("READY=1", {})
    assert not notify("READY=1", {"NOTIFY_SOCKET": str(tmp_path / "absent")})


@pytest.mark.slow
def test_an_idle_daemon_costs_next_to_nothing(daemon: Daemon) -> None:
    """Less than 0.2% of a core, by its own clock."""
    process = daemon.up()
    time.sleep(1)
    before = cpu_seconds(process.pid)
    time.sleep(10)
    assert (cpu_seconds(process.pid) - before) / 10 < 0.002


def cpu_seconds(pid: int) -> float:
    """From the scheduler's books, in nanoseconds: the tick-based ones are too coarse."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9
