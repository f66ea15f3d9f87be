"""Drops subgraph files into the inbox: whole or not at all, and never over another drop."""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansord.cli.exits import FAILED, OK, NoDaemon
from ansord.cli.places import add_files, add_json, add_places, settings_of
from ansord.cli.talk import latency, percent, printable, say, show, show_json, table
from ansord_client.drop import drop
from ansord_client.errors import AnsordError, BadSubgraph
from ansord_client.subgraph import load_subgraph

MOST_NAMES = 1000


def arguments(parser: argparse.ArgumentParser) -> None:
    add_files(parser)
    parser.add_argument("--wait", action="store_true", help="until each has its result; 1 if any failed")
    add_places(parser, "inbox", "state")
    add_json(parser)


Mark = tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Submitted:
    """A drop of ours, and what lay under its name before: that is not its outcome."""

    file: Path
    name: str
    sha256: str
    before: tuple[Mark, Mark]

    def outcome(self, inbox: Path) -> tuple[str, dict[str, Any]] | None:
        """("done" or "failed", the record), once the daemon has written it."""
        paths, marks = records(inbox, self.name), marks_of(inbox, self.name)
        for folder, path, mark, before in zip(("done", "failed"), paths, marks, self.before, strict=True):
            if mark is None or mark == before:
                continue
            try:
                record: dict[str, Any] = json.loads(path.read_bytes())
            except (OSError, ValueError):
                continue
            if record.get("drop_sha256") in (self.sha256, None):
                return folder, record
            what = {"path": "$", "found": "a newer drop of the same name", "cause": "replaced"}
            return "failed", what
        return None


def records(inbox: Path, name: str) -> tuple[Path, Path]:
    return inbox / "done" / f"{name}.result.json", inbox / "failed" / f"{name}.error.json"


def marks_of(inbox: Path, name: str) -> tuple[Mark, Mark]:
    """Each changes whenever its file is written anew."""

    def mark(path: Path) -> Mark:
        try:
            found = path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns

    done, failed = records(inbox, name)
    return mark(done), mark(failed)


def submit(texts: Mapping[Path, bytes], inbox: Path) -> list[Submitted]:
    """Drops the bytes, which read as subgraphs, under the names of their files. Raises OSError."""
    return [_drop(file, text, inbox) for file, text in texts.items()]


def checked(file: Path) -> bytes:
    """The file's bytes, which read as a subgraph. Raises BadSubgraph with the file's name in its path."""
    try:
        load_subgraph(file)
    except BadSubgraph as error:
        raise BadSubgraph(
            f"{file}: {error.path}", error.found, error.wanted, error.cause, error.hint
        ) from error
    return file.read_bytes()


def _drop(file: Path, text: bytes, inbox: Path) -> Submitted:
    stem = file.name.removesuffix(".json") or "subgraph"
    for number in range(1, MOST_NAMES):
        name = stem if number == 1 else f"{stem}-{number}"
        before = marks_of(inbox, name)
        if drop(inbox, f"{name}.json", text):
            return Submitted(file, name, hashlib.sha256(text).hexdigest(), before)
    raise AnsordError(f"{inbox}: {MOST_NAMES} drops named {stem} wait there already")


def run(options: argparse.Namespace) -> int:
    from ansord.daemon import holder

    settings = settings_of(options)
    texts = {file: checked(file) for file in options.files}  # all of them, before the first is dropped
    drops = submit(texts, settings.inbox)
    for one in drops:
        say(f"dropped {printable(str(one.file))} as {printable(one.name)}.json into {settings.inbox}")
    alive = holder(settings.state) is not None
    if not alive:
        say("no daemon is running here; it will find the drops when it starts: ansord serve")
    if not options.wait:
        if options.json:
            show_json({"inbox": str(settings.inbox), "drops": [_row(one, None) for one in drops]})
        return OK
    if not alive:
        raise NoDaemon("nobody to wait for")
    outcomes = wait(drops, settings.inbox, settings.state)
    if options.json:
        show_json({"inbox": str(settings.inbox), "drops": [_row(one, outcomes[one]) for one in drops]})
    else:
        show(results_table([(one.name, *outcomes[one]) for one in drops]))
    return FAILED if any(folder == "failed" for folder, _ in outcomes.values()) else OK


def wait(drops: list[Submitted], inbox: Path, state: Path) -> dict[Submitted, tuple[str, dict[str, Any]]]:
    """Until each drop has its record. Raises NoDaemon when the daemon goes before that."""
    from ansord.daemon import holder

    outcomes: dict[Submitted, tuple[str, dict[str, Any]]] = {}
    while True:
        alive = holder(state) is not None
        for one in drops:
            if one not in outcomes and (outcome := one.outcome(inbox)):
                outcomes[one] = outcome
        if len(outcomes) == len(drops):
            return outcomes
        if not alive:
            raise NoDaemon(
                f"the daemon ended; {len(drops) - len(outcomes)} drops wait in {inbox} for the next"
            )
        time.sleep(0.2)


def _row(one: Submitted, outcome: tuple[str, dict[str, Any]] | None) -> dict[str, Any]:
    folder, record = outcome or ("submitted", None)
    return {
        "file": str(one.file),
        "name": one.name,
        "drop_sha256": one.sha256,
        "state": folder,
        "record": record,
    }


def results_table(rows: list[tuple[str, str, dict[str, Any]]]) -> str:
    """(name, "done" or "failed", record) for people."""
    return table(
        ("NAME", "LATENCY", "GFLOP/S", "OF BOUND", "BOUND", "TRIALS", "SAYS"),
        [
            (
                name,
                latency(record.get("latency_us")),
                record.get("gflops"),
                percent(record.get("share_of_bound")),
                record.get("bound"),
                record.get("trials"),
                "" if folder == "done" else f"{record['cause']}: found {record['found']} at {record['path']}",
            )
            for name, folder, record in rows
        ],
    )
