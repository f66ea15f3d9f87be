"""What the reference says to a draw: once in float64, once in the declared dtypes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ansord_client.compare.exact import grains
from ansord_client.compare.jumps import jumps
from ansord_client.dtypes import DTYPES
from ansord_client.graph import Node
from ansord_client.reference import evaluate
from ansord_client.reference.step import Array
from ansord_client.subgraph import Subgraph

_ERRORS = 16
"""Rounding errors that an edge is moved by, in units of eps·√K·max."""


def answers(
    sg: Subgraph, arrays: Sequence[Array], kind: str = "normal"
) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    """(ref64, ref32) for a draw of `kind`, each in the order and the dtypes of the outputs.

    Where whole inputs give exact outputs the two are one.

    Behind a jump ref32 is, element by element, the farthest from ref64 of three: the declared dtypes, and
    float64 with the values that the jumps decide on moved up or down by their rounding error.
    """
    ref64 = evaluate(sg, arrays, wide=True)
    if kind == "integer":
        exact = grains(sg)
        if all(exact[name] is not None for name in sg.outputs):
            return ref64, ref64
    ref32 = evaluate(sg, arrays, wide=False)
    found = jumps(sg)
    if found.behind.intersection(sg.outputs):
        for sign in (1, -1):
            moved = _moved(sg, arrays, found.edges, sign)
            for place, name in enumerate(sg.outputs):
                if name in found.behind:
                    _keep_farther(ref32[place], moved[place], ref64[place])
    return ref64, ref32


def _moved(sg: Subgraph, arrays: Sequence[Array], edges: tuple[str, ...], sign: int) -> tuple[Array, ...]:
    """float64 with each edge moved, every second one the other way: both sides of one comparison may be."""
    signs = {name: sign * (-1) ** place for place, name in enumerate(edges)}

    def shifted(name: str, values: Array) -> Array:
        if name not in signs:
            return values
        finite = values[np.isfinite(values)]
        largest = float(np.abs(finite).max()) if finite.size else 0.0
        error = _ERRORS * DTYPES[sg.tensor(name).dtype].eps * math.sqrt(sg.reductions[name]) * largest
        return np.asarray(values + values.dtype.type(signs[name] * error))

    def watch(node: Node, values: Array) -> Array:
        return shifted(node.name, values)

    inputs = [shifted(one.name, array) for one, array in zip(sg.inputs, arrays, strict=True)]
    return evaluate(sg, inputs, watch=watch)


def _keep_farther(kept: Array, other: Array, wanted: Array) -> None:
    """In place; a NaN is farthest."""
    with np.errstate(all="ignore"):
        if kept.dtype.kind == "f":
            farther = ~(np.abs(other - wanted) <= np.abs(kept - wanted))
        elif kept.dtype.kind == "b":
            farther = other != wanted
        else:
            distance = [np.abs(one.astype(np.float64) - wanted) for one in (other, kept)]
            farther = distance[0] > distance[1]
    np.copyto(kept, other, where=farther)
