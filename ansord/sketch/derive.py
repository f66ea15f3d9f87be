"""All sketches of a dag: rules applied from the last stage to the first, every branch kept."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import entry_points

from ansord.dag import Dag
from ansord.nest import Sketch, Target
from ansord.sketch.rules import RULES, Rule, State

LIMIT = 64
"""Sketches per task; usual subgraphs have fewer than ten (Ansor, section 4.1)."""


@dataclass(frozen=True)
class Derivation:
    """The sketches, and how many more there were beyond the limit."""

    sketches: tuple[Sketch, ...]
    cut: int


def derive(dag: Dag, target: Target, rules: tuple[Rule, ...] = RULES) -> Derivation:
    """Every sketch that the rules derive; at most LIMIT, the first derived first."""
    states = [State(dag, target)]
    for stage in reversed(dag.stages):
        advanced: list[State] = []
        for state in states:
            if stage.name in state.decided:
                advanced.append(state)
                continue
            for rule in rules:
                derived = rule(state, stage)
                if derived is None:
                    continue
                advanced.extend(derived.states)
                if derived.final:
                    break
        states = advanced
    sketches = tuple(dict.fromkeys(state.sketch() for state in states))
    return Derivation(sketches[:LIMIT], max(0, len(sketches) - LIMIT))


def outside_rules() -> tuple[Rule, ...]:
    """The rules of other distributions, by entry point.

    :raises ValueError: two of them share a name.
    """
    found = entry_points(group="ansord.rules")
    names = [entry.name for entry in found]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two installed rules are named {name!r}")
    return tuple(entry.load() for entry in found)
