"""How groups touch memory, by value; what a target is."""

from __future__ import annotations

import pytest

from ansord.nest import Group, Target, accesses, default_loops, operations, target_of, vector_axes
from tests.dag.graphs import dag, node
from tests.nest.spaces import LARGE, SMALL, space


def group_of(name: str, sketch: str, group: str) -> Group:
    """The group of this name in the sketch that prints so."""
    found = next(s for s in space(name).sketches if str(s) == sketch)
    return next(g for g in found.everywhere if g.name == group)


def test_a_matmul_with_its_epilogue() -> None:
    group = group_of("matmul_bias_relu", "tile s0; inline s1; fuse s2 into s0; pack a1 for s0", "s0")
    found = accesses(group)
    assert [(a.tensor.name, a.packed, a.store, a.inner) for a in found] == [
        ("a0", False, False, True), ("a1", True, False, True), ("a2", False, False, False),
        ("s2", False, True, False),
    ]  # fmt: skip
    steps = [[a.step(axis) for axis in ("i", "j", "k")] for a in found]
    assert steps == [[96, 0, 1], [0, 1, 48], [0, 1, 0], [48, 1, 0]]
    assert operations(group) == 2
    assert vector_axes(group) == (1, 2)


def test_windows_and_phases_have_no_single_step() -> None:
    group = group_of("transposed", "loops s0; tile s1", "s1")
    x, w, y = accesses(group)
    assert x.step("o") == 0 and x.step("c") == 1
    assert x.step("ph") is None and w.step("ph") is None
    assert [y.step(axis) for axis in ("pw", "w", "o")] == [8, 16, 1]
    names = [axis.name for axis in (*group.stage.axes, *group.stage.reduce)]
    assert [names[p] for p in vector_axes(group)] == ["o", "c"]


def test_an_axis_of_one_point_is_no_vector_axis() -> None:
    bounds = {"starts": [0, 0, 0], "ends": [4, 6, 1], "steps": [1, 1, 1]}
    made = dag({"x": (4, 6, 2)}, node("y", "slice", "x", **bounds), node("z", "exp", "y"))
    group = default_loops(made).groups[0]
    load, store = accesses(group)
    assert [load.step(axis.name) for axis in group.stage.axes] == [12, 2, 0]
    assert [store.step(axis.name) for axis in group.stage.axes] == [6, 1, 1]
    assert vector_axes(group) == (1,)


@pytest.mark.parametrize("name", [*SMALL, *LARGE])
def test_vector_axes_have_more_than_one_point(name: str) -> None:
    of = space(name)
    for sketch in of.sketches:
        for group in sketch.everywhere:
            axes = (*group.stage.axes, *group.stage.reduce)
            assert all(axes[position].extent > 1 for position in vector_axes(group))


@pytest.mark.parametrize(
    ("isa", "width", "registers"),
    [
        (("avx", "avx2", "avx512f", "avx512vl", "sse2"), 64, 32),
        (("avx", "avx2", "avx512f"), 32, 16),
        (("avx", "sse2"), 16, 16),
        (("asimd", "fp"), 16, 32),
        ((), 16, 16),
    ],
)
def test_targets(isa: tuple[str, ...], width: int, registers: int) -> None:
    target = target_of(isa, 3, (1, 2, 3))
    assert target == Target(width, registers, 3, 1, 2, 3)
    assert [target.lanes(size) for size in (1, 4, 8)] == [width, width // 4, width // 8]
    assert target.lanes(128) == 1
