"""Tunes files now, in the foreground, publishes the kernels and prints a table.

Where a daemon owns the cache, the work goes to it. With --cache, the records lie in the cache's own folder.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio

from ansord.cli import status
from ansord.cli.exits import FAILED, OK
from ansord.cli.places import add_files, add_json, add_places, settings_of
from ansord.cli.submit import checked, results_table, submit, wait
from ansord.cli.talk import say, show, show_json
from ansord_client.errors import AnsordError, BadConfig
from ansord_client.subgraph import Subgraph

if TYPE_CHECKING:
    from ansord.daemon import Settings

Results = list[tuple[str, str, dict[str, Any]]]
"""(name, "done" or "failed", record)."""


def arguments(parser: argparse.ArgumentParser) -> None:
    add_files(parser)
    parser.add_argument(
        "--trials", type=int, metavar="N", help="programs to try, instead of the files' own wish"
    )
    parser.add_argument("--seconds", type=float, metavar="S", help="for each file, instead of its own wish")
    parser.add_argument("--seed", type=int, metavar="N", help="the search's randomness (0)")
    add_places(parser, "cache", "state", "inbox", "threads")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    from ansord.daemon import configure_logs

    settings = settings_of(options)
    configure_logs("critical")  # what goes wrong is in the table
    texts = {file: wished(checked(file), options) for file in options.files}
    results = hand_over(texts, settings)
    if results is None:
        if options.cache is not None and settings.origin["state"] == "default":
            settings = replace(settings, state=settings.cache / "state")
        results = tune_here(texts, settings)
    if options.json:
        show_json({"cache": str(settings.cache), "results": [record for _, _, record in results]})
    else:
        show(results_table(results))
    return FAILED if any(folder == "failed" for _, folder, _ in results) else OK


def wished(text: bytes, options: argparse.Namespace) -> bytes:
    """The drop with the command line's budget. Raises BadSubgraph for one that no file could have."""
    wish = {name: value for name in ("trials", "seconds") if (value := getattr(options, name)) is not None}
    if not wish:
        return text
    value = json.loads(text)
    changed = json.dumps({**value, "tuning": {**value.get("tuning", {}), **wish}}).encode()
    Subgraph.from_json(changed)
    return changed


def hand_over(texts: dict[Path, bytes], settings: Settings) -> Results | None:
    """To the daemon that is the cache's only writer; None where there is none."""
    from ansord.daemon import owner_of

    owner = owner_of(settings)
    if owner is None:
        return None
    say(f"a daemon owns {settings.cache}: the work goes to its inbox, {owner.inbox}")
    drops = submit(texts, owner.inbox)
    outcomes = wait(drops, owner.inbox, owner.state)
    return [(one.name, *outcomes[one]) for one in drops]


def tune_here(texts: dict[Path, bytes], settings: Settings) -> Results:
    """In this process, with a display of what is going on. Raises StoreBusy where another one writes."""
    from ansord.daemon import opening, tune_all

    try:
        settings.state.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadConfig(f"the state directory {settings.state} cannot be used: {error.strerror}") from error
    begin = opening(settings)
    drops = {file.name.removesuffix(".json"): text for file, text in texts.items()}
    if len(drops) < len(texts):
        raise AnsordError("two files of one name: their results could not be told apart")

    async def live() -> Results:
        return await tune_all(begin, drops, display(), settings.rules, settings.seed)

    return anyio.run(live)


def display() -> Callable[[list[dict[str, Any]]], None]:
    """A live table at a terminal, else a line whenever a task's best changes."""
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.live import Live
        from rich.text import Text

        live = Live(console=Console(stderr=True), auto_refresh=False, transient=True)
        live.start()

        def draw(tasks: list[dict[str, Any]]) -> None:
            live.update(Text(status.tasks_table({"tasks": tasks})), refresh=True)
            if not tasks:
                live.stop()

        return draw
    told: dict[str, Any] = {}
    started = time.monotonic()

    def tell(tasks: list[dict[str, Any]]) -> None:
        for task in tasks:
            best = task["latency_us"]
            if best is not None and told.get(task["key"]) != best:
                told[task["key"]] = best
                after = f"{time.monotonic() - started:6.1f} s"
                say(f"{after}  {task['name']}: {best:.1f} µs after {task['trials']} trials")

    return tell
