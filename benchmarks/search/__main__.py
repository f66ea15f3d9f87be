"""python -m benchmarks.search COMMAND: see the modules of this folder."""

from __future__ import annotations

import argparse
from pathlib import Path

import anyio

from benchmarks.search.ablate import ablate
from benchmarks.search.prior import FILE, judge, write
from benchmarks.search.record import HELD_OUT, TAUGHT, record
from benchmarks.search.replay import replay


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search", description=__doc__)
    parser.add_argument("--pools", type=Path, default=Path(".bench/pools"), help="where the pools are")
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("record", help="measure programs of tasks into pools")
    one.add_argument("names", nargs="*", metavar="EXAMPLE", help="such as paper/c2d_3; all of ours")
    one.add_argument("--count", type=int, default=5000, help="programs of each task")
    one.add_argument("--seconds", type=float, default=float("inf"), help="of this call, in all")
    two = commands.add_parser("replay", help="compare strategies on the pools")
    two.add_argument("names", nargs="*", metavar="TASK", help="such as c2d_3; all by default")
    two.add_argument("--seeds", type=int, default=100)
    two.add_argument("--trials", type=int, default=128)
    two.add_argument("--into", type=Path, help="where curves are drawn")
    three = commands.add_parser("ablate", help="measure the search with parts left out; draw the curves")
    three.add_argument("names", nargs="+", metavar="EXAMPLE")
    three.add_argument("--into", type=Path, default=Path(".bench/ablations"))
    three.add_argument("--seeds", type=int, default=3)
    three.add_argument("--trials", type=int, default=64)
    three.add_argument("--seconds", type=float, default=100, help="of this call, in all")
    four = commands.add_parser("prior", help="write the prior that ansord ships")
    four.add_argument("--to", type=Path, default=FILE)
    five = commands.add_parser("quality", help="judge a prior, and models of these pools, on the pools")
    five.add_argument("names", nargs="*", metavar="TASK")
    five.add_argument("--prior", type=Path, default=FILE)
    options = parser.parse_args()
    options.pools = options.pools.resolve()  # compilers work elsewhere
    if options.command == "record":
        names = options.names or [*HELD_OUT, *TAUGHT]
        anyio.run(record, names, options.pools, options.count, options.seconds)
    elif options.command == "replay":
        replay(options.pools, options.names, options.seeds, options.trials, options.into, print)
    elif options.command == "ablate":
        ablate(options.names, options.into, options.seeds, options.trials, options.seconds)
    elif options.command == "prior":
        print(write(options.pools, options.to))
    elif options.command == "quality":
        judge(options.pools, options.prior, options.names, print)


if __name__ == "__main__":
    main()
