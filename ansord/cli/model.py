"""How good the cost model of this host is: on each task as if it were new, and after a third of its trials.

Figures are for programs that the model has not seen, neither here nor in the prior that it began with.
`ceiling`: what a perfect model would reach, since measurements differ between two runs of one program.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ansord.cli.exits import FAILED, OK
from ansord.cli.places import add_json, add_places, settings_of
from ansord.cli.talk import percent, say, show, show_json, table

if TYPE_CHECKING:
    from ansord.search import Assessment, Known

NOISE = 0.02
"""Standard deviation of the logarithm of a measurement: 1 to 4% between two runs on two shared cores."""


def arguments(parser: argparse.ArgumentParser) -> None:
    add_places(parser, "cache", "state", "threads")
    parser.add_argument(
        "--noise", type=float, default=NOISE, metavar="SHARE", help="of one measurement, for the ceiling"
    )
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    from ansord.search import Knowledge, assess, shipped
    from ansord.tune import MEMORY, target_for
    from ansord_client.host import host
    from ansord_client.lookup import Cache

    settings = settings_of(options)
    machine = host().with_threads(settings.threads)
    path = Path(settings.state) / MEMORY.format(machine.key)
    knowledge = Knowledge(shipped(target_for(machine).vector_bytes), path)
    found = list(assess(knowledge, options.noise))
    entries = Cache(settings.cache, settings.user).entries([])
    names = {entry.key: str(entry.provenance.get("name", "")) for entry in entries}
    if options.json:
        here, prior = _size(knowledge.tasks), _size(knowledge.prior)
        about = {"file": str(path), "host": machine.key, "noise": options.noise, "prior": prior}
        rows = [asdict(one) | {"name": names.get(one.key, "")} for one in found]
        show_json(about | {"programs": here["programs"], "tasks": rows, "median": _medians(found)})
        return OK
    if not found:
        known = "{programs} programs of {tasks} tasks".format(**_size(knowledge.tasks))
        say(f"ansord: {path}: {known}: too few to judge by")
        return FAILED
    show(table(("KEY", "NAME", "PROGRAMS", "MODEL", "PAIRWISE", "RECALL", "REGRET"), _rows(found, names)))
    return OK


def _size(tasks: dict[str, Known]) -> dict[str, int]:
    return {"programs": sum(len(known.samples) for known in tasks.values()), "tasks": len(tasks)}


HOWS = ("paper", "unseen", "seen", "best")


def _rows(found: list[Assessment], names: dict[str, str]) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for one in found:
        figures = {how: asdict(getattr(one, how)) for how in HOWS}
        rows += _block((one.key[:12], names.get(one.key, ""), one.best.programs), figures)
    return rows + _block(("median", f"{len(found)} tasks", ""), _medians(found))


def _block(head: tuple[object, ...], figures: dict[str, dict[str, float]]) -> list[tuple[object, ...]]:
    """A row for each model, the head before the first."""
    return [
        (
            *(head if how == HOWS[0] else ("", "", "")),
            "ceiling" if how == "best" else how,
            *(percent(of[field]) for field in ("pairwise", "recall", "regret")),
        )
        for how, of in figures.items()
    ]


def _medians(found: list[Assessment]) -> dict[str, dict[str, float]]:
    from statistics import median

    fields = ("pairwise", "recall", "regret")
    return {
        how: {field: median(getattr(getattr(one, how), field) for one in found) for field in fields}
        for how in HOWS
        if found
    }
