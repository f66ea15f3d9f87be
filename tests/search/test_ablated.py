"""Searches with something left out still search; a limited space has what it says and no more."""

from __future__ import annotations

import numpy as np
import pytest

from ansord.nest import Place, Rfactor, Target
from ansord.search import Proposer, Settings
from ansord.search.process import STRATEGIES
from tests.nest.spaces import space

TARGET = Target(vector_bytes=64, registers=32, threads=2)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_rounds_of_each(strategy: str) -> None:
    search = made(strategy, "conv_bn_relu")
    seen: set[str] = set()
    for _ in range(3):
        programs = search.propose(8)
        assert len({str(program) for program in programs} - seen) == len(programs) == 8
        seen |= {str(program) for program in programs}
        for program in programs:
            search.tell(program, 1e-6 * len(str(program)))
        search.learn()


@pytest.mark.parametrize("name", ["conv_bn_relu", "softmax"])
def test_the_limited_space(name: str) -> None:
    for program in made("limited", name).propose(16):
        assert all(value == 1 for knob, value in program.values if knob.split(".")[1] == "middle")
        assert not any(isinstance(step, Place | Rfactor) for step in program.sketch.steps)


def made(strategy: str, name: str) -> Proposer:
    settings = Settings(population=256, generations=2, kept=64)
    return STRATEGIES[strategy](space(name, TARGET), np.random.default_rng(0), settings)
