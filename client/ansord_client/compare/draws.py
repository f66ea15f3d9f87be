"""The inputs that a kernel is tried on; a seed says all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from ansord_client.compare.exact import largest
from ansord_client.dtypes import DTYPES
from ansord_client.graph import Input
from ansord_client.reference.step import Array
from ansord_client.subgraph import Subgraph

KINDS = ("normal", "integer", "special")

_WHOLE = ((8, 1.0), (4, 1.0), (2, 1.0), (1, 1.0), (1, 0.25), (1, 0.0625), (1, 1 / 64), (1, 1 / 512))
"""Largest whole number and share of non-zeros, tried in turn until every sum is exact."""

_POSITIVE = {"sqrt": (0,), "rsqrt": (0,), "log": (0,), "pow": (0,), "batch_norm": (4,)}
"""Args that have no meaning below zero; inputs read there are drawn as magnitudes."""

_WEIGHTS = {
    **{f"conv{n}d": (1,) for n in (1, 2, 3)},
    **{f"conv{n}d_transpose": (0, 1) for n in (1, 2, 3)},
    "batch_norm": (1, 2, 3, 4),
}
"""Args that stay finite: an infinity there would meet the zeros of padding, of folding, or of the taps that a
phase of a transposed convolution lacks, in an order that the definition leaves open."""


def draws(sg: Subgraph, seed: int) -> Iterator[tuple[str, tuple[Array, ...]]]:
    """Each kind that the subgraph admits, with its inputs; the normal one first."""
    for kind in KINDS:
        arrays = inputs(sg, seed, kind)
        if arrays is not None:
            yield kind, arrays


def inputs(sg: Subgraph, seed: int, kind: str) -> tuple[Array, ...] | None:
    """The inputs of a draw in call order; None where the subgraph does not admit the kind.

    "integer" needs a size of numbers that keeps every sum exact, "special" a float input that is no weight.
    """
    positive = _read_at(sg, _POSITIVE)
    if kind == "integer":
        return _integer(sg, seed, positive)
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    arrays = tuple(_normal(rng, one, one.name in positive) for one in sg.inputs)
    return arrays if kind == "normal" else _special(rng, sg, arrays)


def _normal(rng: np.random.Generator, one: Input, positive: bool) -> Array:
    row = DTYPES[one.dtype]
    if row.kind != "float":
        low, high = row.interval
        return np.asarray(rng.integers(low, high, one.shape, row.numpy, endpoint=True), row.numpy)
    values = np.asarray(rng.standard_normal(one.shape, np.dtype(one.dtype)))
    return np.asarray(np.abs(values)) if positive else values


def _integer(sg: Subgraph, seed: int, positive: set[str]) -> tuple[Array, ...] | None:
    for size, share in _WHOLE:
        rng = np.random.default_rng([seed, KINDS.index("integer")])
        arrays = tuple(_whole(rng, one, size, share, one.name in positive) for one in sg.inputs)
        told = all(array.any() or array.dtype == np.bool_ for array in arrays)
        if told and largest(sg, arrays) <= 1:
            return arrays
    return None


def _whole(rng: np.random.Generator, one: Input, size: int, share: float, positive: bool) -> Array:
    """Numbers from ±1 to ±size, or without a sign; zeros only where fewer non-zeros are wanted."""
    row = DTYPES[one.dtype]
    if row.kind == "bool":
        return np.asarray(rng.integers(0, 1, one.shape, np.bool_, endpoint=True))
    values = rng.integers(1, size, one.shape, np.int8, endpoint=True)
    if row.kind != "uint" and not positive:
        values *= 2 * rng.integers(0, 1, one.shape, np.int8, endpoint=True) - 1
    if share < 1:
        values *= rng.random(one.shape, np.float32) < share
    return np.asarray(values, row.numpy)


def _special(rng: np.random.Generator, sg: Subgraph, arrays: tuple[Array, ...]) -> tuple[Array, ...] | None:
    weights = _read_at(sg, _WEIGHTS)
    open_ = [
        place
        for place, one in enumerate(sg.inputs)
        if DTYPES[one.dtype].kind == "float" and not one.constant and one.name not in weights
    ]
    if not open_:
        return None
    array = arrays[rng.choice(open_)].reshape(-1)
    places = rng.permutation(array.size)[:4] if array.size < 2**20 else rng.integers(0, array.size, 4)
    array[places] = np.array([np.nan, np.inf, -np.inf, -0.0], array.dtype)[: len(places)]
    return arrays


def _read_at(sg: Subgraph, places: Mapping[str, tuple[int, ...]]) -> set[str]:
    """The tensors that reach one of these args."""
    found: set[str] = set()
    for node in reversed(sg.live):
        wanted = places.get(node.op, ())
        for place, arg in enumerate(node.args):
            if isinstance(arg, str) and (place in wanted or node.name in found):
                found.add(arg)
    return found
