"""What the shape of a dag allows: which stages inline, fuse, reuse data, reduce in parallel; what they cost.

Pure functions for the sketch rules, the cost features and the scheduler. The predicates are those of Ansor
(OSDI 2020, table 1, and TVM's compute_dag.cc); where we differ the function says how and why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from math import prod

import numpy as np

from ansord.dag.dag import Axis, Dag, Stage
from ansord.dag.simplify import view
from ansord_client.expr import COMPARISONS, LOGIC, AxisValue, Call, Expr, Load, walk
from ansord_client.index import Index

COST = {
    **dict.fromkeys(("div", "sqrt", "rsqrt"), 8),
    **dict.fromkeys(("exp", "log", "sin", "cos", "tanh", "sigmoid", "silu", "erf"), 16),
    **dict.fromkeys(("gelu", "gelu_tanh"), 20),
    "pow": 32,
}
"""Operations weighed in additions, from the cycles per vector of x86 cores (Agner Fog's tables for the
divider, lengths of the usual polynomials for the rest). Whatever is missing weighs 1."""

DEAR = 8
"""From this weight on, writing a value once and reading it back costs less than computing it again."""

WRITTEN_OUT = 64
"""Parts of an expression, up to which producers are written out inside it. What follows a longer chain starts
a stage of its own (fused all the same where it can be): every later pass walks such a tree recursively."""


def is_output(dag: Dag, stage: Stage) -> bool:
    """Whether the kernel hands the stage's tensor out (it may have readers too)."""
    return stage.name in dag.outputs


def pure_copy(stage: Stage) -> bool:
    """Whether the stage only moves elements: one load, no arithmetic, written in place."""
    return isinstance(stage.body, Load) and not stage.reduce and stage.in_place


def reshape(dag: Dag, stage: Stage) -> bool:
    """Whether the stage is a pure copy that leaves every element at its flat position."""
    load = stage.body
    return isinstance(load, Load) and pure_copy(stage) and view(stage, load, dag.tensors[load.tensor])


def inlineable(dag: Dag, stage: Stage) -> bool:
    """Whether the stage should always be written out inside its readers.

    As in Ansor: no reduction, no output, accesses simple and in order, no choice by place (padding). A
    reshape is, whatever its accesses look like. Ansor forbids exp and nothing else; we compare costs: dear
    arithmetic is inlined only where that computes it no more often than once per element, and cheap
    arithmetic not into a reduction that reads elements again and again (see `movable`).
    """
    return stage.name in _inlining(dag)[0]


def movable(dag: Dag, stage: Stage) -> bool:
    """Whether inlining is a choice for the search: legal, not always good.

    Transposes, strided slices, cheap arithmetic that a reduction would compute many times over, and padding
    that is read for one result at a time (its guards are then asked where it is read).
    """
    return stage.name in _inlining(dag)[1]


def in_order(stage: Stage) -> bool:
    """Whether every index read is a constant or one axis plus a constant, no axis twice, axes in order."""
    order = {axis.name: place for place, axis in enumerate(stage.axes)}
    for load in stage.loads:
        places: list[int] = []
        for part in load.index:
            if not part.terms:
                continue
            (atom, factor), *others = part.terms
            if others or factor != 1 or not isinstance(atom, str):
                return False
            places.append(order[atom])
        if places != sorted(set(places)):
            return False
    return True


def chooses_by_place(stage: Stage) -> bool:
    """Whether a `where` looks at the axes: a branch inside whatever loops it is written into.

    A `where` on data is one blend, and counts as arithmetic (Ansor forbids both).
    """
    choices = (node for node in walk(stage.body) if isinstance(node, Call) and node.op == "where")
    return any(isinstance(part, AxisValue) for choice in choices for part in walk(choice.args[0]))


def has_reuse(dag: Dag, stage: Stage) -> bool:
    """Whether multi-level tiling pays: a reduction that reads one element for many results.

    True if the stage reduces and some tensor is read at indices that miss a spatial axis while a reduce axis
    moves them. Ansor also counts maps with two such producers, and tensors that stay put in the reduction
    (a mean, a scale): they stay in registers or the nearest cache under any loops.
    """
    spatial, reduce = _looping(stage.axes), _looping(stage.reduce)
    for tensor in stage.reads:
        axes = _axes(load for load in stage.loads if load.tensor == tensor)
        if axes & reduce and spatial - axes:
            return True
    return False


def fusible_consumers(dag: Dag, stage: Stage) -> tuple[str, ...]:
    """The readers of the stage, in order, if each needs exactly the element being made: then all share its
    loops. None where one does not.

    A reader must be a map of the same shape, written in place, and read the stage nowhere else. There may be
    several, and some may read others: two outputs, `y * sigmoid(y)`. Whether what else they read can be there
    in time is not asked.
    """
    readers = [dag.by_name[name] for name in dag.readers[stage.name]]
    return tuple(reader.name for reader in readers) if all(follows(stage, one) for one in readers) else ()


def follows(stage: Stage, reader: Stage) -> bool:
    """Whether a stage is a map that needs exactly the element being made, if it reads it at all."""
    if reader.reduce or not reader.in_place or reader.tensor.shape != stage.tensor.shape:
        return False
    here = _pinned(reader.where, reader)
    return all(_pinned(load.index, reader) == here for load in reader.loads if load.tensor == stage.name)


def needs_rfactor(dag: Dag, stage: Stage, threads: int) -> bool:
    """Whether the reduction itself should be split among threads, since there are too few results.

    S spatial and R reduce points; with reuse S <= R and S <= 16 per thread, else R > threads
    (TVM's thresholds).
    """
    if not stage.reduce:
        return False
    spatial = prod(axis.extent for axis in stage.axes)
    reduce = prod(axis.extent for axis in stage.reduce)
    if has_reuse(dag, stage):
        return spatial <= reduce and spatial <= 16 * threads
    return reduce > threads


def from_constants(dag: Dag) -> frozenset[str]:
    """The stages that depend on nothing but constant inputs: computable when the weights are laid out."""
    fixed = {tensor.name for tensor in dag.inputs if tensor.constant}
    for stage in dag.stages:
        if stage.reads and set(stage.reads) <= fixed:
            fixed.add(stage.name)
    return frozenset(name for name in fixed if name in dag.by_name)


def cost(body: Expr) -> int:
    """The weight of a body's arithmetic, in additions; loads, constants and indices are free."""
    return sum(COST.get(node.op, 1) for node in walk(body) if isinstance(node, Call))


def flops(dag: Dag) -> int:
    """Arithmetic operations of one run: each call but comparisons, logic, choices and casts counts 1.

    Both branches of a choice count. Unlike `Subgraph.flops` this counts what the stages do, with the zeros
    that padding or a phase of a transposed convolution brings in.
    """
    return sum(stage.points * (_operations(stage.body) + bool(stage.reduce)) for stage in dag.stages)


def bytes_touched(dag: Dag) -> int:
    """Bytes of all inputs that are read and all outputs, each once: what memory must move at least."""
    names = [tensor.name for tensor in dag.inputs if dag.readers[tensor.name]]
    tensors = [dag.tensors[name] for name in (*names, *dag.outputs)]
    return sum(tensor.size * np.dtype(tensor.dtype).itemsize for tensor in tensors)


def _operations(body: Expr) -> int:
    free = COMPARISONS | LOGIC | {"where", "cast"}
    return sum(isinstance(node, Call) and node.op not in free for node in walk(body))


Users = Mapping[str, int]
"""Stage → times."""


@lru_cache(maxsize=256)
def _inlining(dag: Dag) -> tuple[frozenset[str], frozenset[str]]:
    """The stages that are inlineable and those that are movable, within what may be written out."""
    inlined, moved = _worth(dag)
    through = _short(dag, inlined | moved)
    return inlined & through, moved & through


def _worth(dag: Dag) -> tuple[frozenset[str], frozenset[str]]:
    """Which stages inline, which may, by legality and cost alone.

    From the last stage to the first, so that each is looked at once: `users` says who computes a stage, and
    how often per point, once its readers are written out.
    """
    users: dict[str, Users] = {}
    inlined: set[str] = set()
    moved: set[str] = set()
    through: set[str] = set()
    for stage in reversed(dag.stages):
        found: Counter[str] = Counter()
        for name in dag.readers[stage.name]:
            times = sum(load.tensor == stage.name for load in dag.by_name[name].loads)
            for user, again in users[name].items() if name in through else ((name, 1),):
                found[user] += times * again
        users[stage.name] = found
        if not _legal(dag, stage):
            continue
        if chooses_by_place(stage):
            if _once(dag, stage):
                moved.add(stage.name)
        elif _cheap(dag, stage, found):
            inlined.add(stage.name)
        elif cost(stage.body) < DEAR:
            moved.add(stage.name)
        if stage.name in inlined or pure_copy(stage):
            through.add(stage.name)
    return frozenset(inlined), frozenset(moved)


def _short(dag: Dag, candidates: frozenset[str]) -> frozenset[str]:
    """The candidates that may all be written out with no expression growing beyond WRITTEN_OUT parts."""
    kept = set(candidates)
    sizes: dict[str, int] = {}
    for stage in dag.stages:
        parts = list(walk(stage.body))
        inside = Counter(part.tensor for part in parts if isinstance(part, Load))
        grown = {name: count * (sizes[name] - 1) for name, count in inside.items() if name in kept}
        while grown and len(parts) + sum(grown.values()) > WRITTEN_OUT:
            longest = max(grown, key=lambda name: grown[name])
            kept.discard(longest)
            del grown[longest]
        sizes[stage.name] = len(parts) + sum(grown.values())
        if sizes[stage.name] > WRITTEN_OUT:
            kept.discard(stage.name)
    return frozenset(kept)


def _legal(dag: Dag, stage: Stage) -> bool:
    return not (stage.reduce or stage.units or is_output(dag, stage)) and stage.in_place


def _once(dag: Dag, stage: Stage) -> bool:
    """Whether no reader has results along an axis that its element does not move with: padding before pooling
    and depthwise convolution, where copying it costs as much as the work."""
    readers = (dag.by_name[name] for name in dag.readers[stage.name])
    return all(
        _looping(reader.axes) <= _axes([load])
        for reader in readers
        for load in reader.loads
        if load.tensor == stage.name
    )


def _cheap(dag: Dag, stage: Stage, users: Users) -> bool:
    """Whether a legal stage costs no more inside its users than in loops of its own."""
    if reshape(dag, stage):
        return True
    if not in_order(stage):
        return False
    readers = [(dag.by_name[name], times) for name, times in users.items()]
    if pure_copy(stage) or sum(reader.points * times for reader, times in readers) <= stage.points:
        return True
    reused = any(has_reuse(dag, reader) and reader.points > stage.points for reader, _ in readers)
    return cost(stage.body) < DEAR and not reused


def _looping(axes: Iterable[Axis]) -> set[str]:
    return {axis.name for axis in axes if axis.extent > 1}


def _axes(loads: Iterable[Load]) -> set[str]:
    return {axis for load in loads for part in load.index for axis in part.axes}


def _pinned(index: tuple[Index, ...], stage: Stage) -> tuple[Index, ...]:
    """An index without the axes of one point."""
    single: dict[str, int | str | Index] = {axis.name: 0 for axis in stage.axes if axis.extent == 1}
    return tuple(part.substitute(single) for part in index)
