"""A trial: which program was tried for which task on which host, when, and what became of it; and its bytes.

    trial   = map { "v": 1, "key": str, "host": str, "program": str, "started": float, "outcome": outcome }
    outcome = array [ tag, field ... ]      msgpack; tags and fields: the table OUTCOMES

The journal frames and checksums these bytes. A reader skips map fields that it does not know.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import msgpack

from ansord.record.outcome import BuildFailed, Crashed, Measured, Outcome, TimedOut, WrongAnswer

FIRST, BATCH = 4, 16
"""Trials of a task's first round, so that every task has a kernel within seconds, and of the others: what
tunes, what plans and what simulates speak of the same turns."""
VERSION = 1
OUTCOMES: dict[str, type[Outcome]] = {
    "measured": Measured,
    "build": BuildFailed,
    "wrong": WrongAnswer,
    "timeout": TimedOut,
    "crash": Crashed,
}
_TAGS = {kind: tag for tag, kind in OUTCOMES.items()}


class BadRecord(ValueError):
    """Bytes that are no trial of a version known here; the journal's replay counts and skips them."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One program's fate. `started`: Unix seconds; `program`: the text form that parses back."""

    key: str
    host_key: str
    program: str
    outcome: Outcome
    started: float

    def __str__(self) -> str:
        head = self.program.strip().splitlines()[0] if self.program.strip() else "-"
        return f"{self.key[:12]} {self.outcome}  [{head}]"

    def to_bytes(self) -> bytes:
        """The record, the same bytes for equal trials."""
        outcome = [_TAGS[type(self.outcome)], *(getattr(self.outcome, f.name) for f in fields(self.outcome))]
        record = {
            "v": VERSION,
            "key": self.key,
            "host": self.host_key,
            "program": self.program,
            "started": float(self.started),
            "outcome": outcome,
        }
        packed: bytes = msgpack.packb(record)
        return packed

    @classmethod
    def from_bytes(cls, data: bytes) -> Trial:
        """The trial in `data`. Raises BadRecord for anything else, whatever the bytes are."""
        try:
            record = msgpack.unpackb(data)
        except Exception as error:  # msgpack raises half a dozen unrelated kinds
            raise BadRecord(f"not msgpack: {error}") from error
        if not isinstance(record, dict) or record.get("v") != VERSION:
            found = record.get("v") if isinstance(record, dict) else type(record).__name__
            raise BadRecord(f"found version {found!r}, wanted {VERSION}")
        return cls(
            key=_field(record, "key", str),
            host_key=_field(record, "host", str),
            program=_field(record, "program", str),
            outcome=_outcome(_field(record, "outcome", list)),
            started=_field(record, "started", float),
        )


def _field(record: dict[Any, Any], name: str, kind: type) -> Any:
    value = record.get(name)
    if type(value) is not kind:
        raise BadRecord(f"{name}: found {value!r:.80}, wanted {kind.__name__}")
    return value


def _outcome(parts: list[Any]) -> Outcome:
    kind = OUTCOMES.get(parts[0]) if parts and isinstance(parts[0], str) else None
    if kind is None:
        raise BadRecord(f"outcome: found {parts!r:.80}, wanted one of {', '.join(OUTCOMES)}")
    names = fields(kind)
    if len(parts) - 1 != len(names):
        raise BadRecord(f"outcome {parts[0]}: found {len(parts) - 1} fields, wanted {len(names)}")
    values = {f.name: part for f, part in zip(names, parts[1:], strict=True)}
    for f in names:
        if not _FITS[str(f.type)](values[f.name]):
            raise BadRecord(f"outcome {parts[0]}.{f.name}: found {values[f.name]!r:.80}, wanted {f.type}")
    if "samples" in values:
        values["samples"] = tuple(values["samples"])
    return kind(**values)


def _number(value: Any) -> bool:
    return type(value) is float and math.isfinite(value)


# By the annotation as written: `from __future__ import annotations` keeps it a string.
_FITS: dict[str, Callable[[Any], bool]] = {
    "float": _number,
    "str": lambda v: type(v) is str,
    "bool": lambda v: type(v) is bool,
    "int": lambda v: type(v) is int,
    "tuple[float, ...]": lambda v: type(v) is list and all(_number(x) for x in v),
}
