"""Prints the roofs of this machine: multiply-adds a second by type, bytes a second by memory level.

    python benchmarks/peak.py [--threads N] [--rounds N] [--compiler gcc]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import anyio

from ansord.build import Builder, find_compiler
from ansord.measure import Stand, peak


async def measure(threads: int | None, rounds: int, name: str | None) -> None:
    """Measure once and print."""
    compiler = find_compiler(name)
    with tempfile.TemporaryDirectory() as folder:
        async with (
            Builder(compiler, workers=1, directory=Path(folder)) as builder,
            Stand(builder, Path(folder), threads=threads) as stand,
        ):
            print(f"{compiler}, {compiler.target}")
            print(await peak(stand, rounds))


def main() -> None:
    """Read the options."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--threads", type=int, help="cores to use (all that this process may use)")
    parser.add_argument("--rounds", type=int, default=10, help="interleaved tries; the highest counts")
    parser.add_argument("--compiler", help="a name or a path (gcc, else clang)")
    options = parser.parse_args()
    anyio.run(measure, options.threads, options.rounds, options.compiler)


if __name__ == "__main__":
    main()
