"""`python -m benchmarks.paper`: measures and prints the table of the paper's benchmark."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import anyio

from ansord_client.host import host
from benchmarks.accept.shares import peak_object
from benchmarks.paper import cases
from benchmarks.paper.measure import Bench
from benchmarks.paper.peer import REPO, Peer
from benchmarks.paper.rows import Row, row
from benchmarks.paper.show import line, table
from benchmarks.paper.tuning import tune

HOME = REPO / ".bench"
PEERS = ("ansord", "eager", "onednn")


def main(arguments: Sequence[str] | None = None) -> int:
    options = parsed(arguments)
    home = options.home.resolve()
    home.mkdir(parents=True, exist_ok=True)
    options.cache = options.cache and options.cache.resolve()
    wanted = cases.table(options.batch, options.only)
    if options.tune and "ansord" in options.peers.split(","):
        tune(wanted, home, options.tune, options.trials, options.cache or home / "cache")
    rows = measured(wanted, options, home)
    print(table(rows))
    if options.json:
        options.json.write_text(json.dumps({"schema_version": 1, "rows": rows}, indent=1) + "\n")
    return 0


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.paper", description=__doc__)
    parser.add_argument("--only", default="", metavar="REGEX", help="cases by name, such as c2d_3_b1")
    parser.add_argument("--batch", type=int, nargs="+", default=list(cases.BATCHES), metavar="N")
    parser.add_argument("--peers", default=",".join(PEERS), help="by commas (%(default)s)")
    parser.add_argument(
        "--tune", type=float, default=0.0, metavar="S", help="seconds spent on each kernel, in all"
    )
    parser.add_argument("--trials", type=int, default=1000, metavar="N", help="at most, for each")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the rows, for programs")
    parser.add_argument("--sample-seconds", type=float, default=2.0, metavar="S", help="for each case")
    parser.add_argument("--home", type=Path, default=HOME, metavar="DIR", help="cache and notes (.bench)")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="the kernels' (DIR/cache of --home)")
    parser.add_argument("--torch", metavar="PYTHON", help="one that has torch (.bench/venv's, else this one)")
    return parser.parse_args(arguments)


def python(peer: str, options: argparse.Namespace, home: Path) -> str:
    """The one that a peer runs in."""
    if peer not in ("eager", "onednn"):
        return sys.executable
    own = home / "venv/bin/python"
    return options.torch or (str(own) if own.exists() else sys.executable)


def measured(wanted: Sequence[cases.Case], options: argparse.Namespace, home: Path) -> list[Row]:
    peak = home / "peak.so"
    if not peak.exists():
        peak.write_bytes(anyio.run(peak_object, home))
    cache = {"ANSORD_CACHE": str(options.cache or home / "cache")}
    peers = [Peer(name, python(name, options, home), cache) for name in options.peers.split(",")]
    roofs = Peer("peak", sys.executable)
    bench = Bench(peers, roofs, peak, host().threads, options.sample_seconds)
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
