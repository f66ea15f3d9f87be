"""After a kill -9 of the daemon, or of a keeper, nothing that they started lives longer than a second."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.measure.kernels import HEAD, RUN, SUM, children_of


def family(pid: int) -> list[int]:
    found = children_of(pid)
    return [*found, *(other for one in found for other in family(one))]


DAEMON = """
import sys, anyio
from pathlib import Path
from ansord.build import Builder, find_compiler
from ansord.measure import Stand, Candidate, Budget
from ansord_client.subgraph import Subgraph
async def main():
    folder = Path(sys.argv[1])
    async with Builder(find_compiler("gcc"), workers=1, directory=folder) as builder:
        async with Stand(builder, folder, lock=folder / "lock") as stand:
            async with stand.runner(Subgraph.from_json(sys.argv[2])) as runner:
                built = await builder.build(sys.stdin.read())
                print("ready", flush=True)
                print(await runner.run(Candidate(built.path), Budget(limit_s=60)))
anyio.run(main)
"""


BUSY = 'for (;;) __asm__ volatile("");'
ESCAPES = "if (fork() == 0) { setsid(); for (;;) pause(); } for (;;) pause();"


@pytest.mark.parametrize(("body", "victim"), [(BUSY, "daemon"), (ESCAPES, "daemon"), (BUSY, "keeper")])
def test_nothing_outlives_a_kill(tmp_path: Path, body: str, victim: str) -> None:
    daemon = subprocess.Popen(
        [sys.executable, "-c", DAEMON, str(tmp_path), json.dumps(SUM.to_dict())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert daemon.stdin is not None and daemon.stdout is not None
    try:
        daemon.stdin.write((HEAD + RUN % body).encode())
        daemon.stdin.close()
        assert daemon.stdout.readline() == b"ready\n"
        wanted = 4 if "fork" in body else 3  # worker, keeper, runner, and what it forked
        wait_for(lambda: len(family(daemon.pid)) >= wanted, 10)
        time.sleep(0.1)
        started = family(daemon.pid)
        if victim == "keeper":
            keeper = next(pid for pid in children_of(daemon.pid) if children_of(pid))
            os.kill(keeper, signal.SIGKILL)
            assert b"crashed" in daemon.stdout.readline()
            daemon.wait()
    finally:
        daemon.kill()
        daemon.wait()
        daemon.stdout.close()
    wait_for(lambda: not any(alive(pid) for pid in started), 1.0)


def test_no_reference_outlives_a_kill(tmp_path: Path) -> None:
    """Its processes are in the middle of seconds of work."""
    shape = [3000, 3000]
    large = {
        "ansord": 1,
        "inputs": [{"name": "a", "shape": shape}, {"name": "b", "shape": shape}],
        "nodes": [{"name": "y", "op": "matmul", "args": ["a", "b"]}],
        "outputs": ["y"],
    }
    daemon = subprocess.Popen(
        [sys.executable, "-c", DAEMON, str(tmp_path), json.dumps(large)],
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        wait_for(lambda: any("answers" in command(pid) for pid in family(daemon.pid)), 20)
        wait_for(lambda: len([pid for pid in family(daemon.pid) if "answers" in command(pid)]) >= 4, 20)
        started = family(daemon.pid)
    finally:
        daemon.kill()
        daemon.wait()
    wait_for(lambda: not any(alive(pid) for pid in started), 1.0)


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for(condition: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)
