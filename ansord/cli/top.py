"""The status, live, until Ctrl-C. Without a terminal it prints it once."""

from __future__ import annotations

import argparse
import sys
import time

from ansord.cli import status
from ansord.cli.exits import OK, NoDaemon
from ansord.cli.places import add_places, settings_of


def arguments(parser: argparse.ArgumentParser) -> None:
    add_places(parser, "state")
    parser.add_argument("--every", type=float, default=1.0, metavar="SECONDS", help="between looks (1)")


def run(options: argparse.Namespace) -> int:
    from ansord.daemon import read_status

    if not sys.stdout.isatty():
        options.json = False
        return status.run(options)
    from rich.live import Live
    from rich.text import Text

    state = settings_of(options).state
    with Live(screen=True, auto_refresh=False) as live:
        try:
            while True:
                found = read_status(state)
                if found is None:
                    raise NoDaemon(f"no daemon is running on {state}")
                live.update(Text("\n".join(status.lines(found))), refresh=True)
                time.sleep(max(0.1, options.every))
        except KeyboardInterrupt:
            return OK
