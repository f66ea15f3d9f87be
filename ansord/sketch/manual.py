"""Rules and rewrites as the README shows them, made from their own docstrings: before and after."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

from ansord.dag import REWRITES, Rewrite
from ansord.sketch.rules import RULES
from ansord.sketch.state import Rule


def manual(rules: tuple[Rule, ...] = RULES) -> str:
    """One paragraph and one picture of loops a rule, in the order in which they are tried. Markdown."""
    return _listed(rules)


def definitions_manual(rewrites: tuple[Rewrite, ...] = REWRITES) -> str:
    """The same of the rewrites."""
    return _listed(rewrite.apply for rewrite in rewrites)


def _listed(functions: Iterable[Callable[..., Any]]) -> str:
    return "\n".join(_entry(place, function) for place, function in enumerate(functions, 1))


def _entry(place: int, function: Callable[..., Any]) -> str:
    text = inspect.getdoc(function) or ""
    name, _, says = text.partition("\n\n")[0].partition(": ")
    picture = text[text.index("before:") :].partition("\n\n")[0] if "before:" in text else ""
    lines = [f"{place}. **{name}**: {' '.join(says.split())}", "", "```text", *picture.splitlines(), "```"]
    return "\n".join([lines[0], *(f"   {line}".rstrip() for line in lines[1:])]) + "\n"
