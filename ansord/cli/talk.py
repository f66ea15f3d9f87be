"""How commands speak: data to stdout as an aligned table or JSON, talk to stderr, one line a mistake.

Every command goes through here; nothing else in the package prints.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

SCHEMA_VERSION = 1


def say(text: str) -> None:
    """To the person, not to the pipe."""
    print(text, file=sys.stderr)


def show(text: str) -> None:
    print(text)


def show_json(value: Mapping[str, Any]) -> None:
    """One object, with the version of its shape."""
    print(json.dumps({"schema_version": SCHEMA_VERSION, **value}, indent=2))


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Aligned columns, numbers to the right: plain text, for people and for awk."""
    body = [[_cell(cell) for cell in row] for row in rows]
    lines = [list(head), *body]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    right = [all(_numeric(line[column]) for line in body) and bool(body) for column in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in lines
    )


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 10000 else f"{value:,.0f}"
    return printable(str(value))


def _numeric(text: str) -> bool:
    return text == "-" or text[:1].isdigit() or text[:1] in "-+" and text[1:2].isdigit()


def printable(text: str) -> str:
    """A name as a terminal may see it: no control characters, no lone surrogates."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in text
    )


def duration(seconds: float) -> str:
    """For people: 850 ms, 12.3 s, 4 min."""
    for unit, scale in (("h", 3600.0), ("min", 60.0), ("s", 1.0)):
        if seconds >= 2 * scale or (unit == "s" and seconds >= 1):
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds * 1e3:.3g} ms"


def latency(microseconds: float | None) -> str:
    if microseconds is None:
        return "-"
    for unit, scale in (("s", 1e6), ("ms", 1e3)):
        if microseconds >= scale:
            return f"{microseconds / scale:.4g} {unit}"
    return f"{microseconds:.4g} µs"


def percent(share: float | None) -> str:
    return "-" if share is None else f"{share * 100:.0f}%"
