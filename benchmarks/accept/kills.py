"""kill -9 of a tuning daemon at random moments: what it leaves behind, and what becomes of the drops."""

from __future__ import annotations

import contextlib
import json
import os
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ansord.record import Trial
from ansord.store import faults, replay
from ansord.tune import JOURNAL
from ansord_client.lookup import Cache
from benchmarks.accept.claim import Claim, Values, Verdict
from benchmarks.accept.daemon import Daemon, until
from benchmarks.accept.processes import adopting, below, bury

LIVES = 50
TRIALS = 16
AFTER = ("start", "child", "trial", "trial")
"""A kill comes within LATEST_S of one of these: the daemon's start, its first child, its first trial."""
LATEST_S = 4.0
GRACE_S = 1.0


def claim(lives: Sequence[int], trials: int) -> Claim[Daemon]:
    steps: dict[str, Any] = {f"life {number}": partial(life, number, trials) for number in lives}
    steps["the rest"] = the_rest
    return Claim("kills", steps, verdict, opened)


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[Daemon]:
    with adopting():
        daemon = Daemon(folder)
        before = set(below(os.getpid()))
        try:
            yield daemon
        finally:
            if daemon.process is not None and daemon.process.poll() is None:
                daemon.process.kill()
                daemon.process.wait()
            bury(before)


def life(number: int, trials: int, daemon: Daemon) -> dict[str, Any]:
    """One daemon, one new drop, one kill at a random moment; what is left a second later."""
    chance = random.Random(number)
    others = set(below(os.getpid()))
    process = daemon.start()
    time.sleep(chance.uniform(0, 1))
    text = json.dumps(subgraph(number, trials))
    if chance.random() < 0.5:
        daemon.drop(f"drop{number}", text.encode())
    else:  # as `cp` does it: the kill may come while the file is being read
        (daemon.inbox / f"drop{number}.json").write_text(text)
    after, moment = AFTER[number % len(AFTER)], chance.uniform(0, LATEST_S)
    before = written(daemon)
    if after == "child":
        until(lambda: below(process.pid) or process.poll() is not None, "a child of the daemon", 120)
    if after == "trial":
        until(lambda: written(daemon) > before or process.poll() is not None, "a trial", 120)
    time.sleep(moment)
    early, children = process.poll(), len(below(process.pid))
    process.kill()
    process.wait()
    time.sleep(GRACE_S)
    return {
        "dropped": f"drop{number}",
        "after": after,
        "moment": moment,
        "ended_before": early,
        "children": children,
        "orphans": bury(others),
        "faults": torn(daemon.cache),
        "kernels": len(list(kernels(daemon.cache))),
        "trials": sum(1 for _ in replay(daemon.state / JOURNAL)),
    }


def written(daemon: Daemon) -> int:
    """Bytes of the journal."""
    path = daemon.state / JOURNAL
    return path.stat().st_size if path.exists() else 0


def the_rest(daemon: Daemon) -> dict[str, Any]:
    """A last daemon finishes what is open; then everything is counted."""
    status = daemon.start("--until-idle").wait()
    tried = Counter(
        (trial.key, trial.program) for trial in map(Trial.from_bytes, replay(daemon.state / JOURNAL))
    )
    done = sorted(path.name.partition(".")[0] for path in (daemon.inbox / "done").glob("*.result.json"))
    return {
        "status": status,
        "done": done,
        "open": sorted(path.name for path in (daemon.inbox / ".work").iterdir()),
        "repeated": [f"{key[:12]} {program}" for (key, program), count in tried.items() if count > 1],
        "trials": sum(tried.values()),
        "faults": torn(daemon.cache),
    }


def subgraph(number: int, trials: int) -> dict[str, Any]:
    """A small layer, another one for each number."""
    rows, columns = 24 + number, 32 + 8 * (number % 7)
    return {
        "ansord": 1,
        "name": f"layer_{number}",
        "inputs": [
            {"name": "x", "shape": [rows, 64]},
            {"name": "w", "shape": [64, columns], "constant": True},
        ],
        "nodes": [
            {"name": "y", "op": "matmul", "args": ["x", "w"]},
            {"name": "z", "op": "relu", "args": ["y"]},
        ],
        "outputs": ["z"],
        "tuning": {"trials": trials},
    }


def kernels(cache: Path, found: list[str] | None = None) -> Iterator[Any]:
    """Every entry as a client reads it; what it stumbles over goes into `found`."""
    return Cache(cache, "ansord").entries(found)


def torn(cache: Path) -> list[str]:
    """What a reader finds wrong with the cache."""
    found: list[str] = []
    for _ in kernels(cache, found):
        pass
    return found + [str(fault) for fault in faults(cache)]


def verdict(values: Values) -> Verdict:
    rest = values["the rest"]
    lives = [value for step, value in values.items() if step != "the rest"]
    lost = sorted({value["dropped"] for value in lives} - set(rest["done"]))
    orphans = [one for value in lives for one in value["orphans"]]
    damaged = [one for value in [*lives, rest] for one in value["faults"]]
    shrunk = any(
        after["kernels"] < before["kernels"] or after["trials"] < before["trials"]
        for before, after in zip(lives, lives[1:], strict=False)
    )
    early = [value["ended_before"] for value in lives if value["ended_before"] is not None]
    at_work = sum(value["children"] > 0 for value in lives)
    figure = (
        f"{len(lives)} kills ({at_work} of them with children at work): {len(lost)} drops lost, "
        f"{len(damaged)} faults in the cache, {len(orphans)} orphans, "
        f"{len(rest['repeated'])} of {rest['trials']} trials repeated"
    )
    wrong = {
        "lost": lost, "orphans": orphans, "faults": damaged, "repeated": rest["repeated"],
        "left in .work": rest["open"], "ended by themselves": early,
    }  # fmt: skip
    words = [f"{what}: {', '.join(map(str, found[:3]))}" for what, found in wrong.items() if found]
    if shrunk:
        words.append("kernels or trials that were there before a life were gone after it")
    if rest["status"] != 0:
        words.append(f"the last daemon ended with {rest['status']}")
    wanted = "none lost, torn, orphaned or repeated"
    return Verdict("; ".join([figure, *words]), wanted, not words)


FULL = claim(range(LIVES), TRIALS)
DRAW = claim([2], 6)
