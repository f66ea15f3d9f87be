"""Why a lookup hits or misses: what the key and the host key are made of, and each rung of the ladder.

Exits 1 on a miss.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ansord.cli.exits import FAILED, OK
from ansord.cli.places import add_json, add_places, settings_of
from ansord.cli.submit import checked
from ansord.cli.talk import printable, show, show_json
from ansord_client.host import Host, host
from ansord_client.lookup import Cache, find
from ansord_client.subgraph import Subgraph


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a subgraph file (JSON)")
    add_places(parser, "cache", "threads")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    settings = settings_of(options)
    subgraph = Subgraph.from_json(checked(Path(options.file)))
    here = host().with_threads(settings.threads)
    cache = Cache(settings.cache, settings.user)
    found = find([cache], subgraph.key, here)
    others = [entry for entry in cache.entries() if entry.key == subgraph.key]
    value: dict[str, Any] = {
        "file": options.file,
        "key": subgraph.key,
        "host_key": here.key,
        "hit": found.hit is not None,
        "degraded": found.hit.degraded if found.hit else False,
        "trail": list(found.trail),
        "ingredients": ingredients(subgraph),
        "host": {"arch": here.arch, "isa": list(here.isa), "threads": here.threads},
        "others": [
            {"host_key": entry.host_key, "threads": entry.threads, "isa_lacking": lacking(entry.isa, here)}
            for entry in others
        ],
        "entry": found.hit.entry.summary(subgraph.name) if found.hit else None,
    }
    if options.json:
        show_json(value)
    else:
        show("\n".join(_lines(value, settings.origin)))
    return OK if found.hit else FAILED


def ingredients(subgraph: Subgraph) -> dict[str, Any]:
    """All that enters the key, in canonical order; names, weights and budgets do not."""
    return {
        "numerics": subgraph.numerics,
        "inputs": [
            f"{one.dtype}{list(one.shape)}{' constant' if one.constant else ''}" for one in subgraph.inputs
        ],
        "nodes": [
            f"{node.op}{_attrs(node.attrs)} -> {node.dtype}{list(node.shape)}" for node in subgraph.live
        ],
        "outputs": len(subgraph.outputs),
    }


def _attrs(attrs: Any) -> str:
    return f"({', '.join(f'{name}={value}' for name, value in attrs.items())})" if attrs else ""


def lacking(isa: tuple[str, ...], here: Host) -> list[str]:
    return sorted(set(isa) - set(here.isa))


def _lines(value: dict[str, Any], origin: Any) -> list[str]:
    made = value["ingredients"]
    lines = [
        f"key       {value['key']}",
        f"  numerics  {made['numerics']}",
        *(f"  input     {one}" for one in made["inputs"]),
        *(f"  node      {one}" for one in made["nodes"]),
        f"host key  {value['host_key']}",
        f"  arch      {value['host']['arch']}",
        f"  threads   {value['host']['threads']} ({origin.get('threads', 'default')})",
        f"  isa       {' '.join(value['host']['isa'])}",
        *(f"no        {printable(line)}" for line in value["trail"]),
    ]
    for other in value["others"]:
        lack = f", lacking here: {' '.join(other['isa_lacking'])}" if other["isa_lacking"] else ""
        if other["host_key"] != value["host_key"]:
            lines.append(f"other     tuned on {other['host_key']} with {other['threads']} threads{lack}")
    if value["hit"]:
        how = "degraded: made for another host" if value["degraded"] else "exact"
        lines.append(f"hit       {how}; object {value['entry']['object'][:12]}")
    else:
        lines.append(f"miss      ansord submit {value['file']}")
    return lines
