"""The arithmetic of tiles against brute force, and once for a program as for a column of rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansord.nest import Plan, ceil, parse_program, product
from tests.nest.spaces import NARROW, SMALL, dag_of, raw, space


@pytest.mark.parametrize("name", SMALL)
def test_counts_and_sizes_agree(name: str) -> None:
    of = space(name)
    for row in raw(of, 60, 0):
        for tiles in of.program(row).plans.values():
            for axis in tiles.spatial.values():
                assert axis.block % axis.lanes == 0
                assert axis.middle == axis.blocks * axis.block
                assert axis.outer == axis.tiles * axis.middle
                assert (axis.chunks - 1) * axis.outer < axis.extent <= axis.chunks * axis.outer
                assert axis.covered == len(range(0, axis.extent, axis.block)) * axis.block
                assert axis.ragged == (axis.extent % axis.block != 0)
            for reduced in tiles.reduce.values():
                assert reduced.tile % reduced.block == 0
                assert (reduced.chunks - 1) * reduced.tile < reduced.extent <= reduced.chunks * reduced.tile
                # A partial block is met inside R1 only: then R1 has another step, or is all there is.
                if reduced.extent % reduced.block:
                    assert reduced.chunks == 1 or reduced.tile > reduced.block


@pytest.mark.parametrize("name", SMALL)
def test_columns_are_rows(name: str) -> None:
    """What a population computes with arrays is what each program computes with integers."""
    of = space(name)
    rows = raw(of, 80, 1)
    met = [set[str]() for _ in rows]
    for nest, where in of.nests(rows):
        columns = of.plans(nest, rows[where])
        for place, number in enumerate(where):
            plans = of.program(rows[number]).plans
            met[number] |= columns.keys()
            for group in columns:
                assert _flat(columns[group], place, len(where)) == _flat(plans[group], 0, 1)
                memory = np.broadcast_to(columns[group].through_memory, len(where))
                assert bool(memory[place]) == bool(plans[group].through_memory)
    assert met == [of.program(row).plans.keys() for row in rows]


def _flat(tiles: Plan, place: int, count: int) -> list[int]:
    """Every number of a plan, for one of its rows."""
    axes = [*tiles.spatial.values(), *tiles.reduce.values()]
    numbers = [value for axis in axes for value in vars(axis).values()]
    numbers += [value for name, value in vars(tiles).items() if name not in ("spatial", "reduce")]
    return [int(np.broadcast_to(value, count)[place]) for value in numbers]


@pytest.mark.parametrize(
    ("numbers", "memory"),
    [
        ("s0.reduce.k=2 s0.middle.i=2", True),
        ("s0.reduce.k=2 s0.middle.j=2", True),
        ("s0.reduce.k=2", False),
        ("s0.reduce.k=5 s0.middle.i=2", False),
        ("s0.reduce.k=2 s0.outer.i=2", False),
        ("s0.reduce.k=1 s0.block.k=5 s0.middle.i=2", False),
    ],
)
def test_through_memory(numbers: str, memory: bool) -> None:
    """Only where an outer reduce loop has a spatial loop inside."""
    program = parse_program(f"tile s0 | s0.vector=1 {numbers}", dag_of("matmul"), NARROW)
    assert bool(program.plans["s0"].through_memory) is memory


def test_lanes_follow_the_widest_element_and_the_shift() -> None:
    def lanes(numbers: str) -> list[int]:
        program = parse_program(f"tile s0 | {numbers}", dag_of("matmul"), NARROW)
        return [axis.lanes for axis in program.plans["s0"].spatial.values()]

    assert lanes("s0.vector=1") == [1, 4]
    assert lanes("s0.vector=0 s0.shift=1") == [2, 1]
    assert lanes("s0.vector=1 s0.scalar=1") == [1, 1]
    assert lanes("s0.vector=2") == [1, 1]  # the reduce axis has them


@given(st.integers(1, 10**6), st.integers(1, 1000))
def test_ceil(value: int, by: int) -> None:
    assert ceil(value, by) == len(range(0, value, by))


def test_product() -> None:
    assert product([]) == 1
    assert product([2, 3, 7]) == 42
    assert product([2, np.array([1, 5])]).tolist() == [2, 10]
