"""python -m benchmarks.search COMMAND: see the modules of this folder."""

from __future__ import annotations

import argparse
from pathlib import Path

import anyio

from benchmarks.search.record import record


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search", description=__doc__)
    parser.add_argument("--pools", type=Path, default=Path(".bench/pools"), help="where the pools are")
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("record", help="measure programs of tasks into pools")
    one.add_argument("names", nargs="+", metavar="EXAMPLE", help="such as paper/c2d_3")
    one.add_argument("--count", type=int, default=1000, help="programs of each task")
    one.add_argument("--seconds", type=float, default=100, help="of this call, in all")
    options = parser.parse_args()
    if options.command == "record":
        anyio.run(record, options.names, options.pools, options.count, options.seconds)


if __name__ == "__main__":
    main()
