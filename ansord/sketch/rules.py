"""The derivation rules for CPUs (table 1 of the report), each a function from a state and a stage.

A rule looks at one stage of a partly decided sketch and says None (does not apply) or what follows.
Rules are tried in the order of RULES; one that is `final` ends the trying. Outsiders' rules join by the
entry point group `ansord.rules` and are tried first.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace
from math import prod

from ansord.dag import Stage, analysis
from ansord.nest import LEVELS, Fuse, Loops, Place, Rfactor, Step, Tile
from ansord.sketch.packing import inlined, packed, tiled
from ansord.sketch.state import Derived, Rule, State, acyclic

PIECES = 4
"""Partial results per thread, the larger of the two choices: enough to even out, few enough to add up."""


def prepare(state: State, stage: Stage) -> Derived | None:
    """Preparation: arithmetic on constants alone is done once, when they are laid out; nothing to choose.

    What only moves elements is left to the rules below: an operand may be packed from any order.

    before: at every call: for c: s0[c] = scale[c] / sqrt(var[c] + e)
    after:  once, when constants are laid out: for c: s0[c] = …
    """
    fixed = stage.name in analysis.from_constants(state.dag) and stage.name not in state.dag.outputs
    if not fixed or not (stage.reduce or analysis.cost(stage.body)):
        return None
    return Derived((state.decide(Loops(stage.name)),), final=True)


def inline(state: State, stage: Stage) -> Derived | None:
    """Inline: a stage without reduction that is cheap where it is read disappears into its readers.

    A reader that packs arithmetic leads nowhere: its twin that does not comes to the same.

    before: for i: s0[i] = relu(a0[i]);  for i: s1[i] = s0[i] + 1
    after:  for i: s1[i] = relu(a0[i]) + 1
    """
    if not analysis.inlineable(state.dag, stage):
        return None
    found = inlined(state, stage)
    return Derived((found,) if found else (), final=True)


def inline_movable(state: State, stage: Stage) -> Derived | None:
    """Inline, or not: a transpose, a slice or cheap arithmetic may be read in place or keep its loops. A copy
    that is packed is not made first: packing reads what it is a copy of.

    before: for i j: s0[i, j] = a0[j, i];  tile s1 reading s0[i, k]
    after:  tile s1 reading a0[k, i]        (and, as another sketch, before)
    """
    found = inlined(state, stage) if analysis.movable(state.dag, stage) else None
    return None if found is None else Derived((found,), final=packed(state, stage))


def tile_and_fuse(state: State, stage: Stage) -> Derived | None:
    """Multi-level tiling with fusion: the readers, all point by point, are computed on the accumulators.

    before: tile s1: for i0 j0 … block: s1 += …;  for i j: s2 = relu(s1)
    after:  tile s1: for i0 j0 … block: s1 += …, then s2 = relu(s1) in registers

    One sketch where Ansor has two. It stores a tile of results and computes the reader on that, after the
    first or after the second spatial level; here the reader runs on the register block that has just got its
    last addend, or, where spatial loops lie between the reduce loops, on the block as it comes from the
    tile's memory in the last outer iteration. The outer level would only read the same from further away.
    """
    fused = _fused(state, stage)
    if fused is None or not analysis.has_reuse(state.reduced, state.reduced.by_name[stage.name]):
        return None
    return Derived(tuple(s.decide(*fused) for s in tiled(state, stage)), final=False)


def fuse(state: State, stage: Stage) -> Derived | None:
    """Fusion without tiling: a plain reduction or map hands its result to its readers in registers.

    before: for i: for k: s0[i] += …;  for i: s1[i] = sqrt(s0[i])
    after:  for i: for k: acc += …; s1[i] = sqrt(acc)
    """
    fused = _fused(state, stage)
    if fused is None or analysis.has_reuse(state.reduced, state.reduced.by_name[stage.name]):
        return None
    return Derived((state.decide(Loops(stage.name), *fused),), final=True)


def tile(state: State, stage: Stage) -> Derived | None:
    """Multi-level tiling: a stage with data reuse gets the structure SSRSRS. Its results gather in a cache
    node (registers, or memory of the thread), and its operands may be copied once in the order of the tiles.

    before: for i: for j: for k: s += …
    after:  parallel i0 j0: for i1 j1: for k0: for i2 j2: for k1: block i j: acc += …
    """
    if not analysis.has_reuse(state.reduced, state.reduced.by_name[stage.name]):
        return None
    return Derived(tiled(state, stage), final=True)


def factorise(state: State, stage: Stage) -> Derived | None:
    """Reduction factorisation: too few results for the threads, so the reduction itself is divided.

    before: for k: s0 += a0[k]
    after:  parallel f: for k in piece f: s0r[f] += a0[k];  for f: s0 += s0r[f]

    Ansor's two variants are numbers here more than structures. Parallel: the pieces are one per thread, or
    PIECES per thread where these may not take equally long. Vectorised: no axis is made for it, since the
    vector knob of any reduction may name a reduce axis; the lanes are then partial results that are added up
    once, at the end, with or without pieces around them.
    """
    mine = any(stage.name in (factor.stage, f"{factor.stage}r") for factor in state.factors)
    body = state.reduced.by_name[stage.name]
    threads = state.target.threads
    if mine or threads == 1 or not analysis.needs_rfactor(state.reduced, body, threads):
        return None
    if prod(axis.extent for axis in stage.axes) >= 16 * threads:
        return None  # enough results to share out; lanes of a vectorised reduce axis do the rest
    longest = max(stage.reduce, key=lambda axis: axis.extent)
    axis = next((one for one in stage.reduce if one.extent >= PIECES * threads), longest)
    counts = sorted({_near_divisor(axis.extent, many * threads) for many in (1, PIECES)} - {1})
    return Derived(
        tuple(state.factorise(Rfactor(stage.name, axis.name, count)) for count in counts), final=False
    )


def place(state: State, stage: Stage) -> Derived | None:
    """Placement: a stage is computed inside its reader's loops, where each tile needs it; one with reuse in
    the outermost tile only, in plain loops.

    So the scores of a block of queries never leave the cache, nor what is pooled; tiles that compute much
    again are the search's to avoid. A stage with reuse that can fuse does not take this way, nor one whose
    reader is computed unit by unit: its weights would not be packed.

    Not for outputs, for what is computed from constants, for stages read by several groups, and for operands
    that the reader packs. A choice by place is written out for all its points wherever it stands: it stays
    outside of the tiles, where its units are whole axes, and else keeps its loops.

    before: for i: s0[i] = pad(a0[i]);  parallel j0: … s0[j + k] …
    after:  parallel j0: for i in the tile's window: s0[i] = pad(a0[i]); … s0[j + k] …
    """
    body = state.reduced.by_name[stage.name]
    part = any(stage.name == f"{factor.stage}r" for factor in state.factors)
    whole = {axis.name for axis in stage.axes} == {str(part) for part in stage.where if part.terms}
    extents = {axis.name: axis.extent for axis in stage.axes}
    cut = any(extents[axis] > points for axis, points in stage.units)
    alone = stage.name in analysis.from_constants(state.dag) | {*state.dag.outputs}
    if alone or cut or part or not whole:
        return None
    host = _host(state, stage)
    if host is None:
        return None
    reuse = analysis.has_reuse(state.reduced, body)
    if reuse and (state.dag.by_name[host].units or analysis.fusible_consumers(state.reduced, body)):
        return None
    levels = LEVELS[: 1 if stage.units or reuse else _deepest(state, stage, host) + 1]
    return Derived(tuple(state.decide(Place(stage.name, host, level)) for level in levels), final=False)


def skip(state: State, stage: Stage) -> Derived | None:
    """Skip: the stage keeps plain loops.

    before: for i: s0[i] = …
    after:  parallel i0: block i: s0[i] = …
    """
    return Derived((state.decide(Loops(stage.name)),), final=True)


RULES: tuple[Rule, ...] = (prepare, inline, inline_movable, factorise, place, tile_and_fuse, fuse, tile, skip)
"""In the order in which they are tried."""


def _near_divisor(extent: int, wanted: int) -> int:
    """The divisor of the extent nearest to `wanted` within a factor of two; else `wanted` itself."""
    near = [n for n in range(max(2, wanted // 2), 2 * wanted + 1) if extent % n == 0]
    return min(near, key=lambda n: abs(n - wanted), default=min(wanted, extent))


def _host(state: State, stage: Stage) -> str | None:
    """The one group that holds all readers of the stage."""
    leaders: set[str] = set()
    for name in state.reduced.readers[stage.name]:
        match state.decided.get(name):
            case Fuse(into=into) | Place(into=into):
                leaders.add(into)
            case Loops() | Tile():
                leaders.add(name)
            case _:
                return None
    if len(leaders) != 1:
        return None
    host = leaders.pop()
    packed = any(pack.stage == host and pack.tensor == stage.name for pack in state.packs)
    return None if packed or isinstance(state.decided[host], Place) else host


def _deepest(state: State, stage: Stage, host: str) -> int:
    """The innermost level at which all readers can still be served."""
    deepest = LEVELS.index("r0") if state.dag.by_name[host].reduce else LEVELS.index("s1")
    for name in state.reduced.readers[stage.name]:
        match state.decided[name]:
            case Fuse():
                deepest = min(deepest, LEVELS.index("s1"))
            case Place(level=level):
                deepest = min(deepest, LEVELS.index(level))
    return deepest


def _together(state: State, members: Set[str]) -> bool:
    """Whether the stages can share their loops: none needs another element of one of them, nor what comes
    after one of them."""
    stages = [state.reduced.by_name[name] for name in members]
    pairs = ((one, reader) for one in stages for reader in stages if one.name in reader.reads)
    return all(analysis.follows(one, reader) for one, reader in pairs) and acyclic(state, members)


def _fused(state: State, stage: Stage) -> tuple[Step, ...] | None:
    """The steps that fuse the stage's consumers into it, with all that is fused into or placed in these.

    Several consumers may be leaders, or followers of one of them.
    """
    consumers = analysis.fusible_consumers(state.reduced, state.reduced.by_name[stage.name])
    decided = state.decided
    leaders = [name for name in consumers if isinstance(decided.get(name), Loops)]
    followers = [
        step
        for step in decided.values()
        if isinstance(step, Fuse | Place) and step.into in leaders
    ]
    # What is placed is computed before all that is fused, so it is none of the consumers.
    fused = {*leaders, *(step.stage for step in followers if isinstance(step, Fuse))}
    if not leaders or not fused.issuperset(consumers):
        return None
    if len(consumers) > 1 and not _together(state, {stage.name, *fused}):
        return None
    moved = (replace(step, into=stage.name) for step in followers)
    return (*(Fuse(name, stage.name) for name in leaders), *moved)
