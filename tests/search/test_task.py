"""A task has every definition that its subgraph's numerics allow."""

from __future__ import annotations

import pytest

from ansord.emit import emit
from ansord.nest import parse_program
from ansord.search import Task
from ansord_client.subgraph import Subgraph
from tests.subjects import SUBJECTS, TARGET


def task(numerics: str) -> Task:
    graph = SUBJECTS["winograd"].graph.to_dict()
    return Task(Subgraph.from_dict({**graph, "numerics": numerics}), TARGET)


@pytest.mark.parametrize(("numerics", "wanted"), [("fast", {False, True}), ("strict", {False})])
def test_strict_numerics_forbid_relaxed_definitions(numerics: str, wanted: set[bool]) -> None:
    assert {sketch.relaxed for sketch in task(numerics).space.sketches} == wanted


def test_a_source_says_that_it_is_relaxed() -> None:
    made = task("fast")
    for text in (SUBJECTS["winograd"].text, "loops s0; tile s1; inline s2; fuse s3 into s1 | s1.vector=1"):
        program = parse_program(text, made.dag, TARGET)
        assert emit(program).relaxed == text.startswith("define")
