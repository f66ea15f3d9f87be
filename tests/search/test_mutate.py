"""Children: of the shape of their parents, one move away, and legal often enough once they are canonical."""

from __future__ import annotations

import numpy as np
import pytest

from ansord.nest import Target
from ansord.search.mutate import cross, mutate
from ansord.sketch import legal
from tests.nest.spaces import LARGE, SMALL, legal_rows, space

TARGET = Target(vector_bytes=64, registers=32, threads=2)
NAMES = ["matmul", "total", "moved", *LARGE]


@pytest.mark.parametrize("name", [*SMALL, *LARGE])
def test_children_have_the_shape_of_their_parents(name: str) -> None:
    of = space(name, TARGET)
    parents = legal_rows(of, 200, 0)
    before = parents.copy()
    rng = np.random.default_rng(0)
    for children in (mutate(of, parents, rng), cross(of, parents, parents[::-1], rng)):
        assert children.shape == parents.shape and children.dtype == parents.dtype
        assert ((children[:, 0] >= 0) & (children[:, 0] < len(of.sketches))).all()
        clean = of.canonical(children)
        assert of.canonical(clean).tolist() == clean.tolist()
    assert parents.tolist() == before.tolist()  # the parents are left as they were


@pytest.mark.parametrize("name", NAMES)
def test_a_mutant_is_one_move_away(name: str) -> None:
    """One number, or two where a factor moves from one tile to another, or the sketch and what it had not."""
    of = space(name, TARGET)
    parents = legal_rows(of, 300, 1)
    children = mutate(of, parents, np.random.default_rng(1))
    kept = of.uses[parents[:, 0]]
    differ = ((children != parents) & kept).sum(axis=1)
    assert differ.max() <= 2
    assert (differ > 0).mean() > 0.2
    moved = children[:, 0] != parents[:, 0]
    assert (differ[moved] == 1).all()
    used = [[of.columns[knob.name] for knob in knobs] for knobs in of.used]
    for parent, child in zip(parents[~moved], children[~moved], strict=True):
        assert set(np.flatnonzero(parent != child)) <= set(used[parent[0]])


@pytest.mark.parametrize("name", NAMES)
def test_enough_children_are_usable(name: str) -> None:
    of = space(name, TARGET)
    parents = legal_rows(of, 300, 2)
    rng = np.random.default_rng(2)
    for children in (
        mutate(of, parents, rng),
        cross(of, parents, parents[rng.permutation(len(parents))], rng),
    ):
        clean = of.canonical(children)
        assert legal(of, clean).mean() > 0.3


def test_every_kind_of_knob_moves() -> None:
    of = space("conv_bn_relu", TARGET)
    parents = legal_rows(of, 3000, 3)
    children = of.canonical(mutate(of, parents, np.random.default_rng(3)))
    moved = {
        knob.kind
        for knob in of.knobs
        if (children[:, of.columns[knob.name]] != parents[:, of.columns[knob.name]]).any()
    }
    assert moved >= {
        "block",
        "middle",
        "outer",
        "reduce",
        "vector",
        "shift",
        "parallel",
        "first",
        "unroll",
        "pin",
        "outermost",
    }
    assert (children[:, 0] != parents[:, 0]).any()


def test_a_change_of_sketch_stays_among_the_given() -> None:
    of = space("conv_bn_relu", TARGET)
    parents = legal_rows(of, 2000, 4)
    children = mutate(of, parents, np.random.default_rng(4), among=[1, 3])
    moved = children[:, 0] != parents[:, 0]
    assert set(children[moved, 0].tolist()) == {1, 3}


def test_what_a_new_sketch_has_more_is_drawn() -> None:
    """A stage that gets loops of its own gets vectors and threads with them, often enough."""
    of = space("conv_bn_relu", TARGET)
    parents = legal_rows(of, 4000, 7)
    children = mutate(of, parents, np.random.default_rng(7))
    more = of.uses[children[:, 0]] & ~of.uses[parents[:, 0]]
    moved = more.any(axis=1)
    assert moved.sum() > 40
    neutral = ((children == of.neutral_row) | ~more).all(axis=1)
    assert neutral[moved].mean() < 0.1
    assert legal(of, of.canonical(children[moved])).mean() > 0.5
    # What the parent has not and the child has not either stays as it was.
    still = ~of.uses[children[:, 0]] & ~of.uses[parents[:, 0]]
    assert (children[still] == parents[still]).all()


def test_half_of_the_jumps_go_to_what_is_most_alike() -> None:
    of = space("conv_bn_relu", TARGET)
    parents = legal_rows(of, 8000, 8)
    children = mutate(of, parents, np.random.default_rng(8))
    moved = children[:, 0] != parents[:, 0]
    steps = [set(sketch.steps) for sketch in of.sketches]
    near = []
    for parent, child in zip(parents[moved, 0], children[moved, 0], strict=True):
        apart = [len(steps[parent] ^ other) for other in steps]
        near.append(apart[child] == min(apart[:parent] + apart[parent + 1 :]))
    assert 0.5 < np.mean(near) < 0.95


def test_crossing_takes_nothing_of_what_the_father_has_not() -> None:
    of = space("conv_bn_relu", TARGET)
    rows = legal_rows(of, 2000, 9)
    mothers, fathers = rows, rows[np.random.default_rng(0).permutation(len(rows))]
    children = cross(of, mothers, fathers, np.random.default_rng(9))
    lacks = of.uses[mothers[:, 0]] & ~of.uses[fathers[:, 0]]
    assert lacks.any() and (children[lacks] == mothers[lacks]).all()


def test_crossing_takes_groups_whole() -> None:
    """Of two groups each comes from one parent; the sketch is the mother's."""
    of = space("conv_bn_relu", TARGET)
    rows = legal_rows(of, 400, 5)
    rows = rows[rows[:, 0] == rows[0, 0]]
    mothers, fathers = rows, rows[::-1]
    children = cross(of, mothers, fathers, np.random.default_rng(5))
    assert children[:, 0].tolist() == mothers[:, 0].tolist()
    from_father = 0
    for group in of.sketches[int(rows[0, 0])].everywhere:
        columns = [of.columns[knob.name] for knob in of.used[int(rows[0, 0])] if knob.group == group.name]
        mine = (children[:, columns] == mothers[:, columns]).all(axis=1)
        theirs = (children[:, columns] == fathers[:, columns]).all(axis=1)
        assert (mine | theirs).all()
        from_father += int((theirs & ~mine).sum())
    assert from_father > 0


def test_a_lone_group_is_crossed_axis_by_axis() -> None:
    of = space("odd", TARGET)
    rows = legal_rows(of, 400, 6)
    rows = rows[rows[:, 0] == rows[0, 0]]
    children = cross(of, rows, rows[::-1], np.random.default_rng(6))
    mixed = (children != rows).any(axis=1) & (children != rows[::-1]).any(axis=1)
    assert mixed.any()
    assert ((children == rows) | (children == rows[::-1])).all()
