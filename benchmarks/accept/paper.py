"""Every workload of the paper tunes with 16 trials, and what the client then loads equals the reference."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ansord.record import Measured, Trial
from ansord.store import replay
from ansord.tune import JOURNAL
from benchmarks.accept.claim import Claim, Values, Verdict
from benchmarks.accept.daemon import REPO, Daemon, environment, example, serving

TRIALS = 16
EXPLAINED = ("TimedOut",)
"""Kinds of failure that a right search may meet: a program that is far too slow. Any other is a defect."""


def workloads() -> list[str]:
    return sorted(f"paper/{path.stem}" for path in (REPO / "examples/paper").glob("*.json"))


def claim(names: Sequence[str], trials: int) -> Claim[Daemon]:
    """Over the examples of these names."""
    steps = {name: partial(tuned, name, trials) for name in names}
    return Claim("paper", steps, verdict, serving)


def tuned(name: str, trials: int, daemon: Daemon) -> dict[str, Any]:
    """Drops one and sees what becomes of it."""
    stem = Path(name).name
    daemon.drop(stem, example(name, trials))
    return outcome(stem, daemon)


def outcome(stem: str, daemon: Daemon) -> dict[str, Any]:
    """Waits for a drop's end, and has a fresh process call its kernel."""
    folder, record = daemon.settled(stem)
    if folder == "failed":
        return {
            "wrong": f"{record['cause']}: {record['found']}",
            "trials": 0,
            "failed": {},
            "unexplained": [],
        }
    failed = [
        trial.outcome
        for trial in map(Trial.from_bytes, replay(daemon.state / JOURNAL))
        if trial.key == record["key"] and not isinstance(trial.outcome, Measured)
    ]
    return {
        "trials": record["trials"],
        "latency_us": record["latency_us"],
        "failed": Counter(type(outcome).__name__ for outcome in failed),
        "unexplained": [str(one) for one in failed if type(one).__name__ not in EXPLAINED],
        **checked(daemon.cache, daemon.inbox / "done" / f"{stem}.json"),
    }


def checked(cache: Path, file: Path) -> dict[str, Any]:
    """What `check.py` says of the kernel of `file`; a process that ends otherwise is wrong, too."""
    command = [sys.executable, "-I", str(Path(__file__).with_name("check.py")), str(cache), str(file)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        return {"wrong": f"the client's process ended with {done.returncode}: {last}", "share": 0.0}
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def verdict(values: Values) -> Verdict:
    wrong = {name: value["wrong"] for name, value in values.items() if value["wrong"]}
    failed: Counter[str] = sum((Counter(value["failed"]) for value in values.values()), Counter())
    unexplained = {name: value["unexplained"] for name, value in values.items() if value["unexplained"]}
    figure = f"{len(values) - len(wrong)} of {len(values)} equal the reference"
    figure += f", {sum(value['trials'] for value in values.values())} trials, {_counted(failed)}"
    for name, why in [*wrong.items(), *((name, words[0]) for name, words in unexplained.items())]:
        figure += f"; {name}: {why}"
    return Verdict(figure, "all equal, no failed trial unexplained", not wrong and not unexplained)


def _counted(failed: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in sorted(failed.items())) or "none failed"


FULL = claim(workloads(), TRIALS)
DRAW = claim(["paper/gmm_1", "paper/nrm_1"], 3)
