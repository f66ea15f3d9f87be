"""Dag to dag: axes that every stage walks as one, in tensors that lie as one, become one.

A 1x1 convolution is a matrix product whose rows are all places of its image: of 7 x 7 places, tiles of 2 x 2
leave a quarter to remainders, tiles of 4 of the 49 leave one. Whole tensors become flat where nothing but
points is computed. Changes shapes of tensors, never where an element lies. What becomes one has the name of
the innermost: programs of one image are programs of several.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace

from ansord.dag.dag import Axis, Dag, Stage, Tensor
from ansord_client.expr import AxisValue, Expr, Load, rewrite, walk
from ansord_client.index import Index

Pair = tuple[str, int]
"""A tensor, and the first of two neighbouring dimensions."""
Couple = tuple[str, str]
"""Two axes of a stage, the outer one first."""


def collapse(dag: Dag) -> Dag:
    """The same elements from fewer axes."""
    pairs = _pairs(dag)
    while pairs:
        joined = _class(dag, min(pairs), pairs)
        if len(dict(joined)) == len(joined):  # each tensor once
            dag = _joined(dag, joined)
            pairs = _pairs(dag)
        else:
            pairs -= joined
    return dag


def _pairs(dag: Dag) -> set[Pair]:
    """What every stage that touches the tensor walks as one."""
    touched = {name for stage in dag.stages for name, _ in _accesses(stage)}
    pairs = {(name, place) for name in touched for place in range(len(dag.tensors[name].shape) - 1)}
    while True:
        wrong = set().union(*(_apart(stage, dag.tensors, pairs) for stage in dag.stages))
        if not wrong:
            return pairs
        pairs -= wrong


def _apart(stage: Stage, tensors: Mapping[str, Tensor], pairs: set[Pair]) -> set[Pair]:
    """Those of `pairs` that this stage touches and does not walk as one, wherever it reads the tensor."""
    count = Counter(name for name, _ in _accesses(stage))
    found = Counter(pair for places in _couples(stage, tensors, pairs).values() for pair in places)
    return {pair for pair in pairs if count[pair[0]] != found[pair]}


def _couples(stage: Stage, tensors: Mapping[str, Tensor], pairs: set[Pair]) -> dict[Couple, list[Pair]]:
    """For each two axes that this stage only uses side by side, the pairs at which it does."""
    extents = {axis.name: axis.extent for axis in (*stage.axes, *stage.reduce)}
    spatial = {axis.name for axis in stage.axes} - {name for name, _ in stage.units}
    reduced = {axis.name for axis in stage.reduce}
    found: dict[Couple, list[Pair]] = defaultdict(list)
    for name, index in _accesses(stage):
        shape = tensors[name].shape
        for place in range(len(shape) - 1):
            first, second = _plain(index[place]), _plain(index[place + 1])
            if (
                (name, place) in pairs
                and first is not None
                and second is not None
                and first != second
                and ({first, second} <= spatial or {first, second} <= reduced)
                and (extents[first], extents[second]) == shape[place : place + 2]
            ):
                found[first, second].append((name, place))
    uses = _uses(stage)
    return {
        couple: places
        for couple, places in found.items()
        if uses[couple[0]] == uses[couple[1]] == len(places)
    }


def _class(dag: Dag, pair: Pair, pairs: set[Pair]) -> set[Pair]:
    """All that has to be joined with `pair`."""
    together = [found for stage in dag.stages for found in _couples(stage, dag.tensors, pairs).values()]
    joined, new = set[Pair](), {pair}
    while new:
        joined |= new
        new = {other for found in together if joined.intersection(found) for other in found} - joined
    return joined


def _joined(dag: Dag, pairs: set[Pair]) -> Dag:
    """The dag with both dimensions of each of `pairs` as one."""
    places = dict(pairs)

    def leaf(node: Expr) -> Expr:
        return replace(node, index=_flat(node.tensor, node.index, places)) if isinstance(node, Load) else node

    stages = []
    for stage in dag.stages:
        axes, reduce = stage.axes, stage.reduce
        for couple in _couples(stage, dag.tensors, pairs):
            axes, reduce = _one(axes, couple), _one(reduce, couple)
        where = None if stage.in_place else _flat(stage.name, stage.where, places)
        tensor, body = _shaped(stage.tensor, places), rewrite(stage.body, leaf)
        stages.append(replace(stage, tensor=tensor, axes=axes, reduce=reduce, body=body, index=where))
    return Dag(tuple(_shaped(tensor, places) for tensor in dag.inputs), tuple(stages), dag.outputs)


def _one(axes: tuple[Axis, ...], couple: Couple) -> tuple[Axis, ...]:
    """The axes with the couple as one, where they have it."""
    extents = {axis.name: axis.extent for axis in axes}
    if couple[0] not in extents:
        return axes
    both = Axis(couple[1], extents[couple[0]] * extents[couple[1]])
    return tuple(both if axis.name == couple[1] else axis for axis in axes if axis.name != couple[0])


def _shaped(tensor: Tensor, places: Mapping[str, int]) -> Tensor:
    if tensor.name not in places:
        return tensor
    place, shape = places[tensor.name], tensor.shape
    return replace(tensor, shape=(*shape[:place], shape[place] * shape[place + 1], *shape[place + 2 :]))


def _flat(name: str, index: tuple[Index, ...], places: Mapping[str, int]) -> tuple[Index, ...]:
    """The index of an element of a tensor whose dimensions were joined."""
    if name not in places:
        return index
    place = places[name]
    return index[:place] + index[place + 1 :]


def _accesses(stage: Stage) -> Iterator[tuple[str, tuple[Index, ...]]]:
    """What it writes, then each of its distinct reads."""
    yield stage.name, stage.where
    for load in stage.loads:
        yield load.tensor, load.index


def _uses(stage: Stage) -> Counter[str]:
    """How many parts of indices name each axis."""
    parts = [part for _, index in _accesses(stage) for part in index]
    parts += [leaf.index for leaf in walk(stage.body) if isinstance(leaf, AxisValue)]
    return Counter(axis for part in parts for axis in part.axes)


def _plain(index: Index) -> str | None:
    """The axis that the index is; None where it is anything else."""
    (axis, *others) = index.axes or ("",)
    return axis if not others and index == Index.of(axis) else None
