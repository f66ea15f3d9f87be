"""Which operands of a tiled stage are laid out in the order of its tiles: steps for the derivation rules."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

from ansord.dag import Dag, Stage, analysis
from ansord.nest import Inline, Pack, Tile
from ansord.sketch.state import State
from ansord_client.expr import Load


def tiled(state: State, stage: Stage) -> tuple[State, ...]:
    """The stage tiled: every operand read as it is; constants packed; and activations packed with them."""
    body = state.reduced.by_name[stage.name]
    fixed = _fixed(state.dag)
    refused = {
        load.tensor for load in body.loads if not _packable(state.dag, body, load, load.tensor in fixed)
    }
    packable = [load for load in body.loads if load.tensor not in refused]
    constants = [load.tensor for load in packable if load.tensor in fixed]
    # What is made anew, in the order in which it is read, gains nothing by another one.
    made = {name for name in body.reads if name in state.dag.by_name and state.dag.by_name[name].units}
    bare = [load.tensor for load in packable if _bare(load)]
    others = [name for name in bare if name not in fixed | made]
    choices = [
        (*constants, *taken) for count in range(len(others) + 1) for taken in combinations(others, count)
    ]
    if constants and not made & set(constants):
        choices.append(())
    # Weights that several stages share, as phases of a convolution do, are packed for all of them or none.
    tiles = (state.reduced.by_name[name] for name, step in state.steps if isinstance(step, Tile))
    shared = {name for one in tiles for name in one.reads} & set(constants)
    before = shared & {pack.tensor for pack in state.packs}
    choices = [choice for choice in choices if shared & set(choice) == before]
    packs = (tuple(Pack(stage.name, name) for name in dict.fromkeys(choice)) for choice in choices)
    return tuple(state.decide(Tile(stage.name), packs=pack) for pack in packs)


def inlined(state: State, stage: Stage) -> State | None:
    """The stage inlined; who packs a copy packs what it is a copy of. None where arithmetic is packed."""
    found = state.decide(Inline(stage.name))
    if not packed(state, stage):
        return found
    if not (isinstance(stage.body, Load) and analysis.pure_copy(stage)):
        return None
    source = stage.body.tensor
    packs = (replace(pack, tensor=source) if pack.tensor == stage.name else pack for pack in state.packs)
    found = replace(found, packs=tuple(dict.fromkeys(packs)))
    if source in _fixed(state.dag):
        return found
    readers = (found.reduced.by_name[pack.stage] for pack in found.packs if pack.tensor == source)
    loads = (load for reader in readers for load in reader.loads if load.tensor == source)
    return found if all(map(_bare, loads)) else None


def _fixed(dag: Dag) -> set[str]:
    """The tensors that are laid out once for all calls."""
    return {*analysis.from_constants(dag), *(one.name for one in dag.inputs if one.constant)}


def packed(state: State, stage: Stage) -> bool:
    """Whether a reader lays the stage's tensor out in the order of its tiles."""
    return any(pack.tensor == stage.name for pack in state.packs)


def _packable(dag: Dag, stage: Stage, load: Load, constant: bool) -> bool:
    """Whether another order of an operand may pay: it has one, and is read again for other results, or is a
    constant, laid out once for all calls; and it is never read outside its tensor, not even guarded."""
    axes = frozenset().union(*(part.axes for part in load.index))
    bounds = [part.interval(stage.ranges) for part in load.index]
    shape = dag.tensors[load.tensor].shape
    inside = all(low >= 0 and high < extent for (low, high), extent in zip(bounds, shape, strict=True))
    again = any(axis.extent > 1 and axis.name not in axes for axis in stage.axes)
    looping = sum(axis.extent > 1 and axis.name in axes for axis in (*stage.axes, *stage.reduce))
    return inside and (bool(axes) if constant else again and looping > 1)


def _bare(load: Load) -> bool:
    """Whether every index is one axis: a copy in tile order then holds each element once."""
    return all(not part.terms or (len(part.terms) == 1 and part.terms[0][1] == 1) for part in load.index)
