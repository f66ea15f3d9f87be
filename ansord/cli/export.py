"""Writes kernels of the cache into one file, for `ansord import` on another machine or in an image."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from ansord.cli.bundle import write_bundle
from ansord.cli.exits import OK
from ansord.cli.places import add_json, add_places, settings_of
from ansord.cli.talk import say, show_json
from ansord_client import layout
from ansord_client.entry import Entry
from ansord_client.errors import AnsordError
from ansord_client.lookup import Cache


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="the file to write")
    parser.add_argument("keys", nargs="*", metavar="KEY", help="first digits of keys; none: all")
    parser.add_argument("--host", metavar="KEY", help="of this host only")
    add_places(parser, "cache")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    settings = settings_of(options)
    wanted = tuple(options.keys) or ("",)
    entries = [
        entry
        for entry in Cache(settings.cache, settings.user).entries()
        if entry.key.startswith(wanted) and options.host in (None, entry.host_key)
    ]
    if not entries:
        raise AnsordError(f"no kernel in {settings.cache} fits")
    count = write_bundle(options.bundle, kernels(settings.cache, entries))
    if options.json:
        show_json({"bundle": str(options.bundle), "kernels": count})
    else:
        say(f"{count} kernels written to {options.bundle}")
    return OK


def kernels(cache: Path, entries: list[Entry]) -> Iterator[tuple[Entry, bytes]]:
    for entry in entries:
        yield entry, cache.joinpath(layout.VERSION, *layout.object_parts(entry.object)).read_bytes()
