"""A task: one subgraph ready to be searched, with everything that follows from it and the host alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ansord.dag import Dag, expand
from ansord.nest import Space, Target, target_of
from ansord.sketch import RULES, Derivation, derive, outside_rules
from ansord_client.host import Host
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
        return expand(self.subgraph)

    @cached_property
    def derivation(self) -> Derivation:
        """Its sketches; the rules of installed plug-ins are tried first."""
        return derive(self.dag, self.target, (*outside_rules(), *RULES))

    @cached_property
    def space(self) -> Space:
        """All its programs."""
        return Space(self.dag, self.derivation.sketches, self.target)


def target_for(host: Host) -> Target:
    """The numbers that the emitter and the estimates need of a host."""
    sizes = {1: 32 << 10, 2: 1 << 20, 3: 32 << 20}
    for cache in host.caches:
        if cache.kind != "Instruction" and cache.level in sizes:
            sizes[cache.level] = cache.size
    return target_of(host.isa, host.threads, (sizes[1], sizes[2], sizes[3]))
