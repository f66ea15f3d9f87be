"""A warmed model loads at once: ResNet-50 from a cache that a daemon warmed for a short time."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.accept.claim import Claim, Values, Verdict, bare
from benchmarks.accept.daemon import REPO, serving
from benchmarks.networks.load import apart, loading

LOAD_S = 1.0
TIMES = 3
SECONDS = 120
"""Of warming: each task has its first kernel then."""


def claim(name: str, seconds: float, small: bool) -> Claim[Path]:
    """`name`: of a network of examples/models.py."""
    steps = {"warm": partial(warmed, name, seconds, small)}
    steps |= {f"load {number}": partial(loaded, name) for number in range(TIMES)}
    return Claim("models", steps, verdict, bare)


def warmed(name: str, seconds: float, small: bool, folder: Path) -> dict[str, Any]:
    """Writes the network and lets a daemon work on its tasks."""
    command = [sys.executable, str(REPO / "examples" / "models.py"), str(folder), "--only", name]
    subprocess.run([*command, *(["--small"] if small else [])], check=True, stdout=subprocess.DEVNULL)
    with serving(folder) as daemon:
        return {"exit": daemon.warm(folder / f"{name}.onnx", seconds, "--min-coverage=1", quiet=True)}


def loaded(name: str, folder: Path) -> dict[str, Any]:
    """The phases of loading it, in a process that has just started."""
    return apart(folder / f"{name}.onnx", {}, folder / "cache")


def verdict(values: Values) -> Verdict:
    found = [value for step, value in values.items() if step.startswith("load")]
    slowest = max(found, key=loading)
    figure = f"loaded in {loading(slowest):.2f} s beside reading its weights ({slowest['read']:.2f} s)"
    figure += f", {slowest['tuned']} of {slowest['calls']} calls with kernels"
    ok = loading(slowest) < LOAD_S and all(one["tuned"] == one["calls"] for one in found)
    return Verdict(figure, f"a warm ResNet-50 under {LOAD_S:g} s, all calls with kernels", ok)


FULL = claim("resnet50", SECONDS, small=False)
DRAW = claim("dcgan", 20, small=True)
