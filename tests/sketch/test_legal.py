"""Legality, rule by rule: for each a row that breaks it alone, and the rules again in plain Python."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest

from ansord.dag import expand
from ansord.emit import emit
from ansord.nest import SIZES, Group, Plan, Rows, Space, Target, accesses, regions, vector_axes
from ansord.sketch import annotate, derive, legal
from ansord.sketch.legal import CORNERED, PADDED, RAGGED, STATEMENTS, TILE_BYTES, size
from ansord_client.subgraph import Subgraph
from tests.dag.graphs import node, subgraph
from tests.nest.spaces import LARGE, SMALL, raw, space

TARGET = Target(vector_bytes=64, registers=32, threads=2)
MATMUL = subgraph({"a": (512, 768), "b": (768, 600)}, node("y", "matmul", "a", "b"), constant=("b",))
CUBE = subgraph({"x": (50, 50, 50)}, node("y", "exp", "x"))
DEEP = subgraph({"x": (9, 40, 300)}, node("y", "reduce_sum", "x", axes=[0, 2]))
PADS = subgraph({"x": (1, 600, 600, 8), "w": (3, 3, 8, 8)}, node("y", "conv2d", "x", "w", padding=1))


def made(graph: Subgraph) -> Space:
    dag = expand(graph)
    return Space(dag, derive(dag, TARGET).sketches, TARGET)


def row_of(of: Space, sketch: str, numbers: str) -> Rows:
    row = of.neutral_row.copy()
    row[0] = [str(s) for s in of.sketches].index(sketch)
    for pair in numbers.split():
        name, _, value = pair.partition("=")
        row[of.columns[name]] = int(value)
    return row


def broken(of: Space, row: Rows) -> set[str]:
    """The rules that a row breaks, in plain Python over plain integers."""
    found: set[str] = set()
    plans = of.program(row).plans
    for group in of.sketches[int(row[0])].everywhere:
        found |= _of_group(of, group, plans[group.name])
    return found


def _of_group(of: Space, group: Group, tiles: Plan) -> set[str]:
    spatial, reduce = tiles.spatial.values(), tiles.reduce.values()
    vectors = prod(len(range(0, min(a.block, a.extent), a.lanes)) for a in spatial)
    wide = [len(range(0, min(a.block, a.extent), a.lanes)) for a in reduce if a.lanes > 1]
    limit = of.target.registers - 2 if tiles.lanes > 1 else 8
    axes = vector_axes(group)
    memory = prod(a.blocks for a in spatial) > 1 and prod(a.chunks for a in reduce) > 1
    element = SIZES[group.stage.tensor.dtype]
    held = 0
    for placed in group.placed:
        points = prod(int(span.extent) for span in regions(group, tiles)[placed.group.name].values())
        held += points * SIZES[placed.group.stage.tensor.dtype]
    ragged = sum(a.extent > a.block and a.extent % a.block > 0 for a in spatial)
    text = size(of, group, tiles)
    rules = {
        "accumulators": vectors * prod(wide) > limit,
        "statements": text.statements > max(CORNERED if ragged > 1 else STATEMENTS, text.least),
        "ragged": ragged > RAGGED,
        "reduce block": any(a.extent % a.block and a.lanes == 1 for a in reduce),
        "vector": tiles.vector not in axes if axes else tiles.lanes > 1,
        "vector through memory": memory and bool(wide),
        "tile": memory and prod(a.middle for a in spatial) * element > TILE_BYTES,
        "packed": any(_grows(group, tiles, access.axes) for access in accesses(group) if access.packed),
        "regions": held > TILE_BYTES,
    }
    return {rule for rule, is_broken in rules.items() if is_broken}


def _grows(group: Group, tiles: Plan, axes: frozenset[str]) -> bool:
    read = [axis for name, axis in tiles.spatial.items() if name in axes]
    return bool(prod(a.covered for a in read) > PADDED * prod(a.extent for a in read))


TILED = "s0.vector=1 s0.block.i=4 s0.block.j=2"
CASES = [
    (MATMUL, "tile s0", TILED, "s0.block.i=16 s0.block.j=2", "accumulators"),
    (MATMUL, "tile s0", TILED, "s0.scalar=1 s0.block.i=16 s0.block.j=1", "accumulators"),
    (MATMUL, "tile s0", TILED, "s0.block.i=8 s0.block.j=3 s0.block.k=8 s0.middle.j=50", "statements"),
    (CUBE, "loops s0", "s0.vector=2 s0.shift=1 s0.block.j=2", "s0.block.i=4 s0.block.j=4", "ragged"),
    (MATMUL, "tile s0", TILED, "s0.block.k=5", "reduce block"),
    (DEEP, "loops s0", "s0.vector=2", "s0.vector=1", "vector"),
    (MATMUL, "tile s0", "s0.vector=2", "s0.block.k=2 s0.reduce.k=2 s0.middle.i=2", "vector through memory"),
    (MATMUL, "tile s0", TILED + " s0.reduce.k=96", "s0.middle.i=128 s0.middle.j=19", "tile"),
    (
        PADS,
        "place s0 in s1 at s0; tile s1",
        "s0.vector=3 s1.vector=2",
        "s1.outer.h=600 s1.outer.w=600",
        "regions",
    ),
]


@pytest.mark.parametrize(("graph", "sketch", "numbers", "change", "rule"), CASES)
def test_each_rule_alone(graph: Subgraph, sketch: str, numbers: str, change: str, rule: str) -> None:
    of = made(graph)
    good, bad = row_of(of, sketch, numbers), row_of(of, sketch, f"{numbers} {change}")
    assert broken(of, good) == set()
    assert broken(of, bad) == {rule}
    assert legal(of, np.stack([good, bad])).tolist() == [True, False]


def test_a_packed_constant_may_not_be_mostly_padding() -> None:
    """Of 16 lanes 3 are used: a packed constant would be five times the constant."""
    thin = subgraph({"a": (40, 64), "b": (64, 3)}, node("y", "matmul", "a", "b"), constant=("b",))
    of = made(thin)
    packed, plain = (row_of(of, f"tile s0{pack}", "s0.vector=1") for pack in ("; pack a1 for s0", ""))
    assert broken(of, packed) == {"packed"}
    assert broken(of, plain) == set()
    assert legal(of, np.stack([packed, plain])).tolist() == [False, True]


@pytest.mark.parametrize(("rows", "vectors"), [(12, 2), (8, 3), (6, 4), (14, 2)])
def test_the_best_blocks_may_have_two_partial_sides(rows: int, vectors: int) -> None:
    """Four texts of a block that fills the registers, with bias and activation, for prime extents."""
    prime = subgraph(
        {"a": (2039, 2039), "b": (2039, 2039), "c": (2039,)},
        node("y", "matmul", "a", "b"), node("z", "add", "y", "c"), node("o", "relu", "z"),
        constant=("b", "c"),
    )  # fmt: skip
    of = made(prime)
    knobs = f"s0.vector=1 s0.block.i={rows} s0.block.j={vectors} s0.middle.i=4"
    row = row_of(of, "tile s0; inline s1; fuse s2 into s0; pack a1 for s0", knobs)
    assert legal(of, row[None]).all()
    group = of.sketches[int(row[0])].groups[0]
    last = 2039 % rows, -(-(2039 % (16 * vectors)) // 16)
    each = size(of, group, of.program(row).plans["s0"]).statements / (rows + last[0]) / (vectors + last[1])
    assert each == round(each)


@pytest.mark.parametrize("name", [*SMALL, *LARGE])
def test_legal_is_what_the_rules_say(name: str) -> None:
    of = space(name, TARGET)
    rows = of.canonical(raw(of, 150, 5))
    said = legal(of, rows)
    assert said.tolist() == [not broken(of, row) for row in rows]


@pytest.mark.parametrize("name", ["matmul_bias_relu", "conv_bn_relu", "transposed", "odd", "two_outputs"])
def test_statements_bound_the_text(name: str) -> None:
    """What a legal program costs the compiler: lines of C are bounded by what `size` counts."""
    of = space(name, TARGET)
    for row in annotate(of, 12, np.random.default_rng(6)):
        program = of.program(row)
        counted = sum(
            int(size(of, group, program.plans[group.name]).statements) for group in program.sketch.everywhere
        )
        assert len(emit(program).text.splitlines()) < 4 * counted + 400


def joined(count: int, dtype: str) -> Space:
    """A concat along the vector axis: every lane is a choice of its own."""
    names = [f"x{place}" for place in range(count)]
    graph = subgraph(
        dict.fromkeys(names, (64, 31)),
        node("y", "concat", *names, axis=1),
        dtypes=dict.fromkeys(names, dtype),
    )
    return made(graph)


@pytest.mark.parametrize("count", [2, 5, 20])
def test_choices_by_position_cost_a_statement_a_lane(count: int) -> None:
    of = joined(count, "int8")
    rows = annotate(of, 60, np.random.default_rng(7))
    assert len(rows) > 5
    assert max(len(emit(of.program(row)).text) for row in rows) < 40_000


def test_one_scalar_may_always_be_computed() -> None:
    """Two hundred inputs are a long expression for every element, and still a kernel."""
    of = joined(200, "float32")
    rows = annotate(of, 60, np.random.default_rng(8))
    assert len(rows) > 0
    assert (rows[:, of.columns["s0.scalar"]] == 1).all()
