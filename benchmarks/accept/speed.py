"""What the client adds to a kernel's own time: benchmarks/client_overhead.py, in several processes."""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.accept.claim import Claim, Values, Verdict, bare
from benchmarks.accept.daemon import REPO, environment

PROCESSES = 3
ROW = re.compile(r"^(\S.*?) +([-\d.]+) (\S+) +aim < ([\d.]+) \S+$", re.M)


def claim(processes: int) -> Claim[Path]:
    return Claim("speed", {f"process {number}": measured for number in range(processes)}, verdict, bare)


def measured(folder: Path) -> dict[str, Any]:
    """By row: [value, unit, aim]."""
    del folder
    command = [sys.executable, str(REPO / "benchmarks/client_overhead.py")]
    done = subprocess.run(
        command,
        cwd=REPO,
        env=environment() | {"PYTHONPATH": str(REPO)},
        capture_output=True,
        text=True,
        check=False,
    )
    rows = {name: [float(value), unit, float(aim)] for name, value, unit, aim in ROW.findall(done.stdout)}
    if done.returncode or len(rows) < 4:
        raise RuntimeError(f"client_overhead.py ended with {done.returncode}: {done.stdout}{done.stderr}")
    return rows


def verdict(values: Values) -> Verdict:
    words, aims, ok = [], [], True
    for name, (_, unit, aim) in next(iter(values.values())).items():
        middle = statistics.median(value[name][0] for value in values.values())
        ok = ok and middle < aim
        words.append(f"{name} {middle:.2f} {unit}")
        aims.append(f"{aim:g} {unit}")
    return Verdict(", ".join(words), f"under {', '.join(aims)}", ok)


FULL = claim(PROCESSES)
DRAW = claim(1)
