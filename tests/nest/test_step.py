"""Steps and programs read back what they print."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansord.nest import (
    LEVELS,
    Define,
    Fuse,
    Inline,
    Loops,
    Pack,
    Place,
    Rfactor,
    Sketch,
    Step,
    Tile,
    default_loops,
    parse_program,
)  # fmt: skip
from ansord.nest.step import parse_step
from tests.nest.spaces import NARROW, SMALL, dag_of, legal_rows, programs, raw, space

NAME = st.from_regex(r"[a-z][0-9a-z]{0,4}", fullmatch=True)
STEPS: st.SearchStrategy[Step] = st.one_of(
    st.builds(Inline, NAME), st.builds(Loops, NAME), st.builds(Tile, NAME), st.builds(Fuse, NAME, NAME),
    st.builds(Pack, NAME, NAME), st.builds(Place, NAME, NAME, st.sampled_from(LEVELS)),
    st.builds(Rfactor, NAME, NAME, st.integers(2, 64)), st.builds(Define, NAME, NAME),
)  # fmt: skip


@given(STEPS)
def test_a_step_reads_back(step: Step) -> None:
    assert parse_step(str(step)) == step


@pytest.mark.parametrize(
    "text",
    ["", "inline", "inline a b", "fuse a b", "fuse a in b", "place a in b at s7", "Inline a", "pack a",
     "define a"],
)
def test_other_texts_are_no_steps(text: str) -> None:
    with pytest.raises(ValueError, match="no such step"):
        parse_step(text)


@pytest.mark.parametrize("name", SMALL)
def test_a_program_reads_back(name: str) -> None:
    for program in programs(name, 20):
        assert parse_program(str(program), dag_of(name), NARROW) == program


@pytest.mark.parametrize("name", SMALL)
def test_a_program_keeps_its_row(name: str) -> None:
    of = space(name)
    for row in legal_rows(of, 20, 1):
        found = of.row(of.program(row))
        assert found is not None
        assert found.tolist() == row.tolist()


def test_rows_of_other_spaces() -> None:
    """A program whose sketch the space lacks has no row; knobs that the table lacks are passed over."""
    of = space("matmul")
    program = of.program(raw(of, 1, 0)[0])
    strange = parse_program("loops s0 | s0.block.i=2", dag_of("matmul"), NARROW)
    assert of.row(strange) is None
    more = parse_program(f"{program} s9.block.z=3", dag_of("matmul"), NARROW)
    found, known = of.row(more), of.row(program)
    assert found is not None and known is not None and found.tolist() == known.tolist()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("loops s0", "no ' | '"),
        ("loops s5 | ", "no stage s5"),
        ("hop s0 | ", "no such step"),
        ("loops s0 | s0.block.i=two", "two"),
        ("rfactor s0 over z in 2; loops s0 | ", "z"),
    ],
)
def test_what_is_no_program(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_program(text, dag_of("matmul"), NARROW)


def test_sketches_are_equal_when_their_steps_are() -> None:
    dag = dag_of("matmul")
    assert default_loops(dag) == Sketch(dag, (Loops("s0"),))
    assert hash(default_loops(dag)) == hash(Sketch(dag, (Loops("s0"),)))
    assert default_loops(dag) != Sketch(dag, (Tile("s0"),))
    assert str(Sketch(dag, (Tile("s0"), Pack("s0", "a1")))) == "tile s0; pack a1 for s0"
