"""What is asked for ahead: the next tile's part of the packed operand, spread over the updates of a tile."""

from __future__ import annotations

import re

import pytest

from ansord.dag import expand
from ansord.emit import emit
from ansord.nest import Target, parse_program
from tests.dag.graphs import node, subgraph

TARGET = Target(vector_bytes=32, registers=16)


def text_of(more: str) -> str:
    """10 x 64 times 64 x 96 in blocks of 5 rows and 2 vectors of 8: six parts of 64 · 16 · 4 bytes."""
    graph = subgraph({"a": (10, 64), "b": (64, 96)}, node("y", "matmul", "a", "b"), constant=("b",))
    plan = "s0.vector=1 s0.block.i=5 s0.block.j=2 s0.first=1 s0.prefetch=1"
    program = parse_program(f"tile s0; pack a1 for s0 | {plan} {more}", expand(graph), TARGET)
    return emit(program).text


@pytest.mark.parametrize(
    ("more", "updates"),
    [("s0.block.k=4 s0.outer.i=2 s0.reduce.k=16", 2 * 16), ("s0.outer.i=2 s0.reduce.k=64", 2 * 64)],
)
def test_a_tile_asks_for_the_whole_part_of_the_next(more: str, updates: int) -> None:
    text = text_of(more)
    starts, steps = re.findall(r"ahead = .*;", text), re.findall(r"ahead \+= (\d+);", text)
    assert len(starts) == 1 and "j0*64L+1024" in starts[0], starts
    assert {int(step) for step in steps} == {4096 // updates}
