"""Makes room in the cache: forgets old entries where asked, and removes the objects that nothing leads to.

A process that has a kernel loaded keeps it. Ask the daemon to stop first: the cache has one writer.
"""

from __future__ import annotations

import argparse
import time

from ansord.cli.exits import OK
from ansord.cli.places import add_json, add_places, settings_of
from ansord.cli.talk import say, show, show_json

DAY_S = 86400.0


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--older-than", type=float, metavar="DAYS", help="forget entries published before that"
    )
    parser.add_argument("--host", metavar="KEY", help="forget entries of this host only; alone: all of them")
    parser.add_argument(
        "--grace", type=float, default=1.0, metavar="DAYS", help="keep unused objects so long (1)"
    )
    add_places(parser, "cache")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    from ansord.store import Store

    cache, before = settings_of(options).cache, time.time() - (options.older_than or 0) * DAY_S
    with Store.open(cache) as store:
        forgotten = [
            entry
            for entry in store.entries()
            if (options.older_than is not None or options.host is not None)
            and entry.finished < before
            and options.host in (None, entry.host_key)
        ]
        for entry in forgotten:
            store.remove(entry.key, entry.host_key)
        removed = store.collect(options.grace * DAY_S)
    if options.json:
        keys = [{"key": entry.key, "host_key": entry.host_key} for entry in forgotten]
        show_json({"cache": str(cache), "forgotten": keys, "removed": [str(path) for path in removed]})
    else:
        for path in removed:
            show(str(path))
        say(f"{len(forgotten)} entries forgotten, {len(removed)} objects removed from {cache}")
    return OK
