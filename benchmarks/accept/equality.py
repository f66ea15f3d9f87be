"""Claim: whatever the subgraph, the sketch and the numbers, the kernel equals the reference.

Random programs of Hypothesis-made subgraphs, of every op, and of the paper's workloads in small; some of them
under the address and undefined-behaviour sanitizers.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ansord.nest import Program
from ansord_client.ops import TABLE
from ansord_client.subgraph import Subgraph
from benchmarks.accept.claim import Claim, Values, Verdict
from examples.make import MAKERS, PAPER
from tests.emit.drawn import drawn
from tests.emit.equality import TARGETS, Checker, Fault, programs, space_of
from tests.emit.sanitized import Sanitized

DRAWS, OF_A_DRAW = 25, 8
OF_AN_OP = 2
OF_A_SUBGRAPH = 12
OF_A_WORKLOAD = 16
SANITIZED, OF_A_SANITIZED = 50, 6
SMALL: Mapping[str, tuple[int, ...]] = {
    "c1d": (17, 6, 20), "c2d": (9, 9, 6, 20), "c3d": (7, 7, 7, 4, 18), "gmm": (23, 18, 29),
    "grp": (9, 9, 8, 20), "dil": (13, 13, 6, 20), "dep": (9, 9, 20), "t2d": (5, 5, 6, 10),
    "cap": (6, 6, 5, 6), "nrm": (23, 37), "sfm": (23, 37), "cbr": (9, 9, 6, 20), "tbg": (13, 3, 10),
}  # fmt: skip
"""At most so large are the first numbers of a workload, its extents and channels; the others stay."""

Checked = Callable[[Subgraph, Sequence[Program], int], list[Fault]]


@dataclass(frozen=True)
class Bench:
    """What the steps share."""

    checker: Checker
    sanitized: Sanitized


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[Bench]:
    """A compiler, a child that runs what it makes, a main with sanitizers."""
    with Checker(folder) as checker:
        yield Bench(checker, Sanitized(folder))


def judged(graphs: Sequence[Subgraph], number: int, most: int, check: Checked) -> dict[str, Any]:
    """Up to `most` programs of each subgraph, spread over its sketches."""
    count, faults = 0, []
    for place, graph in enumerate(graphs, number):
        space = space_of(graph, TARGETS[place % len(TARGETS)])
        each = -(-most // len(space.sketches))
        found = spread(programs(space, each, place), most)
        count += len(found)
        faults += [str(fault) for fault in check(graph, found, place)]
    ops = sorted({node.op for graph in graphs for node in graph.live})
    return {"subgraphs": len(graphs), "programs": count, "ops": ops, "faults": faults}


def spread(found: list[Program], most: int) -> list[Program]:
    """At most so many, evenly."""
    step = max(1.0, len(found) / most)
    return [found[int(place * step)] for place in range(min(most, len(found)))]


def draw(number: int, bench: Bench) -> dict[str, Any]:
    return judged(drawn(number, OF_A_DRAW), number, OF_A_SUBGRAPH, bench.checker.faults)


def of_an_op(number: int, op: str, bench: Bench) -> dict[str, Any]:
    """The op among others, so that it is fused, inlined and placed."""
    others = (op, op, op, "relu", "add", "matmul", "reduce_sum")
    return judged(drawn(number, OF_AN_OP, others, 3), number, OF_A_SUBGRAPH, bench.checker.faults)


def workload(operator: str, number: int, bench: Bench) -> dict[str, Any]:
    shape, caps = PAPER[operator][number], SMALL[operator]
    numbers = [*map(min, shape, caps), *shape[len(caps) :]]
    graph = Subgraph.from_dict(MAKERS[operator]("small", 1, *numbers))
    return judged([graph], number, OF_A_WORKLOAD, bench.checker.faults)


def sanitized(number: int, bench: Bench) -> dict[str, Any]:
    return judged(drawn(1000 + number, 2), number, OF_A_SANITIZED // 2, bench.sanitized.faults)


def verdict(values: Values) -> Verdict:
    """No fault, and nothing left out."""
    faults = [fault for value in values.values() for fault in value["faults"]]
    watched = sum(value["programs"] for name, value in values.items() if name.startswith("sanitized"))
    total = sum(value["programs"] for value in values.values())
    graphs = sum(value["subgraphs"] for value in values.values())
    ops = {op for value in values.values() for op in value["ops"]}
    figure = f"{total - len(faults)} of {total} programs of {graphs} subgraphs equal the reference"
    figure += f"; {len(ops)} of {len(TABLE)} ops; {watched} programs under sanitizers"
    return Verdict(
        "; ".join([figure, *(fault.partition("\n")[0] for fault in faults[:3])]),
        "all, of every op",
        not faults,
    )


def claim(draws: int, ops: Sequence[str], workloads: Sequence[str], watched: int) -> Claim[Bench]:
    steps: dict[str, Callable[[Bench], Any]] = {f"draw {n}": partial(draw, n) for n in range(draws)}
    steps |= {f"op {op}": partial(of_an_op, n, op) for n, op in enumerate(ops)}
    steps |= {
        f"paper {operator} {number}": partial(workload, operator, number)
        for operator in workloads
        for number in range(len(PAPER[operator]))
    }
    steps |= {f"sanitized {n}": partial(sanitized, n) for n in range(watched)}
    return Claim("equality", steps, verdict, opened)


FULL = claim(DRAWS, list(TABLE), list(PAPER), SANITIZED)
DRAW = claim(0, ["concat"], [], 1)
