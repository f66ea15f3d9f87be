"""The rules as the README shows them, made from their own docstrings: what each does, before and after."""

from __future__ import annotations

import inspect

from ansord.sketch.rules import RULES, Rule


def manual(rules: tuple[Rule, ...] = RULES) -> str:
    """One paragraph and one picture of loops a rule, in the order in which they are tried. Markdown."""
    return "\n".join(_entry(place, rule) for place, rule in enumerate(rules, 1))


def _entry(place: int, rule: Rule) -> str:
    text = inspect.getdoc(rule) or ""
    name, _, says = text.partition("\n\n")[0].partition(": ")
    picture = [line for line in text.splitlines() if line.startswith(("before:", "after:"))]
    lines = [f"{place}. **{name}**: {' '.join(says.split())}", "", "```text", *picture, "```"]
    return "\n".join([lines[0], *(f"   {line}".rstrip() for line in lines[1:])]) + "\n"
