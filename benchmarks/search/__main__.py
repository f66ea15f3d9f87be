"""Experiments with the search. `COMMAND --help` says more of each."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from types import ModuleType

from benchmarks.search import ablate, converge, prior, quality, rates, reach, record, replay

COMMANDS: Mapping[str, ModuleType] = {
    "record": record,
    "prior": prior,
    "quality": quality,
    "replay": replay,
    "ablate": ablate,
    "converge": converge,
    "reach": reach,
    "rates": rates,
}
"""Each has `arguments(parser)` and `run(options)`; the first line of its text says what it is."""


def main(words: list[str] | None = None) -> None:
    """Read the options."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, module in COMMANDS.items():
        text = module.__doc__ or ""
        one = commands.add_parser(name, help=text.partition("\n")[0], description=text, formatter_class=raw)
        module.arguments(one)
    options = parser.parse_args(words)
    COMMANDS[options.command].run(options)


if __name__ == "__main__":
    main()
