"""The options that many commands share: where the cache, the inbox and the state are, and who reads them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import shtab

if TYPE_CHECKING:
    from ansord.daemon import Settings


def add_places(parser: argparse.ArgumentParser, *names: str) -> None:
    """`--config` and those of `--cache`, `--inbox`, `--state`, `--threads` that are named."""
    says = {
        "cache": "where kernels are published",
        "inbox": "the watched directory",
        "state": "records and status of the daemon",
    }
    for name in names:
        if name == "threads":
            parser.add_argument("--threads", type=int, metavar="N", help="CPUs that a kernel may use")
        else:
            option = parser.add_argument(f"--{name}", type=Path, metavar="DIR", help=says[name])
            _complete(option, shtab.DIRECTORY)
    option = parser.add_argument(
        "--config", type=Path, metavar="FILE", help="instead of ansord.toml's usual places"
    )
    _complete(option, shtab.FILE)


def add_files(parser: argparse.ArgumentParser, nargs: str = "+") -> None:
    """The subgraph files that a command works on."""
    option = parser.add_argument(
        "files", nargs=nargs, type=Path, metavar="FILE", help="a subgraph file (JSON)"
    )
    _complete(option, shtab.FILE)


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object, with a schema_version")


def settings_of(options: argparse.Namespace) -> Settings:
    """Options beat environment, which beats ansord.toml. Raises BadConfig."""
    from ansord.daemon import load_settings

    names = ("config", "cache", "inbox", "state", "threads", "seed")
    return load_settings({name: getattr(options, name, None) for name in names})


def _complete(option: argparse.Action, how: object) -> None:
    option.complete = how  # type: ignore[attr-defined]  # shtab's way of asking
