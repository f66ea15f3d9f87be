"""Strict reading: JSON text to plain values, and plain values to typed ones, each with its JSON path.

Used by the subgraph reader and by the attribute readers of `ops`. Raises BadSubgraph, evaluates nothing.
"""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from ansord_client.errors import BadSubgraph
from ansord_client.limits import Limits

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_LONGEST_INTEGER = 400
"""Digits; the largest float64 has 309."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """What the JSON parser found wrong at a place whose path it cannot know; `Value` reports it later."""

    found: str
    wanted: str
    cause: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Value:
    """A plain value (None, bool, int, float, str, list, dict) and its JSON path."""

    raw: Any
    path: str = "$"

    def refuse(self, wanted: str, cause: str, hint: str = "", found: str | None = None) -> NoReturn:
        """Raises BadSubgraph for this place."""
        raise BadSubgraph(self.path, shown(self.raw) if found is None else found, wanted, cause, hint)

    def fields(self, required: Collection[str], optional: Collection[str] = ()) -> dict[str, Value]:
        """An object's members; every name must be known, every required one there."""
        if not isinstance(self.raw, dict):
            self.refuse("an object", "wrong type")
        known = [*required, *optional]
        for name in self.raw:
            if name not in known:
                near = difflib.get_close_matches(str(name), known, 1)
                hint = f"did you mean {near[0]}?" if near else f"known here: {', '.join(known) or 'none'}"
                self.at(name).refuse("no such field", "unknown field", hint, shown(name))
        for name in required:
            if name not in self.raw:
                self.refuse(
                    f"a field {name!r}", "missing field", found=f"none of that name in {shown(self.raw)}"
                )
        return {name: self.at(name) for name in self.raw}

    def at(self, key: str | int) -> Value:
        """A member of an object or list, which must be there."""
        if isinstance(key, int):
            return Value(self.raw[key], f"{self.path}[{key}]")
        plain = re.fullmatch(r"[A-Za-z_]\w{0,63}", key, re.ASCII)
        return Value(self.raw[key], f"{self.path}.{key}" if plain else f"{self.path}[{shown(key)}]")

    def items(self) -> list[Value]:
        """A list's members."""
        if not isinstance(self.raw, list):
            self.refuse("a list", "wrong type")
        return [self.at(position) for position in range(len(self.raw))]

    def integer(self, low: int, high: int) -> int:
        """An integer within inclusive bounds; 2.0 is 2, true is none."""
        wanted = f"an integer from {low} to {high}"
        number = self.raw
        if isinstance(number, bool) or not isinstance(number, int | float) or number != int(number):
            self.refuse(wanted, "wrong type")
        if not low <= number <= high:
            self.refuse(wanted, "out of range")
        return int(number)

    def number(self) -> int | float:
        """A finite number; true and false are none."""
        if isinstance(self.raw, bool) or not isinstance(self.raw, int | float):
            self.refuse("a number", "wrong type")
        return self.raw

    def positive(self) -> float:
        """A number above 0 that a float64 can hold."""
        number = self.number()
        if not 0 < number <= 1e300:
            self.refuse("a number above 0 and at most 1e300", "out of range")
        return float(number)

    def flag(self) -> bool:
        """True or false."""
        if not isinstance(self.raw, bool):
            self.refuse("true or false", "wrong type")
        return self.raw

    def text(self) -> str:
        """A string."""
        if not isinstance(self.raw, str):
            self.refuse("a string", "wrong type")
        return self.raw

    def choice(self, among: Collection[str], what: str, hint: str = "") -> str:
        """One of a few words."""
        word = self.text()
        if word not in among:
            near = difflib.get_close_matches(word, among, 1)
            hint = hint or (f"did you mean {near[0]}?" if near else "")
            self.refuse(f"{what}: {', '.join(among)}", f"unknown {what}", hint)
        return word


def shown(raw: object) -> str:
    """A value as a message shows it: JSON, ASCII, short."""
    if isinstance(raw, dict):
        return "an object" if raw else "an empty object"
    if isinstance(raw, list) and (len(raw) > 8 or any(isinstance(item, list | dict) for item in raw)):
        return f"a list of {len(raw)}"
    text = json.dumps(raw) if raw is None or isinstance(raw, bool | int | float | str | list) else ascii(raw)
    return text if len(text) <= 80 else f"{text[:77]}..."


def parse_json(data: bytes | str, limits: Limits) -> Value:
    """One JSON value from the text of a file.

    :raises BadSubgraph: not UTF-8, not JSON, too long, too deep, a repeated key, a number that is not finite.
    """
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    if len(raw) > limits.file_bytes:
        Value(None).refuse(f"at most {limits.file_bytes} bytes", "limit", found=f"{len(raw)} bytes")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        Value(None).refuse("UTF-8 text", "not UTF-8", found=f"byte 0x{raw[error.start]:02x} at {error.start}")
    if text.startswith("\ufeff"):
        Value(None).refuse("JSON text", "not JSON", "save the file without one", "a byte order mark")
    _check_depth(text, limits.depth)
    try:
        parsed = json.loads(
            text, object_pairs_hook=_object, parse_float=_float, parse_int=_integer, parse_constant=_constant
        )
    except ValueError as error:
        where = (
            f"line {error.lineno} column {error.colno}" if isinstance(error, json.JSONDecodeError) else "text"
        )
        what = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        Value(None).refuse("one JSON value", "not JSON", what, where)
    value = Value(parsed)
    _report_flaws(value)
    return value


def plain(value: Value, limits: Limits, depth: int = 0) -> Any:
    """A Python object as JSON holds it: tuples become lists, NumPy scalars numbers; others are refused."""
    raw = value.raw
    if depth > limits.depth:
        value.refuse(f"nesting of at most {limits.depth}", "limit", found="deeper nesting")
    if isinstance(raw, Mapping):
        for key in raw:
            if not isinstance(key, str):
                value.refuse("string keys", "wrong type", found=f"the key {shown(key)}")
        return {key: plain(value.at(key), limits, depth + 1) for key in raw}
    if isinstance(raw, list | tuple):
        return [plain(value.at(position), limits, depth + 1) for position in range(len(raw))]
    if isinstance(raw, np.bool_ | np.integer | np.floating):
        raw = raw.item()
    if isinstance(raw, float) and not math.isfinite(raw):
        value.refuse("a finite number", "not finite", found=repr(raw))
    if isinstance(raw, int) and raw.bit_length() > _LONGEST_INTEGER * 3:
        value.refuse("a number that a type can hold", "out of range", found="a far too large integer")
    if raw is not None and not isinstance(raw, bool | int | float | str):
        value.refuse("a JSON value", "wrong type", found=type(raw).__name__)
    return raw


def _check_depth(text: str, limit: int) -> None:
    depth = 0
    for token in _TOKEN.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token.group(), 0)
        if depth > limit:
            Value(None).refuse(
                f"nesting of at most {limit}", "limit", found=f"deeper at character {token.start()}"
            )


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for key, value in pairs:
        members[key] = (
            Flaw(f"{shown(key)} twice", "each key once", "repeated key") if key in members else value
        )
    return members


def _float(text: str) -> float | Flaw:
    number = float(text)
    return number if math.isfinite(number) else _constant(text)


def _integer(text: str) -> int | Flaw:
    return int(text) if len(text) <= _LONGEST_INTEGER else _constant(f"an integer of {len(text)} digits")


def _constant(text: str) -> Flaw:
    return Flaw(text[:80], "a finite number", "not finite", "JSON has no NaN, no infinity")


def _report_flaws(value: Value) -> None:
    if isinstance(value.raw, Flaw):
        flaw = value.raw
        value.refuse(flaw.wanted, flaw.cause, flaw.hint, flaw.found)
    children: list[str | int] = []
    if isinstance(value.raw, dict):
        children = list(value.raw)
    elif isinstance(value.raw, list):
        children = list(range(len(value.raw)))
    for key in children:
        _report_flaws(value.at(key))
