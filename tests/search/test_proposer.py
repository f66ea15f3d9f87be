"""The search between measurements: nothing twice, failures borne, and better with every round."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ansord.nest import Program, Target, parse_program
from ansord.score import NAMES, features
from ansord.search import Proposer, Settings
from ansord.sketch import annotate, legal
from tests.nest.spaces import LARGE, SMALL, dag_of, space

TARGET = Target(vector_bytes=64, registers=32, threads=2)
SMALLER = Settings(population=256, generations=3, kept=64)


def proposer(name: str, seed: int = 0) -> Proposer:
    return Proposer(space(name, TARGET), np.random.default_rng(seed), SMALLER)


def seconds(of: Proposer, program: Program) -> float:
    """A machine that dislikes pinned loads and small blocks more than the estimate does."""
    row = of.space.row(program)
    assert row is not None
    found = features(of.space, row[None])[0]
    rows, pin = found[NAMES.index("main.rows")], found[NAMES.index("main.pin")]
    return float(1e-9 * np.exp(found[NAMES.index("total_cycles")] + 1.5 / rows + 0.5 * pin))


def test_rounds_get_better_and_repeat_nothing() -> None:
    search = proposer("conv_bn_relu")
    seen: set[str] = set()
    best = []
    for _ in range(5):
        programs = search.propose(16)
        texts = {str(program) for program in programs}
        assert len(texts) == len(programs) == 16 and not texts & seen
        seen |= texts
        for program in programs:
            search.tell(program, seconds(search, program))
        search.learn()
        best.append(min(search.seconds))
    rows = annotate(search.space, 80, np.random.default_rng(1))
    drawn = min(seconds(search, search.space.program(row)) for row in rows)
    assert best == sorted(best, reverse=True)
    assert best[-1] < drawn


@pytest.mark.parametrize("name", [*SMALL, *LARGE])
def test_first_proposals_are_legal(name: str) -> None:
    search = proposer(name)
    programs = search.propose(6)
    assert programs
    rows = [row for program in programs if (row := search.space.row(program)) is not None]
    assert len(rows) == len(programs)
    assert legal(search.space, np.stack(rows)).all()


def test_a_space_ends() -> None:
    search = proposer("scalar")
    (only,) = search.propose(4)
    search.tell(only, 1.0)
    search.learn()
    assert search.propose(4) == []


def test_nothing_but_failures() -> None:
    search = proposer("odd")
    for _ in range(3):
        for program in search.propose(8):
            search.tell(program, math.inf)
        search.learn()
    assert len(search.rows) == 24
    assert len(search.propose(8)) == 8


def test_programs_of_other_spaces_are_passed_over() -> None:
    search = proposer("odd")
    search.tell(parse_program("loops s0 | s0.vector=1", dag_of("odd"), TARGET), 1.0)
    assert search.rows == [] and search.known == set()
    search.learn()


def test_a_seed_gives_the_same_programs() -> None:
    def told(seed: int) -> list[str]:
        search = proposer("grouped", seed)
        texts = []
        for _ in range(2):
            programs = search.propose(8)
            texts += [str(program) for program in programs]
            for program in programs:
                search.tell(program, seconds(search, program))
            search.learn()
        return texts

    assert told(3) == told(3) != told(4)
