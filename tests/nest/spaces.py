"""Small spaces, and random rows of them, for the tests of everything that works on rows."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ansord.dag import Dag, expand
from ansord.nest import Program, Rows, Space, Target
from ansord.sketch import annotate, derive
from ansord_client.subgraph import Subgraph
from tests.dag.graphs import node, subgraph
from tests.subjects import SUBJECTS

SMALL: dict[str, Subgraph] = {
    "matmul": subgraph({"a": (7, 5), "b": (5, 6)}, node("y", "matmul", "a", "b"), constant=("b",)),
    "bias": subgraph(
        {"a": (6, 4), "b": (4, 9), "c": (9,)},
        node("y", "matmul", "a", "b"), node("z", "add", "y", "c"), node("o", "tanh", "z"),
    ),
    "conv": subgraph(
        {"x": (1, 5, 6, 3), "w": (2, 3, 3, 4)},
        node("e", "exp", "x"), node("y", "conv2d", "e", "w", padding=1), constant=("w",),
    ),
    "rows": subgraph({"x": (5, 11)}, node("y", "softmax", "x")),
    "sum": subgraph({"x": (6, 5, 4)}, node("y", "reduce_sum", "x", axes=[0, 2])),
    "scalar": subgraph({"x": ()}, node("y", "exp", "x")),
    "total": subgraph({"x": (3, 7)}, node("y", "reduce_max", "x")),
    "moved": subgraph(
        {"x": (11, 8), "w": (9, 6)},
        node("p", "pad", "x", pads=[[0, 0], [0, 1]], value=1),
        node("q", "slice", "p", starts=[0, 0], ends=[5, 9], steps=[1, 1]),
        node("r", "tanh", "q"), node("y", "matmul", "r", "w"),
    ),
    "padded twice": subgraph(
        {"x": (3, 2, 3, 1)}, node("e", "exp", "x"),
        node("y", "pad", "e", pads=[[0, 0], [2, 3], [2, 1], [0, 3]], value=-1),
        node("z", "pad", "y", pads=[[1, 0], [1, 1], [0, 0], [0, 0]], value=2),
    ),
}  # fmt: skip
"""Extents so small that every point can be visited."""
LARGE: dict[str, Subgraph] = {name: subject.graph for name, subject in SUBJECTS.items()}

NARROW = Target(vector_bytes=16, registers=16, threads=2)
"""Four floats a vector: small extents have several."""


@lru_cache
def space(name: str, target: Target = NARROW) -> Space:
    """The space of one of the subgraphs."""
    made = dag_of(name)
    return Space(made, derive(made, target).sketches, target)


@lru_cache
def dag_of(name: str) -> Dag:
    """Its tensor expressions."""
    return expand((SMALL | LARGE)[name])


def raw(of: Space, count: int, seed: int) -> Rows:
    """Rows with every used knob drawn evenly from its range: inside the table, canonical or legal or not."""
    rng = np.random.default_rng(seed)
    rows = np.tile(of.neutral_row, (count, 1))
    rows[:, 0] = rng.integers(0, len(of.sketches), count)
    for sketch, where in of.blocks(rows):
        for knob in of.used[sketch]:
            rows[where, of.columns[knob.name]] = rng.integers(knob.low, knob.high + 1, len(where))
    return rows


def legal_rows(of: Space, count: int, seed: int) -> Rows:
    """Random annotations."""
    return annotate(of, count, np.random.default_rng(seed))


def programs(name: str, count: int, seed: int = 0) -> list[Program]:
    """Random legal programs of one of the subgraphs."""
    of = space(name)
    return [of.program(row) for row in legal_rows(of, count, seed)]


__all__ = ["LARGE", "NARROW", "SMALL", "dag_of", "legal_rows", "programs", "raw", "space"]
