"""The command line's entry: one table of commands, one place where mistakes become exit codes.

A command's module has `arguments(parser)` and `run(options)`, which returns an exit code; what is heavy to
import is imported by `run`. A person's mistake is one line on stderr, never a traceback.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from types import ModuleType

from ansord import __version__
from ansord.cli import (
    bench,
    completion,
    doctor,
    explain,
    export,
    gc,
    import_,
    ls,
    model,
    serve,
    status,
    submit,
    top,
    tune,
    verify,
    warm,
)
from ansord.cli import show as show_command
from ansord.cli.exits import code_of
from ansord.cli.talk import printable, say
from ansord_client.errors import AnsordError

COMMANDS: tuple[tuple[str, ModuleType, str], ...] = (
    ("serve", serve, "run the daemon: tune what is dropped into the inbox"),
    ("tune", tune, "tune files now, in the foreground"),
    ("submit", submit, "drop files into the daemon's inbox"),
    ("warm", warm, "tune all that a model runs"),
    ("status", status, "what the daemon does now"),
    ("top", top, "the same, live"),
    ("ls", ls, "the kernels in the cache"),
    ("show", show_command, "every stage of one task, from the graph to the C"),
    ("explain", explain, "why a lookup hits or misses"),
    ("bench", bench, "time tuned kernels against NumPy and the machine's peak"),
    ("verify", verify, "whether the cache is whole"),
    ("gc", gc, "make room in the cache"),
    ("export", export, "write kernels into one file"),
    ("import", import_, "publish the kernels of such a file"),
    ("model", model, "how good the cost model of this host is"),
    ("doctor", doctor, "whether this machine is fit to tune"),
    ("completion", completion, "print a completion script for a shell"),
)


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top_level = argparse.ArgumentParser(
        prog="ansord",
        description="Drop a tensor subgraph into a directory, get back the fastest verified CPU kernel.",
        epilog="Exit codes: 0 ok, 1 failed, 2 usage, 65 bad subgraph, 69 no daemon, 75 try later, "
        "77 permission, 78 configuration.",
    )
    top_level.add_argument("--version", action="version", version=f"ansord {__version__}")
    commands = top_level.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, module, says in COMMANDS:
        one = commands.add_parser(name, help=says, description=(module.__doc__ or says).split("\n\n")[0])
        module.arguments(one)
        one.set_defaults(run=module.run)
    return top_level


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; the exit code."""
    try:
        options = parser().parse_args(arguments)
    except SystemExit as error:  # argparse has said what is wrong
        return error.code if isinstance(error.code, int) else 1
    try:
        code: int = options.run(options)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # `ansord ls | head`: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    except AnsordError as error:
        say(f"ansord: {printable(str(error))}")
        return code_of(error)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        say(f"ansord: {printable(f'{where}{error.strerror or error}')}")
        return code_of(error)
