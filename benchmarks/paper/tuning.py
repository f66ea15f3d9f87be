"""Tunes what the bench's cache lacks, case by case; an interrupted run goes on where it was."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.paper.cases import Case
from benchmarks.paper.peer import REPO


def tune(cases: Sequence[Case], home: Path, seconds: float, trials: int, cache: Path) -> None:
    """Until each case has had `seconds` in all runs together, or `trials`. Raises CalledProcessError."""
    folder = home / "cases"
    folder.mkdir(exist_ok=True)
    spent = Ledger(cache.parent / f"{cache.name}.spent.json")
    for place, case in enumerate(cases, 1):
        key = case.subgraph.key
        left = seconds - spent.seconds(key)
        if left < 1 or spent.trials(key) >= trials:
            continue
        file = folder / f"{case.name}.json"
        file.write_text(json.dumps(case.value))
        print(f"tuning {case.name} ({place} of {len(cases)}), {left:.0f} s", file=sys.stderr, flush=True)
        budget = ["--trials", str(trials), "--seconds", str(left)]
        command = [
            sys.executable,
            "-m",
            "ansord",
            "tune",
            str(file),
            *budget,
            "--cache",
            str(cache),
            "--json",
        ]
        done = subprocess.run(command, stdout=subprocess.PIPE, cwd=REPO, check=True)
        (result,) = json.loads(done.stdout)["results"]
        spent.add(key, case.name, left, result["trials"])


def metaschedule(cases: Sequence[Case], home: Path, python: str, trials: int, threads: int) -> None:
    """Of the cases that have no object of MetaSchedule's yet, one after the other; a failure is told, and the
    case is left without one."""
    folder = home / "metaschedule"
    folder.mkdir(exist_ok=True)
    for case in cases:
        if (folder / f"{case.name}.so").exists():
            continue
        print(f"MetaSchedule: {case.name}, {trials} trials", file=sys.stderr, flush=True)
        order = {"told": case.told(), "folder": str(folder), "trials": trials, "threads": threads}
        command = [python, "-m", "benchmarks.paper.metaschedule"]
        with open(folder / f"{case.name}.log", "wb") as log:
            done = subprocess.run(
                command, input=json.dumps(order).encode(), stdout=log, stderr=log, cwd=REPO, check=False
            )
        if done.returncode:
            print(f"MetaSchedule: {case.name} failed; see {log.name}", file=sys.stderr)


class Ledger:
    """Seconds and trials by key, on disk, whole at every moment: what a cache cannot say is how long its
    kernels were looked for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._spent: dict[str, dict[str, Any]] = {}
        with contextlib.suppress(OSError, ValueError):
            self._spent = json.loads(path.read_text())

    def seconds(self, key: str) -> float:
        return float(self._spent.get(key, {}).get("seconds", 0.0))

    def trials(self, key: str) -> int:
        return int(self._spent.get(key, {}).get("trials", 0))

    def add(self, key: str, name: str, seconds: float, trials: int) -> None:
        self._spent[key] = {"name": name, "seconds": self.seconds(key) + seconds, "trials": trials}
        temporary = self._path.with_suffix(".tmp")
        temporary.write_text(json.dumps(self._spent, indent=1))
        os.replace(temporary, self._path)
