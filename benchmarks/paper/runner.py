"""One peer in a process of its own: `python -m benchmarks.paper.runner MODULE`, a line of JSON in, one out.

    {"do": "open", "told": a case, "inputs": [paths of .npy], "answer": path, "threads": n}
                                    {"way": the fastest, "seconds": of a call}, or {"none": why}
    {"do": "roofs", "object": path, "threads": n, "tries": [[kind, bytes], ...], "seconds": s}      {}
    {"do": "sample"}                {"seconds": of a call}, or {"rates": [...]} of roofs

Knows nothing of the other peers. The answer it leaves behind is judged by whoever asked.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

SAMPLE_S = 0.004
WARM_S = 0.02
"""Another peer had the caches and the cores before, and the kernel wakes two threads of a sleeping team on
one core: with less than 10 ms until it parts them, oneDNN's convolutions took twice their time here."""
TRIES, LONGEST_S, WAITED = 8, 0.25, 0.02
"""Samples taken for one, the time for them, and the share of it that threads may have waited for a core."""
TRY_S = 0.05
"""For each way of a peer, to find its fastest."""

Call = Callable[[], Any]


class Runner:
    """What is open now."""

    def __init__(self, peer: str) -> None:
        self._module: Any = importlib.import_module(peer)
        self._call: Call = lambda: None
        self._seconds = 1.0
        self._roofs: Any = None

    def open(self, order: dict[str, Any]) -> dict[str, Any]:
        self._call = lambda: None
        arrays = [np.load(path) for path in order["inputs"]]
        ways: dict[str, Call] = self._module.ways(order["told"], arrays, order["threads"])
        if not ways:
            return {"none": "nothing to compare with"}
        times = {way: fastest(call) for way, call in ways.items()}
        best = min(times, key=lambda way: times[way])
        self._call, self._seconds = ways[best], times[best]
        save(self._call(), order["told"]["batch"], order["answer"])
        return {"way": best, "seconds": times[best]}

    def roofs(self, order: dict[str, Any]) -> dict[str, Any]:
        tries = [(kind, each) for kind, each in order["tries"]]
        self._roofs = self._module.Roofs(order["object"], order["threads"], tries, order["seconds"])
        return {}

    def sample(self, order: dict[str, Any]) -> dict[str, Any]:
        if self._roofs is not None:
            return {"rates": self._roofs.sample()}
        warm_up(self._call, max(1, round(WARM_S / 8 / self._seconds)))
        return quiet(self._call, max(1, round(SAMPLE_S / self._seconds)))


def warm_up(call: Call, calls: int) -> None:
    """For WARM_S of the clock: where somebody has our cores, so many calls could take minutes."""
    ends = time.perf_counter() + WARM_S
    while time.perf_counter() < ends:
        timed(call, calls)


def quiet(call: Call, calls: int) -> dict[str, Any]:
    """The first sample during which none of our threads waited for a core; of TRIES that all had to, the one
    with the least waiting, marked as noisy."""
    found = []
    ends = time.perf_counter() + LONGEST_S
    for _ in range(TRIES):
        before = waited()
        seconds = timed(call, calls)
        share = (waited() - before) / (seconds * calls)
        if share < WAITED:
            return {"seconds": seconds, "noisy": False}
        found.append((share, seconds))
        if time.perf_counter() > ends:
            break
    return {"seconds": min(found)[1], "noisy": True}


def waited() -> float:
    """Seconds that the threads of this process have stood in the queue for a core: proc(5), schedstat."""
    total = 0
    for task in os.listdir("/proc/self/task"):
        with contextlib.suppress(OSError), open(f"/proc/self/task/{task}/schedstat") as file:
            total += int(file.read().split()[1])
    return total * 1e-9


def fastest(call: Call) -> float:
    """Seconds of the quickest call within a moment; at least two are tried."""
    call()
    ends = time.perf_counter() + TRY_S
    best = timed(call, 1)
    while time.perf_counter() < ends:
        best = min(best, timed(call, 1))
    return best


def timed(call: Call, calls: int) -> float:
    started = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - started) / calls


def save(answer: Any, batch: int, path: str) -> None:
    """Of a batch its first and its last element: enough to judge, since all are computed alike. A tuple is
    several answers, which `np.load` tells from one by their bytes."""
    if isinstance(answer, tuple):
        with open(path, "wb") as file:
            np.savez(file, *(ends(one, batch) for one in answer))
    else:
        np.save(path, ends(answer, batch))


def ends(answer: Any, batch: int) -> Any:
    whole = answer if isinstance(answer, list) else np.asarray(answer)
    return whole if batch == 1 else np.stack([np.asarray(whole[place]) for place in (0, -1)])


def main(peer: str) -> None:
    """Until the pipe closes. Words of libraries go to stderr."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    runner = Runner(peer)
    for line in sys.stdin:
        order = json.loads(line)
        try:
            answer = getattr(runner, order["do"])(order)
        except Exception as error:  # whatever a library raises is an answer
            answer = {"none": f"{type(error).__name__}: {str(error).partition(chr(10))[0][:200]}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
