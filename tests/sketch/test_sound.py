"""Sketches of subgraphs whose stages are read in several ways: what shares loops can, and runs in order."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from ansord.dag import Dag, Stage, analysis
from ansord.nest import Sketch, Target
from ansord.sketch import derive
from tests.dag.graphs import dag, node

UNARY = ("relu", "exp", "neg", "sigmoid")


def drawn(seed: int) -> Dag:
    """A product and up to six stages, each of one or two of those before it: maps, also of a transposed
    tensor, and rows' extremes beside what they are of. Some are outputs."""
    rng = np.random.default_rng(seed)
    nodes, names = [node("m", "matmul", "a", "b")], ["m"]
    for place in range(int(rng.integers(2, 7))):
        one, other = (str(name) for name in rng.choice(names, 2))
        name = f"n{place}"
        match int(rng.integers(4)):
            case 0:
                nodes.append(node(name, str(rng.choice(UNARY)), one))
            case 1:
                nodes.append(node(name, "add", one, other))
            case 2:
                turned = node(f"t{place}", "transpose", other, perm=[1, 0])
                nodes += [turned, node(name, "mul", one, f"t{place}")]
            case _:
                row = node(f"r{place}", "reduce_max", other, axes=1, keepdims=True)
                nodes += [row, node(name, "sub", one, f"r{place}")]
        names.append(name)
    outputs = [name for name in names[:-1] if rng.random() < 0.4]
    return dag({"a": (8, 8), "b": (8, 8)}, *nodes, outputs=[*outputs, names[-1]])


def faults(sketch: Sketch) -> Iterator[str]:
    """What is read before it is there, or from the accumulators at another element."""
    there = {tensor.name for tensor in sketch.dag.inputs}
    for root in sketch.groups:
        for group in (*(placed.group for placed in root.placed), root):
            done: list[Stage] = []
            for stage in (group.stage, *group.epilogue):
                for one in done:
                    if one.name in stage.reads and not analysis.follows(one, stage):
                        yield f"{stage.name} needs {one.name} elsewhere"
                late = {*stage.reads} - there - {one.name for one in done}
                yield from (f"{stage.name} reads {name} too early" for name in sorted(late))
                done.append(stage)
            there |= {one.name for one in group.writes}


@pytest.mark.parametrize("seed", range(40))
def test_sketches_are_sound(seed: int) -> None:
    for sketch in derive(drawn(seed), Target(threads=2), rewrites=()).sketches:
        assert not list(faults(sketch)), str(sketch)
