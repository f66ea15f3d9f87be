"""Publishes the kernels of a bundle that `ansord export` wrote, unless the cache has faster ones.

Importing is trusting: clients will run this code. Damaged kernels are refused.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ansord.cli.bundle import BadBundle, read_bundle
from ansord.cli.exits import OK
from ansord.cli.places import add_json, add_places, settings_of
from ansord.cli.talk import say, show_json


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="a file that export wrote")
    add_places(parser, "cache")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    from ansord.store import Store

    published, kept = 0, 0
    with Store.open(settings_of(options).cache) as store:
        for entry, code in read_bundle(options.bundle):
            known = store.find(entry.key, entry.host_key)
            if known is not None and known.latency_us <= entry.latency_us:
                kept += 1
                continue
            try:
                store.publish(entry, code)
            except ValueError as error:
                raise BadBundle(f"{options.bundle}: {error}") from error
            published += 1
    if options.json:
        show_json({"bundle": str(options.bundle), "published": published, "kept": kept})
    else:
        say(f"{published} kernels published, {kept} were there already, as fast or faster")
    return OK
