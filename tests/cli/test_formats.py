"""FORMATS.md, chapters 2 and 3, say what the software does."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path

from ansord.cli import exits
from ansord.cli.main import COMMANDS, parser
from ansord.daemon import inbox, settings, spool
from ansord.daemon.tuner import Tuner
from ansord_client.errors import BadSubgraph
from tests.daemon.tiny import entry

TEXT = (Path(__file__).parents[2] / "client" / "FORMATS.md").read_text()


def chapter(number: int) -> str:
    return re.split(r"^## ", TEXT.split(f"\n## {number}.", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def test_the_records_have_these_fields() -> None:
    result, error = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", chapter(2), re.DOTALL))
    assert list(result) == list(entry("a" * 64, 8).summary("x", "y"))
    bad = BadSubgraph("$", "a", "b", "c", "d")
    drop = spool.Drop(1, "a", b"", 0.0)
    assert list(error) == list(inbox.error_record(bad, drop))


def test_the_numbers_of_the_inbox() -> None:
    text = chapter(2)
    assert f"at most {spool.LARGEST} bytes" in text
    assert f"closed for {inbox.CLOSED_S:g} second" in text
    assert f"not changed for {inbox.UNCHANGED_S:g} seconds" in text
    assert f"more than {spool.LONGEST_STEM} bytes" in text
    default = {one.name: one.default for one in fields(settings.Settings)}
    assert f"kept for {default['keep_days']:g} days" in text


def test_the_table_of_commands() -> None:
    rows = "\n".join(f"| `ansord {name}` | {says} |" for name, _, says in COMMANDS)
    assert rows in chapter(3), f"write this into FORMATS.md:\n{rows}"


def test_every_reading_command_speaks_json() -> None:
    """`top` is for eyes, and a completion script is a script."""
    actions = next(one for one in parser()._actions if isinstance(one.choices, dict))
    assert isinstance(actions.choices, dict)
    without = {name for name, one in actions.choices.items() if "--json" not in one.format_help()}
    assert without == {"serve", "top", "completion"}


def test_the_exit_codes() -> None:
    named = {
        "ok": exits.OK,
        "failed": exits.FAILED,
        "usage": exits.USAGE,
        "bad subgraph": exits.BAD_SUBGRAPH,
        "no daemon": exits.NO_DAEMON,
        "try later": exits.DEADLINE,
        "permission": exits.PERMISSION,
        "configuration": exits.CONFIG,
    }
    for name, code in named.items():
        assert f"{code} {name}" in chapter(3)
        assert f"{code} {name}" in " ".join(parser().format_help().split())


def test_the_daemons_fields() -> None:
    default = {one.name: one.default for one in fields(settings.Settings)}
    shown = {name: "none" if default[name] is None else f"{default[name]}" for name in settings.OWN}
    shown |= {name: f"{default[name]:g}" for name in ("keep_days", "rescan_seconds")}
    rows = "\n".join(f"| `{name}` | {shown[name]} | {settings._WANTED[name]} |" for name in settings.OWN)
    assert rows in chapter(3), f"write this into FORMATS.md:\n{rows}"
    reloaded = ", ".join(f"`{name}`" for name in settings.RELOADED[:-1]) + f" and `{settings.RELOADED[-1]}`"
    assert f"reloads {reloaded}" in chapter(3)
    assert f"within {Tuner.patience:g} seconds" in chapter(3)
