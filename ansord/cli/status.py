"""What the daemon does now. Says so, and exits 69, when none is running."""

from __future__ import annotations

import argparse
import time
from typing import Any

from ansord.cli.exits import OK, NoDaemon
from ansord.cli.places import add_json, add_places, settings_of
from ansord.cli.talk import duration, latency, percent, printable, show, show_json, table


def arguments(parser: argparse.ArgumentParser) -> None:
    add_places(parser, "state")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    from ansord.daemon import read_status

    settings = settings_of(options)
    status = read_status(settings.state)
    if status is None:
        raise NoDaemon(f"no daemon is running on {settings.state}; start one with: ansord serve")
    if options.json:
        show_json(status)
    else:
        show("\n".join(lines(status)))
    return OK


def lines(status: dict[str, Any]) -> list[str]:
    """The status for people."""
    counts, now = status.get("counts", {}), time.time()
    age = f", up {duration(now - status['started'])}" if "started" in status else ""
    found = [f"{status['state']} (pid {status['pid']}{age})"]
    if status.get("trouble"):
        found.append(f"trouble   {printable(status['trouble'])}")
    for name in ("inbox", "cache", "host_key", "compiler"):
        if name in status:
            found.append(f"{name.removesuffix('_key'):<9} {printable(str(status[name]))}")
    if counts:
        tail = f", {counts['drops_pending']} not yet taken" if counts["drops_pending"] else ""
        found.append(f"drops     {counts['drops_done']} done, {counts['drops_failed']} failed{tail}")
    if status["tasks"]:
        found += ["", tasks_table(status), "", *reasons(status)]
    return found


def gain(task: dict[str, Any]) -> str:
    """What a second of tuning is expected to bring, weighted over the models that run the task."""
    rate = task.get("gain_per_s")
    return "" if rate is None else f"{rate:.3g} {task['gain_unit']}"


def reasons(status: dict[str, Any]) -> list[str]:
    """Why each task is next or not; tasks of one reason share a line."""
    names: dict[str, list[str]] = {}
    for task in status["tasks"]:
        if why := task.get("why"):
            names.setdefault(why, []).append(printable(task["name"]))
    return [
        f"{', '.join(some[:3])}{f' and {len(some) - 3} more' * (len(some) > 3)}: {why}"
        for why, some in names.items()
    ]


def tasks_table(status: dict[str, Any]) -> str:
    return table(
        ("", "TASK", "TRIALS", "FAILED", "SECONDS", "BEST", "GFLOP/S", "OF BOUND", "GAIN"),
        [
            (
                "*" if task["key"] == status.get("current") else "",
                task["name"],
                f"{task['trials']}/{task['trials_wanted']}",
                task["failed_trials"],
                f"{task['seconds']:.0f}/{task['seconds_wanted']:.0f}",
                latency(task["latency_us"]),
                task["gflops"],
                f"{percent(task['share_of_bound'])} {task['bound'] or ''}".strip(),
                gain(task),
            )
            for task in status["tasks"]
        ],
    )
