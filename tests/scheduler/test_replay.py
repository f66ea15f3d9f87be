"""Against round robin, on the recorded curves of ResNet-50 and on small drawn models."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ansord.scheduler import PAPER, Rules, State
from ansord_client.subgraph import Use
from benchmarks.scheduler.__main__ import EACH, share
from benchmarks.scheduler.curves import PowerLaw, recorded
from benchmarks.scheduler.simulate import gradient, reached, round_robin, run


def test_recorded_curves_end_sooner_than_round_robin_and_than_the_papers_gradient() -> None:
    for seed in (0, 1):
        curves = recorded(seed)
        assert len(curves) == 24
        ours, papers = share(curves, Rules(), EACH[0])[0], share(curves, PAPER, EACH[0])[0]
        assert ours < 0.62 and ours < papers


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_one_heavy_task_among_light_ones_needs_less_than_half(seed: int) -> None:
    """Weights from 1 to 1000: what round robin gives the light ones is lost."""
    generator = np.random.default_rng(seed)
    curves = {str(n): PowerLaw(1e-3, float(generator.uniform(0.5, 2)), 1.0, 0.1, 0.0) for n in range(8)}
    states = tuple(State(str(n), 1000, uses=(Use(None, 1000.0 if n == 0 else 1.0),)) for n in range(8))
    *_, last = run(states, curves, round_robin(EACH[1]))
    rules = replace(Rules(), mature=1 << 30)
    found = reached(run(states, curves, gradient(rules, seed)), last.latency)
    assert found is not None and found.trials <= last.trials / 2
