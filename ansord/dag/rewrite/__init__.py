"""Other definitions of the same result: algebraic rewrites of one stage of a dag, in an ordered table.

A task is searched under every definition that applies; a sketch says by which it is derived. Outsiders'
rewrites join by the entry point group `ansord.rewrites`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import entry_points

from ansord.dag.dag import Dag, Stage
from ansord.dag.rewrite.groups import across
from ansord.dag.rewrite.winograd import winograd

MOST = 8
"""Definitions of one dag; more would leave each too few trials."""


@dataclass(frozen=True)
class Rewrite:
    """A definition by its name, one word. `apply` gives the dag in which a stage of the given one is computed
    in another way, under the same name and in the same shape; None where it does not apply or cannot pay. Its
    docstring is what the README shows: a name, a sentence, a picture of before and after.

    `relaxed`: it changes rounding by more than reassociation, so `numerics: "strict"` forbids it.
    """

    name: str
    apply: Callable[[Dag, Stage], Dag | None]
    relaxed: bool = False


REWRITES: tuple[Rewrite, ...] = (Rewrite("across", across), Rewrite("winograd", winograd, relaxed=True))
"""In the order in which they are tried."""


def outside_rewrites() -> tuple[Rewrite, ...]:
    """The rewrites of other distributions, by entry point.

    :raises ValueError: two rewrites share a name.
    """
    found = tuple(entry.load() for entry in entry_points(group="ansord.rewrites"))
    names = [rewrite.name for rewrite in (*REWRITES, *found)]
    for rewrite in found:
        if names.count(rewrite.name) > 1:
            raise ValueError(f"two installed rewrites are named {rewrite.name!r}")
    return found


def rewrite_named(name: str) -> Rewrite:
    """The rewrite of that name, here or elsewhere.

    :raises KeyError: there is none.
    """
    here = {rewrite.name: rewrite for rewrite in REWRITES}
    return here[name] if name in here else {rewrite.name: rewrite for rewrite in outside_rewrites()}[name]


@dataclass(frozen=True)
class Definition:
    """A dag, and the (stage, rewrite) pairs that lead to it from the task's own, in order."""

    dag: Dag
    rewritten: tuple[tuple[str, str], ...] = ()


def definitions(dag: Dag, rewrites: tuple[Rewrite, ...] = REWRITES) -> tuple[Definition, ...]:
    """The dag as it is, then with each choice of rewritten stages; at most MOST."""
    found = [Definition(dag)]
    for stage in dag.stages:
        for rewrite in rewrites:
            for known in tuple(found):
                if any(name == stage.name for name, _ in known.rewritten):
                    continue
                changed = rewrite.apply(known.dag, known.dag.by_name[stage.name])
                if changed is not None:
                    found.append(Definition(changed, (*known.rewritten, (stage.name, rewrite.name))))
    return tuple(found[:MOST])
