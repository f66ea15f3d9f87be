"""A sketch: the dag plus the structural steps, and the loop groups that follow from them.

Made by the derivation rules; the numbers (tiles, vectors, threads) are not here but in a Population.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from ansord.dag import Dag, Stage, Tensor, rewrite_named, rfactor
from ansord.nest.step import Define, Fuse, Inline, Loops, Pack, Place, Rfactor, Step, Tile
from ansord_client.expr import AxisValue, Const, Expr, Load, at, rewrite
from ansord_client.index import Index


@dataclass(frozen=True)
class Group:
    """One loop nest at the root: a stage, what is computed on its accumulators, and what it packs.

    `stage` and the stages of `epilogue` have their inlined producers substituted. Each stage of the
    epilogue reads `stage`, or one another, at the element being computed.
    """

    stage: Stage
    tiled: bool
    epilogue: tuple[Stage, ...]
    packed: tuple[str, ...]
    stored: frozenset[str]
    """The tensors among stage and epilogue that somebody reads later."""
    tensors: tuple[Tensor, ...] = ()
    """Everything that it reads or writes; `constant` also where it is computed from constants alone."""
    placed: tuple[Placed, ...] = ()
    """What is computed tile by tile inside this group, in the order in which it runs."""
    prepared: bool = False
    """It depends on constants alone and runs when they are laid out, in plain loops: nothing to search."""
    final: bool = False
    """Nothing in the kernel reads what it writes: it all goes to the caller."""

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash(
            (
                *(self.stage, self.tiled, self.epilogue, self.packed),
                *(self.stored, self.tensors, self.placed, self.prepared, self.final),
            )
        )

    @property
    def name(self) -> str:
        return self.stage.name

    @cached_property
    def by_name(self) -> dict[str, Tensor]:
        """`tensors` by name."""
        return {tensor.name: tensor for tensor in self.tensors}

    @cached_property
    def within(self) -> tuple[Group, ...]:
        """The group, and those placed in it."""
        return (self, *(placed.group for placed in self.placed))

    @property
    def writes(self) -> tuple[Stage, ...]:
        """The stages whose tensors this group stores, in order."""
        return tuple(stage for stage in (self.stage, *self.epilogue) if stage.name in self.stored)


@dataclass(frozen=True)
class Placed:
    """A group inside its host, at one of `LEVELS`."""

    group: Group
    level: str


@dataclass(frozen=True)
class Sketch:
    """Structure without numbers: steps on a dag that is already rewritten and factorised as they say."""

    dag: Dag
    steps: tuple[Step, ...]

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The loop nests in the order in which they run."""
        inlined = {step.stage for step in self.steps if isinstance(step, Inline)}
        fused = {step.stage: step.into for step in self.steps if isinstance(step, Fuse)}
        tiled = {step.stage for step in self.steps if isinstance(step, Tile)}
        bodies = _inline(self.dag, inlined)
        leaders = [
            stage for stage in self.dag.stages if stage.name not in inlined and stage.name not in fused
        ]
        places = {step.stage: step for step in self.steps if isinstance(step, Place)}
        inside: dict[str, tuple[Placed, ...]] = {}
        groups = []
        for leader in leaders:
            epilogue = tuple(
                bodies[stage.name] for stage in self.dag.stages if fused.get(stage.name) == leader.name
            )
            members = {leader.name, *(stage.name for stage in epilogue)}
            packed = tuple(s.tensor for s in self.steps if isinstance(s, Pack) and s.stage == leader.name)
            read = {name for s in bodies.values() if s.name not in members for name in s.reads}
            stored = frozenset(members & {*read, *self.dag.outputs})
            touched = (*members, *(name for s in (bodies[leader.name], *epilogue) for name in s.reads))
            tensors = tuple(self.dag.tensors[name] for name in dict.fromkeys(sorted(touched)))
            body = bodies[leader.name]
            final = not members & read
            groups.append(
                Group(body, leader.name in tiled, epilogue, packed, stored, tensors, final=final)
            )
        groups = self._prepared(_in_order(groups, self.dag), places.keys())
        for group in groups:
            if place := places.get(group.name):
                inside[place.into] = (*inside.get(place.into, ()), Placed(group, place.level))
        roots = (group for group in groups if group.name not in places)
        return tuple(
            replace(group, placed=inside[group.name], tiled=True) if group.name in inside else group
            for group in roots
        )

    @cached_property
    def everywhere(self) -> tuple[Group, ...]:
        """All groups with numbers to choose, those placed inside others after their hosts."""
        return tuple(one for group in self.groups if not group.prepared for one in group.within)

    @cached_property
    def hosts(self) -> dict[str, Group]:
        """For each placed group the one that it is placed in."""
        return {placed.group.name: group for group in self.groups for placed in group.placed}

    @property
    def definition(self) -> tuple[Define, ...]:
        """By which rewrites its dag came about; none for the task's own."""
        return tuple(step for step in self.steps if isinstance(step, Define))

    @cached_property
    def relaxed(self) -> bool:
        """Whether a definition changes rounding by more than reassociation."""
        return any(rewrite_named(step.by).relaxed for step in self.definition)

    def _prepared(self, groups: Sequence[Group], placed: Collection[str]) -> list[Group]:
        """The groups in their order, with those that need nothing but constants marked."""
        fixed = {tensor.name for tensor in self.dag.inputs if tensor.constant}
        result = []
        for group in groups:
            stages = (group.stage, *group.epilogue)
            members = {stage.name for stage in stages}
            needed = {name for stage in stages for name in stage.reads} - members
            if needed and needed <= fixed and not members & {*self.dag.outputs, *placed}:
                fixed |= members
                group = replace(group, prepared=True, tiled=False)
            known = tuple(replace(one, constant=one.name in fixed) for one in group.tensors)
            result.append(replace(group, tensors=known))
        return result

    def __str__(self) -> str:
        return "; ".join(str(step) for step in self.steps)


def _in_order(groups: Sequence[Group], dag: Dag) -> list[Group]:
    """The groups in the order in which they run: when the last member could, since an epilogue may read what
    comes after the leader, but before all that reads some other member."""
    rank = {stage.name: position for position, stage in enumerate(dag.stages)}
    makers = {stage.name: group for group in groups for stage in (group.stage, *group.epilogue)}
    seen: set[str] = set()
    found: list[Group] = []

    def visit(group: Group) -> None:
        if group.name in seen:
            return
        seen.add(group.name)
        for stage in (group.stage, *group.epilogue):
            for name in stage.reads:
                if name in makers:
                    visit(makers[name])
        found.append(group)

    for group in sorted(groups, key=lambda g: max(rank[s.name] for s in (g.stage, *g.epilogue))):
        visit(group)
    return found


def _inline(dag: Dag, inlined: set[str]) -> dict[str, Stage]:
    """Every stage that keeps loops, with the inlined ones written out inside it."""
    bodies: dict[str, Stage] = {}
    everything: dict[str, Stage] = {}
    for stage in dag.stages:
        body = _written_out(stage.body, everything, inlined, stage.ranges)
        everything[stage.name] = replace(stage, body=body)
        if stage.name not in inlined:
            bodies[stage.name] = everything[stage.name]
    return bodies


def _written_out(
    body: Expr, stages: Mapping[str, Stage], inlined: set[str], ranges: dict[str, tuple[int, int]]
) -> Expr:
    def leaf(node: Const | Load | AxisValue) -> Expr:
        if not isinstance(node, Load) or node.tensor not in inlined:
            return node
        producer = stages[node.tensor]
        values = {axis.name: part for axis, part in zip(producer.axes, node.index, strict=True)}
        return _simplified(at(producer.body, values), ranges)

    return rewrite(body, leaf)


def _simplified(expr: Expr, ranges: dict[str, tuple[int, int]]) -> Expr:
    def leaf(node: Const | Load | AxisValue) -> Expr:
        if isinstance(node, Load):
            return replace(node, index=tuple(part.simplify(ranges) for part in node.index))
        return node

    return rewrite(expr, leaf)


def along(stage: Stage, anchor: Stage) -> dict[str, Index]:
    """The axes of an epilogue stage as functions of the anchor's axes, through the element it stores."""
    return {axis.name: part for axis, part in zip(stage.axes, anchor.where, strict=True)}


def factorised(dag: Dag, steps: tuple[Step, ...]) -> Dag:
    """The dag with the stages that the steps define otherwise and the reductions that they factorise.

    :raises KeyError: no such stage, axis or rewrite.
    :raises ValueError: a rewrite does not apply.
    """
    for step in steps:
        if isinstance(step, Define):
            changed = rewrite_named(step.by).apply(dag, dag.by_name[step.stage])
            if changed is None:
                raise ValueError(f"{step} does not apply")
            dag = changed
        elif isinstance(step, Rfactor):
            dag = rfactor(dag, step.stage, step.axis, step.chunks)
    return dag


def default_loops(dag: Dag) -> Sketch:
    """Every stage in plain loops of its own: the sketch that always exists."""
    return Sketch(dag, tuple(Loops(stage.name) for stage in dag.stages))
