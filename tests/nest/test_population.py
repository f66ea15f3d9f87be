"""Rows of the matrix: one form for each program, and what a row means does not change on the way there."""

from __future__ import annotations

import numpy as np
import pytest

from ansord.dag import expand
from ansord.emit import emit
from ansord.nest import Space, Target, distinct, parse_program, replay
from ansord.nest.knob import group_knobs, neutral
from ansord.sketch import derive, legal
from tests.dag.graphs import node, subgraph
from tests.nest.spaces import LARGE, NARROW, SMALL, dag_of, legal_rows, raw, space


@pytest.mark.parametrize("name", SMALL)
def test_canonical_is_idempotent(name: str) -> None:
    of = space(name)
    once = of.canonical(raw(of, 300, 0))
    assert of.canonical(once).tolist() == once.tolist()


@pytest.mark.parametrize("name", SMALL)
def test_canonical_keeps_the_loops(name: str) -> None:
    of = space(name)
    rows = raw(of, 400, 1)
    clean = of.canonical(rows)
    good = legal(of, clean)
    for row, cut in zip(rows[good][:40], clean[good], strict=False):
        assert str(replay(of.program(row))) == str(replay(of.program(cut)))


@pytest.mark.parametrize("name", ["matmul", "conv", "moved", "total"])
def test_canonical_keeps_the_text(name: str) -> None:
    """Of legal rows whose numbers are inflated, so that canonical has something to cut."""
    of = space(name)
    rows = legal_rows(of, 12, 2)
    larger = rows.copy()
    for knob in of.knobs:
        if knob.kind in ("outer", "middle", "reduce") and knob.high > 1:
            column = of.columns[knob.name]
            full = of.canonical(_with(rows, column, knob.high))[:, column]
            larger[:, column] = np.where(full == rows[:, column], knob.high, rows[:, column])
    clean = of.canonical(larger)
    for row, other in zip(larger, clean, strict=True):
        assert emit(of.program(row)).text == emit(of.program(other)).text


def _with(rows: np.ndarray, column: int, value: int) -> np.ndarray:
    changed = rows.copy()
    changed[:, column] = value
    return changed


def test_numbers_that_do_nothing_are_cut() -> None:
    """By value: of 7 x 6 results, 50 blocks of 2 rows are 4; the order of single loops says nothing."""
    of = space("matmul")
    sketch = next(n for n, s in enumerate(of.sketches) if str(s) == "tile s0")
    row = of.neutral_row.copy()
    row[0] = sketch
    for knob, value in {
        "vector": 1, "block.i": 2, "middle.i": 50, "outer.i": 9, "block.j": 7, "parallel": 2, "first": 1,
    }.items():  # fmt: skip
        row[of.columns[f"s0.{knob}"]] = value
    clean = of.program(of.canonical(row[None])[0]).knobs
    cut = {name: clean[f"s0.{name}"] for name in ("block.i", "middle.i", "outer.i", "block.j")}
    assert cut == {"block.i": 2, "middle.i": 4, "outer.i": 1, "block.j": 2}
    assert clean["s0.parallel"] == clean["s0.first"] == 0  # neither axis has an outermost loop


def test_scalar_rows_have_no_vector_choices() -> None:
    of = space("bias")
    rows = raw(of, 200, 3)
    scalars = [of.columns[k.name] for k in of.knobs if k.kind == "scalar"]
    rows[:, scalars] = 1
    clean = of.canonical(rows)
    others = [of.columns[k.name] for k in of.knobs if k.kind in ("shift", "pin", "stream", "prefetch")]
    assert not clean[:, others].any()


@pytest.mark.parametrize("name", [*SMALL, *LARGE])
def test_the_table_covers_every_sketch(name: str) -> None:
    of = space(name)
    names = [knob.name for knob in of.knobs]
    assert len(set(names)) == len(names)
    for sketch, used in zip(of.sketches, of.used, strict=True):
        wanted = {
            knob.name
            for group in sketch.everywhere
            for knob in group_knobs(group, of.target, group.name in sketch.hosts)
        }
        assert {knob.name for knob in used} == wanted <= set(names)
        for knob in used:
            assert knob.low <= neutral(knob.name) <= knob.high


def test_one_thread_leaves_nothing_to_share() -> None:
    serial = Target(vector_bytes=16, registers=16, threads=1)
    of = Space(dag_of("matmul"), space("matmul").sketches, serial)
    assert {knob.high for knob in of.knobs if knob.kind == "parallel"} == {0}
    assert {knob.high for knob in space("matmul").knobs if knob.kind == "parallel"} == {2}


def test_placed_groups_share_their_hosts_threads() -> None:
    of = space("moved")
    for sketch, used in zip(of.sketches, of.used, strict=True):
        parallel = {knob.group for knob in used if knob.kind == "parallel"}
        assert parallel == {group.name for group in sketch.groups}


def test_distinct_keeps_the_first_of_each() -> None:
    rows = np.array([[0, 1], [0, 2], [0, 1], [1, 1], [0, 2]])
    assert distinct(rows).tolist() == [[0, 1], [0, 2], [1, 1]]
    assert distinct(rows, {rows[1].tobytes()}).tolist() == [[0, 1], [1, 1]]
    assert distinct(rows[:0]).tolist() == []


def test_blocks_are_the_rows_of_each_sketch() -> None:
    of = space("matmul", NARROW)
    rows = raw(of, 50, 4)
    found = dict(of.blocks(rows))
    assert sorted(place for where in found.values() for place in where) == list(range(50))
    assert all((rows[where, 0] == sketch).all() for sketch, where in found.items())


def test_what_is_stored_past_the_caches_and_what_is_asked_for() -> None:
    """Large results that nobody in the kernel reads, and large packed constants; nothing else."""
    graph = subgraph(
        {"a": (512, 512), "b": (512, 512)}, node("y", "matmul", "a", "b"), node("z", "softmax", "y"),
        constant=("b",), outputs=("y", "z"),
    )  # fmt: skip
    made = {}
    for size in (1 << 19, 1 << 22):
        target = Target(64, 32, 2, l2=size, l3=size)
        dag = expand(graph)
        of = Space(dag, derive(dag, target).sketches, target)
        made[size] = {knob.name for knob in of.knobs if knob.kind in ("stream", "prefetch")}
    last = expand(graph).stages[-1].name
    assert made[1 << 19] == {f"{last}.stream", "s0.prefetch"}
    assert made[1 << 22] == set()


@pytest.mark.parametrize("name", [*SMALL, *LARGE])
def test_a_text_has_the_row_of_its_program(name: str) -> None:
    of = space(name)
    for row in legal_rows(of, 12, 5):
        program = of.program(row)
        read, parsed = of.read(str(program)), of.row(parse_program(str(program), of.dag, of.target))
        assert read is not None and parsed is not None
        assert read.tolist() == parsed.tolist() == row.tolist()


def test_what_is_no_program_of_the_space_has_no_row() -> None:
    of = space("odd")
    text = str(of.program(legal_rows(of, 1, 0)[0]))
    structure, _, numbers = text.partition(" | ")
    assert of.read(f"{structure}; loops s9 | {numbers}") is None
    assert of.read(f"{structure} | {numbers}x") is None
    assert of.read("") is of.read("no program") is None


def test_a_program_of_one_image_is_one_of_several() -> None:
    """Axes that are meant by position are counted anew where images come before them."""

    def of(images: int) -> Space:
        inputs = {"x": (images, 6, 6, 8), "w": (3, 3, 8, 8)}
        graph = subgraph(inputs, node("y", "conv2d", "x", "w"), constant=("w",))
        dag, target = expand(graph), Target(threads=2)
        return Space(dag, derive(dag, target).sketches, target)

    numbers = "s0.vector=2 s0.first=1 s0.block.h=1 s0.block.w=4 s0.block.o=1 s0.block.kh=1"
    text = f"tile s0; pack a1 for s0 | {numbers}"
    one, several = of(1), of(3)
    row = several.read(text)
    assert row is not None
    found = dict(several.program(row).values)
    assert (found["s0.vector"], found["s0.first"], found["s0.block.w"]) == (3, 2, 4)
    again = one.read(str(several.program(row)))
    assert again is not None and dict(one.program(again).values)["s0.vector"] == 2
