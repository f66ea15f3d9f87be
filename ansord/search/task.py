"""A task: one subgraph ready to be searched, with everything that follows from it and the host alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ansord.dag import REWRITES, Dag, collapse, expand, outside_rewrites
from ansord.nest import Space, Target
from ansord.sketch import RULES, Derivation, derive, outside_rules
from ansord_client.subgraph import Subgraph


@dataclass(frozen=True)
class Task:
    """A subgraph on a target. Equal keys on equal targets are one task."""

    subgraph: Subgraph
    target: Target

    @property
    def key(self) -> str:
        """The subgraph's identity."""
        return self.subgraph.key

    @cached_property
    def dag(self) -> Dag:
        """Its tensor expressions."""
        return collapse(expand(self.subgraph))

    @cached_property
    def derivation(self) -> Derivation:
        """Its sketches; the rules of installed plug-ins are tried first, their rewrites last."""
        strict = self.subgraph.numerics == "strict"
        rewrites = tuple(one for one in (*REWRITES, *outside_rewrites()) if not (strict and one.relaxed))
        return derive(self.dag, self.target, (*outside_rules(), *RULES), rewrites)

    @cached_property
    def space(self) -> Space:
        """All its programs."""
        return Space(self.dag, self.derivation.sketches, self.target)
