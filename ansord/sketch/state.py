"""What a derivation rule is given and gives: partly decided sketches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, replace
from functools import lru_cache

from ansord.dag import Dag, Stage, rfactor
from ansord.nest import Define, Fuse, Inline, Loops, Pack, Place, Rfactor, Sketch, Step, Target


@dataclass(frozen=True)
class State:
    """A dag with the steps decided so far, from the last stage backwards."""

    dag: Dag
    target: Target
    steps: tuple[tuple[str, Step], ...] = ()
    packs: tuple[Pack, ...] = ()
    first: tuple[Define | Rfactor, ...] = ()
    """How the dag came about."""

    @property
    def decided(self) -> Mapping[str, Step]:
        """The step of each stage that has one."""
        return dict(self.steps)

    def decide(self, *steps: Step, packs: tuple[Pack, ...] = ()) -> State:
        """The state with these steps, replacing earlier ones of the same stages."""
        merged = dict(self.steps) | {step.stage: step for step in steps}
        return replace(self, steps=tuple(merged.items()), packs=(*self.packs, *packs))

    def factorise(self, step: Rfactor) -> State:
        """The state of the dag with a factorised reduction; neither of its two stages is decided."""
        dag = rfactor(self.dag, step.stage, step.axis, step.chunks)
        return replace(self, dag=dag, first=(*self.first, step))

    @property
    def factors(self) -> tuple[Rfactor, ...]:
        """The reductions that are factorised."""
        return tuple(step for step in self.first if isinstance(step, Rfactor))

    @property
    def next(self) -> Stage | None:
        """The last stage without a step."""
        decided = self.decided
        return next((stage for stage in reversed(self.dag.stages) if stage.name not in decided), None)

    @property
    def reduced(self) -> Dag:
        """The dag in which everything inlined so far is written out inside its readers."""
        return _reduced(self.dag, frozenset(name for name, step in self.steps if isinstance(step, Inline)))

    def sketch(self) -> Sketch:
        """The sketch once every stage has a step, in the order of the dag."""
        steps = dict(self.steps)
        chosen = (steps[stage.name] for stage in self.dag.stages)
        return Sketch(self.dag, (*self.first, *chosen, *self.packs))


def acyclic(state: State, members: Set[str]) -> bool:
    """Whether the stages can share their loops: what comes after one of them comes before none of them.

    What shares loops already comes after all that one of it comes after; so what is placed in the loops of
    one of them, where it is computed first, may not come after any of them.
    """
    together: dict[str, set[str]] = {}
    for name, step in state.steps:
        if isinstance(step, Fuse | Place):
            together.setdefault(step.into, {step.into}).add(name)
    groups = {name: group for group in together.values() for name in group}
    reached: set[str] = set()
    waiting = [reader for name in members for reader in state.reduced.readers[name] if reader not in members]
    while waiting:
        name = waiting.pop()
        after = groups.get(name, {name}) - reached
        if after & members:
            return False
        reached |= after
        waiting += (reader for one in after for reader in state.reduced.readers[one])
    return True


@lru_cache(maxsize=256)
def _reduced(dag: Dag, inlined: frozenset[str]) -> Dag:
    steps = tuple(Inline(s.name) if s.name in inlined else Loops(s.name) for s in dag.stages)
    stages = {group.name: group.stage for group in Sketch(dag, steps).groups}
    return Dag(dag.inputs, tuple(stages[s.name] for s in dag.stages if s.name in stages), dag.outputs)


@dataclass(frozen=True)
class Derived:
    """What a rule gives: states to go on with, and whether no further rule is tried on this stage."""

    states: tuple[State, ...]
    final: bool


Rule = Callable[[State, Stage], Derived | None]
