"""A peer as the bench sees it: a process that is asked a line and answers a line."""

from __future__ import annotations

import json
import os
import select
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.accept.processes import cpu_seconds

REPO = Path(__file__).resolve().parent.parent.parent
PATIENCE_S = 300.0
REST_S, STILL_S = 1.0, 0.0001
MALLOC = {
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(1 << 40),
    "MALLOC_TOP_PAD_": str(64 << 20),
}
"""The same for all: memory once used is kept, in huge pages where the kernel has them. A library that makes
its result anew in each call would else be timed by its page faults."""


class Peer:
    """One of `benchmarks.paper.peers`, or of another `home` of peers, started at the first order, and again
    after its death."""

    def __init__(
        self,
        name: str,
        python: str,
        variables: Mapping[str, str] | None = None,
        home: str = "benchmarks.paper.peers",
    ) -> None:
        self.name = name
        self._command = [python, "-m", "benchmarks.paper.runner", f"{home}.{name}"]
        self._environment = {**os.environ, **MALLOC, "PYTHONPATH": str(REPO / "client"), **(variables or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, do: str, **order: Any) -> dict[str, Any]:
        """The answer; {"none": why} where the peer has none, died, or took too long."""
        if self._process is None:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=REPO,
                env=self._environment,
            )
        process = self._process
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(json.dumps({"do": do, **order}).encode() + b"\n")
            process.stdin.flush()
        except BrokenPipeError:
            return self._ended()
        ready, _, _ = select.select([process.stdout], [], [], PATIENCE_S)
        if not ready:
            process.kill()
        line = process.stdout.readline()
        if not line:
            return self._ended()
        answer: dict[str, Any] = json.loads(line)
        return answer

    def rest(self) -> None:
        """Until its threads have stopped spinning for work that does not come: they would take a core from
        the next. libgomp's do for 4 to 7 ms here, TVM's for 120."""
        if self._process is None:
            return
        before, ends = -1.0, time.monotonic() + REST_S
        while (now := cpu_seconds(self._process.pid)) - before > STILL_S and time.monotonic() < ends:
            before = now
            time.sleep(0.001)

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._ended()

    def _ended(self) -> dict[str, Any]:
        assert self._process is not None
        self._process.communicate()
        code, self._process = self._process.returncode, None
        return {"none": f"its process ended with {code}"}


def open_all(
    peers: Sequence[Peer], told: Mapping[str, Any], inputs: Sequence[str], folder: Path, threads: int
) -> dict[str, dict[str, Any]]:
    """Each peer's word on a case, its answer in `folder` under the peer's name."""
    return {
        peer.name: peer.ask(
            "open", told=told, inputs=inputs, answer=str(folder / f"{peer.name}.npy"), threads=threads
        )
        for peer in peers
    }
