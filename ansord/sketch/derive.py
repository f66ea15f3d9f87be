"""All sketches of a dag: rules applied from the last stage to the first, every branch kept."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TypeVar

from ansord.dag import REWRITES, Dag, Definition, Rewrite, Stage, definitions
from ansord.nest import Define, Sketch, Target
from ansord.sketch.rules import RULES
from ansord.sketch.state import Rule, State

T = TypeVar("T")
LIMIT = 64
"""Sketches per task; usual subgraphs have fewer than ten (Ansor, section 4.1)."""


@dataclass(frozen=True)
class Derivation:
    """The sketches, and how many more there were beyond the limit."""

    sketches: tuple[Sketch, ...]
    cut: int


def derive(
    dag: Dag,
    target: Target,
    rules: tuple[Rule, ...] = RULES,
    rewrites: tuple[Rewrite, ...] = REWRITES,
) -> Derivation:
    """Every sketch that the rules derive from every definition; at most LIMIT, spread evenly over what was
    found, and evenly over the definitions."""
    found = definitions(dag, rewrites)
    made = [_derive(_start(definition, target), rules, LIMIT // len(found)) for definition in found]
    return Derivation(tuple(s for one in made for s in one.sketches), sum(one.cut for one in made))


def _start(definition: Definition, target: Target) -> State:
    steps = tuple(Define(stage, by) for stage, by in definition.rewritten)
    return State(definition.dag, target, first=steps)


def _derive(start: State, rules: tuple[Rule, ...], limit: int) -> Derivation:
    """Those of one definition. Long dags multiply their choices, so the spread is taken after every stage."""
    states, done, cut = [start], [], 0
    while states:
        advanced: list[State] = []
        for state in states:
            stage = state.next
            if stage is None:
                done.append(state.sketch())
            else:
                advanced += _derived(state, stage, rules)
        states, dropped = _spread(advanced, limit)
        cut += dropped
    sketches, dropped = _spread(list(dict.fromkeys(done)), limit)
    return Derivation(tuple(sketches), cut + dropped)


def _derived(state: State, stage: Stage, rules: tuple[Rule, ...]) -> list[State]:
    """What follows from all rules that apply to a stage."""
    found: list[State] = []
    for rule in rules:
        derived = rule(state, stage)
        if derived is not None:
            found += derived.states
            if derived.final:
                break
    return found


def _spread(found: list[T], limit: int) -> tuple[list[T], int]:
    """At most `limit` of them, evenly, the first and the last among them; and how many were dropped."""
    if len(found) <= limit:
        return found, 0
    chosen = [found[round(place * (len(found) - 1) / (limit - 1))] for place in range(limit)]
    return chosen, len(found) - limit


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
