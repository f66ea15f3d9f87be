"""Reductions in parts: chunks for threads, lanes inside a chunk, both at once; legal, and right."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from ansord.dag import rfactor
from ansord.emit import emit
from ansord.nest import Rfactor, parse_program, replay
from ansord.sketch import legal
from ansord_client.subgraph import Subgraph
from tests.dag.graphs import node, subgraph
from tests.emit.equality import TARGETS, Checker, space_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def rows(count: int, width: int, op: str) -> Subgraph:
    return subgraph({"x": (count, width)}, node("y", op, "x", axes=1))


GRAPHS = {
    "sums": rows(3, 960, "reduce_sum"),
    "largest": rows(3, 960, "reduce_max"),
    "least, one row": rows(1, 512, "reduce_min"),
    "sums, no divisor": rows(2, 1003, "reduce_sum"),
}


@pytest.fixture(scope="module")
def checker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checker]:
    with Checker(tmp_path_factory.mktemp("kernels")) as made:
        yield made


@pytest.mark.parametrize("name", GRAPHS)
def test_chunks_for_threads_and_lanes_within_them(checker: Checker, name: str) -> None:
    graph, target = GRAPHS[name], TARGETS[0]
    space = space_of(graph, target)
    factors = [step for sketch in space.sketches for step in sketch.steps if isinstance(step, Rfactor)]
    counts = sorted({step.chunks for step in factors})
    assert counts == [target.threads, 4 * target.threads], "a chunk a thread, or several"
    found = []
    for count in counts:
        steps = f"rfactor s0 over j in {count}; loops s0r; loops s0"
        part = rfactor(space.dag, "s0", "j", count).by_name["s0r"]
        vector = f"s0r.vector={len(part.axes)} s0r.block.j=2"  # j follows the spatial axes
        whole = "" if part.axes[1:] else "s0.scalar=1"  # a single result has no lanes
        found.append(parse_program(f"{steps} | {vector} s0r.parallel=1 {whole}", space.dag, target))
    chosen = np.array([space.row(program) for program in found])
    assert legal(space, chosen).all()
    lanes = target.lanes(4)
    for program in found:
        text = str(replay(program))
        assert "parallel f0" in text and f"j:{2 * lanes}/{lanes}" in text
        assert "fold_" in emit(program).text, "the lanes of a chunk are combined once, at its end"
    faults = checker.faults(graph, found, 1)
    assert not faults, "\n\n".join(map(str, faults))
