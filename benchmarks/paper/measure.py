"""One case: every peer answers, the answers are judged, then all are timed in turn with the roofs."""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ansord.measure import MeasureLock
from ansord.measure.peak import working_sets
from ansord_client.compare import answers, inputs, judge
from ansord_client.host import host
from benchmarks.paper import cases
from benchmarks.paper.cases import Case
from benchmarks.paper.peer import Peer, open_all

ROOF_S = 0.002
FEWEST, MOST = 9, 41
"""Undisturbed turns."""
PATIENCE = 4
"""How many times longer than wished a case may take where it is disturbed, or slow."""


@dataclass
class Findings:
    """What one case gave. `samples[peer]`: seconds of a call, a turn each; `roofs`: the best of each kind;
    `none[peer]`: why it was not timed; `noisy`: turns in which somebody else had a core."""

    samples: dict[str, list[float]] = field(default_factory=dict)
    way: dict[str, str] = field(default_factory=dict)
    none: dict[str, str] = field(default_factory=dict)
    roofs: dict[str, float] = field(default_factory=dict)
    level: str = ""
    noisy: int = 0


class Bench:
    """The processes of a run. `seconds`: of sampling for each case."""

    def __init__(self, peers: Sequence[Peer], roofs: Peer, peak: Path, threads: int, seconds: float) -> None:
        self.peers, self._roofs, self._peak = peers, roofs, peak
        self.threads, self._seconds = threads, seconds

    def case(self, case: Case) -> Findings:
        found = Findings()
        with tempfile.TemporaryDirectory(prefix="ansord-bench-") as name:
            words = judged(case, self.peers, Path(name), self.threads)
        for peer, word in words.items():
            if "none" in word:
                found.none[peer] = word["none"]
            else:
                found.way[peer], found.samples[peer] = word["way"], []
        found.level, each = level(case.moved, self.threads)
        tries = [("float32", 0), ("read", each), ("copy", each)]
        self._roofs.ask("roofs", object=str(self._peak), threads=self.threads, tries=tries, seconds=ROOF_S)
        found.roofs = {kind: 0.0 for kind, _ in tries}
        take_turns(found, self.peers, self._seconds, self._look_up)
        return found

    def _look_up(self, found: Findings) -> None:
        """The roofs once more; the highest counts."""
        rates = self._roofs.ask("sample").get("rates", [])
        self._roofs.rest()
        for kind, rate in zip(found.roofs, rates, strict=False):
            found.roofs[kind] = max(found.roofs[kind], rate)


def take_turns(
    found: Findings, peers: Sequence[Peer], seconds: float, first: Callable[[Findings], None]
) -> None:
    """Until time is up and there are FEWEST undisturbed turns, another peer first in each, before them all a
    call of `first`. Disturbed turns count only where there are not enough others after a longer while. A peer
    that dies is left out."""
    timed = [peer for peer in peers if peer.name in found.samples]
    clean: list[dict[str, float]] = []
    noisy: list[dict[str, float]] = []
    for one in peers:
        one.rest()
    started = time.monotonic()
    while timed and len(clean) < MOST:
        with quiet():
            first(found)
            lead = (len(clean) + len(noisy)) % len(timed)
            turn = {peer.name: sampled(peer) for peer in (*timed[lead:], *timed[:lead])}
        if lost := [who for who, answer in turn.items() if "none" in answer]:
            for who in lost:
                found.none[who] = turn[who]["none"]
                del found.samples[who], found.way[who]
            return take_turns(found, peers, seconds, first)
        disturbed = any(answer["noisy"] for answer in turn.values())
        (noisy if disturbed else clean).append({who: answer["seconds"] for who, answer in turn.items()})
        took = time.monotonic() - started
        if took > PATIENCE * seconds or (took > seconds and len(clean) >= FEWEST):
            break
    turns = clean if len(clean) >= FEWEST else clean + noisy
    found.noisy = len(noisy)
    for who in found.samples:
        found.samples[who] = [turn[who] for turn in turns]


def sampled(peer: Peer) -> dict[str, Any]:
    """One sample, and then silence."""
    answer = peer.ask("sample")
    peer.rest()
    return answer


def judged(case: Case, peers: Sequence[Peer], folder: Path, threads: int) -> dict[str, dict[str, Any]]:
    """Each peer's word; a wrong answer becomes {"none": what is wrong}."""
    arrays = inputs(case.subgraph, 0, "normal") or ()
    paths = [str(folder / f"input-{place}.npy") for place in range(len(arrays))]
    for path, array in zip(paths, arrays, strict=True):
        np.save(path, array)
    words = open_all(peers, case.told(), paths, folder, threads)
    small, ends = edges(case, arrays)
    ref64, ref32 = answers(small.subgraph, ends)
    for peer, word in words.items():
        if "none" not in word:
            got = np.load(folder / f"{peer}.npy")
            verdict = judge(small.subgraph, [got], ref64, ref32)
            if not verdict.ok:
                words[peer] = {"none": f"wrong: {verdict.message}"}
    return words


def edges(case: Case, arrays: Sequence[np.ndarray]) -> tuple[Case, list[np.ndarray]]:
    """The first and the last element of the batch, as a case of batch 2."""
    if case.batch == 1:
        return case, list(arrays)
    small = cases.of(case.operator, case.number, 2)
    return small, [
        array if array.shape == one.shape else array[[0, -1]]
        for array, one in zip(arrays, small.subgraph.inputs, strict=True)
    ]


def level(moved: int, threads: int) -> tuple[str, int]:
    """(the memory that holds `moved` bytes, what each thread moves to measure it)."""
    sets = working_sets(host().caches, threads)
    return next((name, each) for name, capacity, each in sets if moved <= capacity)


@contextmanager
def quiet() -> Iterator[None]:
    """Nobody else of ansord measures meanwhile."""
    lock = MeasureLock()
    lock.open()
    fd = os.open(lock.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
        lock.close()
