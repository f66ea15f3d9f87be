"""Whether every shard, entry and object of the cache is whole. Exits 1 if not; --mend sets damage aside."""

from __future__ import annotations

import argparse

from ansord.cli.exits import FAILED, OK
from ansord.cli.places import add_json, add_places, settings_of
from ansord.cli.talk import say, show, show_json


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--mend", action="store_true", help="move damaged files to quarantine, drop their entries"
    )
    add_places(parser, "cache")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    from ansord.store import Store, faults

    cache = settings_of(options).cache
    if options.mend:
        with Store.open(cache) as store:
            found = store.mend()
    else:
        found = faults(cache)
    if options.json:
        rows = [
            {"path": str(one.path), "reason": one.reason, "entries": [list(pair) for pair in one.entries]}
            for one in found
        ]
        show_json({"cache": str(cache), "mended": options.mend, "faults": rows})
    else:
        for one in found:
            show(str(one))
        say(f"{len(found)} faults in {cache}" + (", mended" if options.mend and found else ""))
    return FAILED if found and not options.mend else OK
