"""Every stage of one task: graph, sketches, knobs, the best program, its loops, its C, the search's curve.

A FILE that ends in .onnx is a model: its fused graph is drawn as SVG, with each task's share of the time.
A FILE that was never tuned shows the program that the estimate likes best. A KEY is looked up in the cache,
and its subgraph among the drops in the inbox's `done`.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import shtab

from ansord.cli.drawing import svg
from ansord.cli.exits import OK, Usage
from ansord.cli.models import add_dim, coverage_table, plan_of, summary, surveyed
from ansord.cli.places import add_json, add_places, settings_of
from ansord.cli.submit import checked
from ansord.cli.talk import say, show, show_json
from ansord_client.entry import Entry
from ansord_client.errors import AnsordError, BadSubgraph
from ansord_client.host import host
from ansord_client.lookup import Cache, find
from ansord_client.subgraph import Subgraph

if TYPE_CHECKING:
    from ansord.daemon import Settings
    from ansord.record import Trial
    from ansord.tune import View


def arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_argument(
        "what", nargs="?", metavar="KEY|FILE", help="a subgraph file, an ONNX model, or digits of a key"
    )
    what.complete = shtab.FILE  # type: ignore[attr-defined]
    parser.add_argument("--stage", metavar="NAME", help="one stage only; --stage list names them")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="write 00-dag.txt and so on instead of printing"
    )
    parser.add_argument("--seed", type=int, metavar="N", help="of the program of a task never tuned")
    add_dim(parser)
    add_places(parser, "cache", "inbox", "state", "threads")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    from ansord.tune import STAGES

    if options.stage == "list":
        show("\n".join(name for name, _ in STAGES))
        return OK
    if options.what is None:
        raise Usage("of what? Give a subgraph file, or the first digits of a key")
    if options.what.endswith(".onnx"):
        return show_model(Path(options.what), options)
    stages = [(name, text) for name, text in STAGES if options.stage in (None, name)]
    if not stages:
        raise Usage(f"no stage {options.stage}; there are {', '.join(name for name, _ in STAGES)}")
    settings = settings_of(options)
    subgraph = subgraph_of(options.what, settings)
    cache = Cache(settings.cache, settings.user)
    hit = find([cache], subgraph.key, host().with_threads(settings.threads)).hit
    view = view_of(subgraph, hit.entry if hit else None, settings)
    texts = {name: text(view) for name, text in stages}
    if options.json:
        summary = hit.entry.summary(subgraph.name) if hit else None
        show_json({"key": subgraph.key, "entry": summary, "stages": texts})
    elif options.out:
        write(texts, [name for name, _ in STAGES], options.out)
    elif options.stage:
        show(texts[options.stage].rstrip("\n"))
    else:
        show("\n\n".join(f"── {name} ──\n{text.rstrip()}" for name, text in texts.items()))
    return OK


def show_model(path: Path, options: argparse.Namespace) -> int:
    """The picture to stdout or into a folder; a terminal gets the table of tasks instead."""
    plan = plan_of(path, options)
    found = surveyed(plan, settings_of(options))
    if options.json:
        show_json({**summary(plan, found), "svg": svg(plan, found)})
    elif options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        picture = options.out / f"{path.stem}.svg"
        picture.write_text(svg(plan, found))
        say(f"wrote {picture}")
    elif sys.stdout.isatty():
        show(coverage_table(plan, found))
        say("the picture: --out DIR, or > FILE.svg")
    else:
        show(svg(plan, found).rstrip("\n"))
    return OK


def write(texts: dict[str, str], order: list[str], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        ending = "c" if name == "c" else "txt"
        (folder / f"{order.index(name):02d}-{name}.{ending}").write_text(text)
    say(f"wrote {len(texts)} files into {folder}")


def view_of(subgraph: Subgraph, entry: Entry | None, settings: Settings) -> View:
    """The task with what is known of it: the published program, and the trials of the journal."""
    from ansord.tune import Task, View, target_for

    here = host().with_threads(settings.threads)
    task = Task(subgraph, target_for(here))
    trials = trials_of(settings.state, subgraph.key, here.key)
    return View(task, entry.program if entry else None, trials, settings.seed)


def trials_of(state: Path, key: str, host_key: str) -> list[Trial]:
    """From the journal, which a daemon may be writing."""
    from ansord.record import BadRecord, Trial
    from ansord.store import replay
    from ansord.tune import JOURNAL

    found = []
    for payload in replay(state / JOURNAL):
        with contextlib.suppress(BadRecord):
            trial = Trial.from_bytes(payload)
            if (trial.key, trial.host_key) == (key, host_key):
                found.append(trial)
    return found


def subgraph_of(what: str, settings: Settings) -> Subgraph:
    """Of a file, or of the drop whose key begins with these digits. Raises BadSubgraph, AnsordError."""
    if Path(what).is_file() or not re.fullmatch(r"[0-9a-f]{4,64}", what):
        return Subgraph.from_json(checked(Path(what)))
    for path in sorted((settings.inbox / "done").glob("*.json")):
        try:
            subgraph = Subgraph.from_json(path.read_bytes())
        except (OSError, BadSubgraph):
            continue  # a result, not a drop
        if subgraph.key.startswith(what):
            return subgraph
    raise AnsordError(
        f"no drop in {settings.inbox / 'done'} has a key that begins with {what}; give its file"
    )
