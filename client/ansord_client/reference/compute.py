"""`compute`: as matrix products per tap where the definition is a sum of products of two loads, else point by
point in blocks over the whole index space.
"""

from __future__ import annotations

import math
import string
from collections.abc import Mapping

import numpy as np

from ansord_client.expr import AxisValue, Call, Const, Expr, Load
from ansord_client.index import Index, Quotient
from ansord_client.ops import Definition
from ansord_client.reference.blocks import ELEMENTS, Box, boxes, lengths, strided, typed
from ansord_client.reference.contract import contract
from ansord_client.reference.scalar import SCALAR, cast
from ansord_client.reference.step import Array, Step

_TAPS = 4096
"""Beyond these many, point by point is no slower."""
_RESULT = 2**22

_COMBINERS = {None: np.add, "add": np.add, "mul": np.multiply, "maximum": np.maximum, "minimum": np.minimum}


def compute(step: Step) -> Array:
    """The definition of the node, over the arrays that it names."""
    definition: Definition = step.attrs["definition"]
    tensors = dict(zip(step.node.reads, step.args, strict=True))
    product = _product(definition)
    if product is not None:
        return _by_taps(step, definition, tensors, *product)
    out = step.empty()
    for box in boxes(out.shape):
        out[box] = _values(step, definition, tensors, box)
    return out


def _values(step: Step, definition: Definition, tensors: Mapping[str, Array], box: Box) -> Array:
    """A box of the result: the body at every point, combined block by block."""
    rank, size = len(box), math.prod(lengths(box))
    total: Array | None = None
    reduce = [extent for _, extent in definition.reduce]
    for inner in boxes(reduce, max(1, 4 * ELEMENTS // size)):
        places = (*box, *inner)
        names = [name for name, _ in (*definition.axes, *definition.reduce)]
        axes = {
            name: np.arange(part.start, part.stop).reshape(
                [-1 if other == axis else 1 for other in range(len(places))]
            )
            for axis, (name, part) in enumerate(zip(names, places, strict=True))
        }
        values = np.broadcast_to(_value(definition.body, axes, tensors, step), lengths(places))
        if definition.combiner is None:
            return values
        combine = _COMBINERS[definition.combiner]
        part = combine.reduce(values, axis=tuple(range(rank, len(places))), dtype=values.dtype)
        total = np.asarray(part if total is None else combine(total, part))
    assert total is not None
    return total


def _value(expr: Expr, axes: Mapping[str, Array], tensors: Mapping[str, Array], step: Step) -> Array:
    if isinstance(expr, Const):
        kind = step.work if expr.dtype != "bool" else np.dtype(np.bool_)
        return np.asarray(expr.value, kind)
    if isinstance(expr, AxisValue):
        return _index(expr.index, axes)
    if isinstance(expr, Load):
        array = tensors[expr.tensor]
        if not expr.index:
            return typed(array, step.work)
        return typed(array[tuple(_index(index, axes) for index in expr.index)], step.work)
    args = [_value(arg, axes, tensors, step) for arg in expr.args]
    return cast(args[0], step.work.name) if expr.op == "cast" else SCALAR[expr.op](*args)


def _index(index: Index, axes: Mapping[str, Array]) -> Array:
    total = np.asarray(index.const, np.int64).reshape(
        [1] * max((axis.ndim for axis in axes.values()), default=0)
    )
    for atom, factor in index.terms:
        if isinstance(atom, str):
            part = axes[atom]
        elif isinstance(atom, Quotient):
            part = _index(atom.numerator, axes) // atom.divisor
        else:
            part = _index(atom.numerator, axes) % atom.divisor
        total = total + factor * part
    return total


def _product(definition: Definition) -> tuple[Load, Load, tuple[str, ...]] | None:
    """The two loads whose products are summed, and the axes to walk so that each is a strided view."""
    body = definition.body
    if definition.combiner != "add" or not isinstance(body, Call) or body.op != "mul":
        return None
    first, second = body.args
    if not isinstance(first, Load) or not isinstance(second, Load):
        return None
    every = (*first.index, *second.index)
    left = {name for name, _ in definition.axes}
    taps = {axis for index in every for axis in index.axes if axis not in left and not _alone(index)}
    extents = dict(definition.reduce)
    if math.prod(extents[axis] for axis in taps) > _TAPS or len(definition.axes) + len(extents) > 52:
        return None
    if not set(extents) <= taps.union(*(index.axes for index in every)):
        return None
    for load in (first, second):
        free = [axis for index in load.index for axis in sorted(index.axes - taps)]
        if len(set(free)) < len(free) or any(index.divided - taps for index in load.index):
            return None
        if any(len(index.axes - taps) > 1 for index in load.index):
            return None
    return first, second, tuple(name for name in extents if name in taps)


def _alone(index: Index) -> bool:
    return len(index.terms) == 1 and isinstance(index.terms[0][0], str)


def _by_taps(
    step: Step,
    definition: Definition,
    tensors: Mapping[str, Array],
    first: Load,
    second: Load,
    taps: tuple[str, ...],
) -> Array:
    out = step.empty()
    extents = dict((*definition.axes, *definition.reduce))
    letters = dict(zip(extents, string.ascii_letters, strict=False))
    out_axes = "".join(letters[name] for name, _ in definition.axes)
    for box in boxes(out.shape, _RESULT):
        total = np.zeros(lengths(box), step.work)
        starts: dict[str, int | str | Index] = {}
        counts = dict(extents)
        for (name, _), part in zip(definition.axes, box, strict=True):
            starts[name] = Index.of(name) + part.start
            counts[name] = part.stop - part.start
        for tap in np.ndindex(*(extents[name] for name in taps)):
            places = {**starts, **dict(zip(taps, map(int, tap), strict=True))}
            views = [_view(tensors[load.tensor], load, places, counts, letters) for load in (first, second)]
            contract(total, out_axes, *views[0], *views[1])
        out[box] = total
    return out


def _view(
    array: Array,
    load: Load,
    places: Mapping[str, int | str | Index],
    counts: Mapping[str, int],
    letters: Mapping[str, str],
) -> tuple[Array, str]:
    """A load whose every index has at most one axis left, as a strided view, and the names of its axes."""
    cuts: list[slice | int] = []
    axes = ""
    for form in load.index:
        index = form.substitute(places)
        if not index.terms:
            cuts.append(index.const)
            continue
        ((axis, factor),) = index.terms
        assert isinstance(axis, str)
        cuts.append(strided(index.const, counts[axis], factor))
        axes += letters[axis]
    return array[tuple(cuts)], axes
