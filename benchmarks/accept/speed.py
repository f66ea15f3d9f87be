"""What the client adds to a kernel's own time: benchmarks/client_overhead.py, in several processes."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.accept.claim import Claim, Values, Verdict, bare
from benchmarks.accept.daemon import REPO, environment

PROCESSES = 3


def claim(processes: int, *words: str) -> Claim[Path]:
    steps = {f"process {number}": partial(measured, words) for number in range(processes)}
    return Claim("speed", steps, verdict, bare)


def measured(words: tuple[str, ...], folder: Path) -> list[Any]:
    """The rows of one process: name, (median, best), unit, what is promised or null."""
    del folder
    command = [sys.executable, str(REPO / "benchmarks/client_overhead.py"), "--json", *words]
    done = subprocess.run(command, cwd=REPO, env=environment(), stdout=subprocess.PIPE, check=True)
    rows: list[Any] = json.loads(done.stdout)
    return rows


def verdict(values: Values) -> Verdict:
    """By the median of the processes' medians."""
    words, aims, ok = [], [], True
    for rows in zip(*values.values(), strict=True):
        name, _, unit, aim = rows[0]
        if aim is None:
            continue
        middle = statistics.median(row[1][0] for row in rows)
        ok = ok and middle < aim
        words.append(f"{name} {middle:.2f} {unit}")
        aims.append(f"{aim:g} {unit}")
    return Verdict(", ".join(words), f"under {', '.join(aims)}", ok)


FULL = claim(PROCESSES)
DRAW = claim(1, "--quick")
