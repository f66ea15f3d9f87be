"""Prints a completion script, for `~/.local/share/bash-completion/completions/ansord` or its like."""

from __future__ import annotations

import argparse

import shtab

from ansord.cli.exits import OK
from ansord.cli.talk import show


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=shtab.SUPPORTED_SHELLS)


def run(options: argparse.Namespace) -> int:
    from ansord.cli.main import parser

    show(shtab.complete(parser(), options.shell))
    return OK
