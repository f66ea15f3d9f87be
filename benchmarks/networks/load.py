"""How long a model takes to load, by phases: `python -m benchmarks.networks.load MODEL.onnx --cache DIR`.

Each run is a process of its own, as a server that starts. `read` is reading the file, which any runtime has
to do; the phases after it find the file in memory.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.paper.peer import REPO

PHASES = ("read", "modules", "import", "partition", "prepare", "lookup", "pack", "first call")
"""`modules`: Python's import of onnx and of the client's own; `first call`: with random inputs."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.networks.load", description=__doc__)
    add = parser.add_argument
    add("model", type=Path)
    add("--cache", type=Path, required=True, metavar="DIR")
    add("--dim", action="append", default=[], metavar="NAME=N")
    add("--times", type=int, default=5, metavar="N")
    add("--one", action="store_true", help="one run in this process, as JSON")
    options = parser.parse_args(arguments)
    dims = {name: int(number) for name, number in (one.split("=") for one in options.dim)}
    if options.one:
        print(json.dumps(phases(options.model, dims, options.cache)))
        return 0
    for _ in range(options.times):
        found = apart(options.model, dims, options.cache)
        told = "  ".join(f"{phase} {found[phase] * 1e3:.0f}" for phase in PHASES)
        tuned = f"{found['tuned']} of {found['calls']} calls tuned"
        print(f"{loading(found) * 1e3:.0f} ms beside reading it ({told}; {tuned})", flush=True)
    return 0


def loading(found: dict[str, Any]) -> float:
    """Seconds from an interpreter to a model that can be called, but for reading its weights."""
    return float(sum(found[phase] for phase in PHASES[1:-1]))


def apart(model: Path, dims: dict[str, int], cache: Path) -> dict[str, Any]:
    """`phases` of a process that has just started."""
    named = [word for name, number in dims.items() for word in ("--dim", f"{name}={number}")]
    command = [sys.executable, "-m", "benchmarks.networks.load", str(model), "--cache", str(cache), "--one"]
    done = subprocess.run([*command, *named], cwd=REPO, check=True, capture_output=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def phases(path: Path, dims: dict[str, int], cache: Path) -> dict[str, Any]:
    """Seconds of each phase, what `load_model` does in its order, and how many calls have kernels."""
    marks = [time.perf_counter()]

    def mark() -> None:
        marks.append(time.perf_counter())

    path.read_bytes()
    mark()
    import ansord_client.models.importer  # noqa: F401 - with it comes onnx
    from ansord_client import Client
    from ansord_client.models import LoadedModel, binding, import_model, partition, weights

    mark()
    model = import_model(path, dims, trusted=True)
    mark()
    plan = partition(model)
    mark()
    known = weights.load(plan, path)
    mark()
    with tempfile.TemporaryDirectory() as nobody:
        client = Client(cache=cache, inbox=nobody, on_miss="reference")
        binding.kernels_of(plan, client)
        mark()
        run = LoadedModel(plan, known, client)
        mark()
        run.profile(runs=1)
        mark()
    seconds = dict(
        zip(PHASES, (end - start for start, end in zip(marks, marks[1:], strict=False)), strict=True)
    )
    return {**seconds, "tuned": run.tuned, "calls": len(plan.calls)}


if __name__ == "__main__":
    sys.exit(main())
