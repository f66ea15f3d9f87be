"""`python -m benchmarks.paper`: tunes what the cache lacks, measures, prints the paper's table."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import anyio

from ansord_client.host import host
from benchmarks.accept.shares import peak_object
from benchmarks.paper import cases, tuning
from benchmarks.paper.measure import Bench
from benchmarks.paper.peer import REPO, Peer
from benchmarks.paper.plot import plot
from benchmarks.paper.rows import Row, row
from benchmarks.paper.show import line, table
from benchmarks.paper.verdicts import verdicts

HOME = REPO / ".bench"
PEERS = ("ansord", "eager", "onednn")
NEEDS = {
    "eager": ("torch", "venv", ("torch==2.13.0", "numpy")),
    "onednn": ("torch", "venv", ("torch==2.13.0", "numpy")),
    "metaschedule": (
        "tvm",
        "tvm",
        (
            "apache-tvm==0.27.0.post1",
            "apache-tvm-ffi==0.1.14.post0",
            "cloudpickle",
            "psutil",
            "xgboost",
            "numpy",
        ),
    ),
}
"""Peer to the module that its Python must have, the folder of its venv in --home, what is installed there."""


def main(arguments: Sequence[str] | None = None) -> int:
    options = parsed(arguments)
    wanted = cases.table(options.batch, options.only)
    if options.list:
        print("\n".join(case.name for case in wanted))
        return 0
    home = options.home.resolve()
    home.mkdir(parents=True, exist_ok=True)
    cache = (options.cache or home / "cache").resolve()
    pythons = {peer: python(peer, home, options.install) for peer in options.peers}
    if options.tune and "ansord" in pythons:
        tuning.tune(wanted, home, options.tune, options.trials, cache)
    if "metaschedule" in pythons:
        tuning.metaschedule(wanted, home, pythons["metaschedule"], options.tvm_trials, host().threads)
    rows = measured(wanted, pythons, home, cache, options.sample_seconds)
    print(f"{table(rows)}\n\n{verdicts(rows)}")
    if options.json:
        options.json.write_text(json.dumps({"schema_version": 1, "rows": rows}, indent=1) + "\n")
    if options.plot:
        options.plot.write_text(plot(rows))
    return 0


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.paper", description=__doc__)
    add = parser.add_argument
    add("--only", default="", metavar="REGEX", help="cases by name, such as c2d_3_b1")
    add("--batch", type=int, nargs="+", default=list(cases.BATCHES), metavar="N")
    add("--list", action="store_true", help="print the cases' names and end")
    add("--peers", type=names, default=list(PEERS), help=f"some of ansord,{','.join(NEEDS)}")
    add(
        "--tune", type=float, default=0.0, metavar="S", help="spend so much on each kernel, all runs together"
    )
    add("--trials", type=int, default=1000, metavar="N", help="at most, for each kernel")
    add("--tvm-trials", type=int, default=128, metavar="N", help="of MetaSchedule, for each case")
    add("--sample-seconds", type=float, default=2.0, metavar="S", help="of taking time, for each case")
    add("--json", type=Path, metavar="FILE", help="the rows, for programs")
    add("--plot", type=Path, metavar="FILE", help="the ratios as SVG")
    add("--home", type=Path, default=HOME, metavar="DIR", help="cache, venvs and notes (.bench)")
    add("--cache", type=Path, metavar="DIR", help="another one for the kernels")
    add("--install", action="store_true", help="install what peers need into venvs of the bench's own")
    return parser.parse_args(arguments)


def names(text: str) -> list[str]:
    found = text.split(",")
    if unknown := [name for name in found if name not in ("ansord", *NEEDS)]:
        raise argparse.ArgumentTypeError(f"no such peer: {', '.join(unknown)}")
    return found


def python(peer: str, home: Path, install: bool) -> str:
    """The one that a peer runs in: the bench's own venv, or this one, where it has what the peer needs. With
    `install` the venv is made. A peer that finds nothing says so, case by case."""
    if peer not in NEEDS:
        return sys.executable
    module, folder, packages = NEEDS[peer]
    own = home / folder / "bin/python"
    here = subprocess.run([sys.executable, "-c", f"import {module}"], capture_output=True, check=False)
    if here.returncode == 0:
        return sys.executable
    ready = home / folder / f".has-{module}"
    if install and not ready.exists():
        subprocess.run([sys.executable, "-m", "venv", str(home / folder)], check=True)
        subprocess.run([str(own), "-m", "pip", "install", "-qq", *packages], check=True)
        ready.touch()
    return str(own) if own.exists() else sys.executable


def measured(
    wanted: Sequence[cases.Case], pythons: dict[str, str], home: Path, cache: Path, seconds: float
) -> list[Row]:
    peak = home / "peak.so"
    if not peak.exists():
        peak.write_bytes(anyio.run(peak_object, home))
    threads = host().threads
    variables = {
        "ANSORD_CACHE": str(cache),
        "METASCHEDULE_HOME": str(home / "metaschedule"),
        "TVM_NUM_THREADS": str(threads),
    }
    peers = [Peer(name, path, variables) for name, path in pythons.items()]
    roofs = Peer("peak", sys.executable)
    bench = Bench(peers, roofs, peak, threads, seconds)
    rows: list[Row] = []
    try:
        for case in wanted:
            rows.append(row(case, bench.case(case)))
            print(line(rows[-1]), file=sys.stderr, flush=True)
    finally:
        for peer in (*peers, roofs):
            peer.close()
    return rows


if __name__ == "__main__":
    sys.exit(main())
