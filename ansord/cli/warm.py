"""Partitions an ONNX model, submits all its tasks with their weights, reports how much kernels cover.

Where the last cache will not keep the model's constants, kernels are timed with constants from memory.
Coverage is the share of the model's estimated latency that tuned kernels take. With --wait the command stays
until every task has its result, or until --deadline; it exits 75 if coverage is below --min-coverage then.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import shtab

from ansord.cli.exits import DEADLINE, FAILED, OK, NoDaemon, Usage
from ansord.cli.models import add_dim, coverage_table, headline, plan_of, summary, surveyed
from ansord.cli.places import add_json, add_places, settings_of
from ansord.cli.submit import Submitted, submit
from ansord.cli.talk import say, show, show_json
from ansord_client.host import host
from ansord_client.models import Plan, Survey
from ansord_client.models.batch import LEFT
from ansord_client.subgraph import Subgraph

if TYPE_CHECKING:
    from ansord.daemon import Settings

LOOK_EVERY_S = 0.5
UNFELT = 250
"""Flops for each byte of constants from which on it is no matter where these come from: reading them takes a
fortieth of the time where the machine computes 6 flops in the time of a byte. So it is with batches."""
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def arguments(parser: argparse.ArgumentParser) -> None:
    model = parser.add_argument("model", type=Path, metavar="MODEL.onnx", help="an ONNX model")
    model.complete = shtab.FILE  # type: ignore[attr-defined]
    add_dim(parser)
    parser.add_argument("--wait", action="store_true", help="until every task has its result")
    parser.add_argument(
        "--min-coverage", type=_share, metavar="R", help="0 to 1: exit 75 when it ends below (1 with --wait)"
    )
    parser.add_argument("--deadline", type=_seconds, metavar="30m", help="wait no longer: 90s, 30m, 2h")
    add_places(parser, "cache", "inbox", "state", "threads")
    add_json(parser)


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"found {text}, wanted 0 to 1")
    return value


def _seconds(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text)
    if not found:
        raise argparse.ArgumentTypeError(f"found {text}, wanted a time such as 90s, 30m or 2h")
    return float(found[1]) * _UNITS[found[2] or "s"]


def run(options: argparse.Namespace) -> int:
    from ansord.daemon import holder

    if options.deadline is not None and not options.wait:
        raise Usage("--deadline needs --wait")
    settings = settings_of(options)
    plan = plan_of(options.model, options)
    drops = submit(texts_of(plan, options.deadline), settings.inbox)
    say(f"dropped {len(drops)} tasks of {plan.name} into {settings.inbox}")
    if plan.parts > 1:
        say(f"its batch runs in {plan.parts} parts, whose values stay in the cache")
    for one in surveyed(plan, settings).foreign:
        say(f"not covered: {one.count} x {one.name}, {one.flops / max(plan.flops, 1):.1%} of the flops")
    alive = holder(settings.state) is not None
    if not alive:
        say("no daemon is running here; it will find the drops when it starts: ansord serve")
        if options.wait:
            raise NoDaemon("nobody to wait for")
    failures: dict[str, dict[str, Any]] = {}
    done = True
    if options.wait:
        done = wait(plan, drops, settings, options.deadline, failures)
    found = surveyed(plan, settings)
    report(plan, found, failures, options)
    return verdict(found.coverage, done, failures, options)


def texts_of(plan: Plan, deadline_s: float | None = None) -> dict[Path, bytes]:
    """A drop for each task, named after the model and the key; the daemon hears of the deadline, too. Where
    the last cache will not keep the constants of all from call to call, kernels are timed as the model runs
    them: with constants from memory."""
    held = sum(constant_bytes(call.subgraph) for call in plan.calls)
    cold = held > LEFT * host().last_cache
    stem = re.sub(r"[^A-Za-z0-9_-]+", "_", plan.name)[:80] or "model"
    found = {}
    for sg in (task.subgraph for task in plan.tasks):
        felt = cold and sg.flops < UNFELT * constant_bytes(sg)
        tuning = replace(sg.tuning, cold=felt, deadline_s=deadline_s)
        text = json.dumps(replace(sg, tuning=tuning).to_dict(), indent=1)
        found[Path(f"{stem}-{sg.key[:16]}.json")] = text.encode()
    return found


def constant_bytes(subgraph: Subgraph) -> int:
    """Of its inputs that are constants."""
    return sum(one.nbytes for one in subgraph.inputs if one.constant)


def wait(
    plan: Plan,
    drops: list[Submitted],
    settings: Settings,
    deadline_s: float | None,
    failures: dict[str, dict[str, Any]],
) -> bool:
    """Until each drop has its record: True; False when the deadline came first. Collects what failed."""
    from ansord.daemon import holder

    started, open_drops, tell = time.monotonic(), list(drops), progress()
    try:
        while True:
            alive = holder(settings.state) is not None
            for one in list(open_drops):
                outcome = one.outcome(settings.inbox)
                if outcome is not None:
                    open_drops.remove(one)
                    if outcome[0] == "failed":
                        failures[one.name] = outcome[1]
            tell(f"{headline(plan, surveyed(plan, settings))}, {len(drops) - len(open_drops)} are done")
            if not open_drops:
                return True
            if deadline_s is not None and time.monotonic() - started >= deadline_s:
                return False
            if not alive:
                raise NoDaemon(f"the daemon ended; {len(open_drops)} drops wait for the next")
            time.sleep(LOOK_EVERY_S)
    finally:
        tell("")


def progress() -> Callable[[str], None]:
    """Shows the state of things: one live line at a terminal, else a line whenever it changes; "" ends it."""
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.live import Live
        from rich.text import Text

        live = Live(console=Console(stderr=True), auto_refresh=False, transient=True)
        live.start()

        def draw(line: str) -> None:
            live.update(Text(line), refresh=True)
            if not line:
                live.stop()

        return draw
    told = [""]

    def tell(line: str) -> None:
        if line and line != told[0]:
            told[0] = line
            say(line)

    return tell


def report(
    plan: Plan, found: Survey, failures: dict[str, dict[str, Any]], options: argparse.Namespace
) -> None:
    """To stdout, what failed to stderr."""
    for name, record in failures.items():
        say(f"failed: {name}: {record.get('cause')}: found {record.get('found')} at {record.get('path')}")
    if options.json:
        show_json({**summary(plan, found), "failed": failures})
    else:
        show(coverage_table(plan, found))
        show(headline(plan, found))


def verdict(
    coverage: float, done: bool, failures: dict[str, dict[str, Any]], options: argparse.Namespace
) -> int:
    """75 below the wanted coverage, where more time may help; 1 where it will not, or tasks failed."""
    wanted = options.min_coverage
    if wanted is None:
        wanted = 0.0 if not options.wait or done else 1.0
    if coverage < wanted:
        return FAILED if options.wait and done else DEADLINE
    return FAILED if failures and options.min_coverage is None else OK
