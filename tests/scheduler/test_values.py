"""Curves, similarity groups and pulls, by value."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansord.scheduler import OBJECTIVES, Curve, similar
from ansord_client.subgraph import Subgraph
from benchmarks.scheduler.resnet50 import LAYERS, layer


def test_a_curve_keeps_only_where_it_fell() -> None:
    curve = (
        Curve()
        .extended(6, 1.0, math.inf)
        .extended(16, 2.0, 5.0)
        .extended(16, 2.0, 5.0)
        .extended(16, 3.0, 4.0)
    )
    assert [(fall.trials, fall.spent, fall.best) for fall in curve.falls] == [(22, 3.0, 5.0), (54, 8.0, 4.0)]
    assert (curve.trials, curve.spent, curve.best, curve.first) == (54, 8.0, 4.0, 5.0)
    assert [curve.at(trials) for trials in (6, 22, 53, 54)] == [5.0, 5.0, 5.0, 4.0]
    assert curve.pace == pytest.approx(8 / 54)


def test_trials_of_earlier_processes_have_no_pace() -> None:
    curve = Curve().extended(100, 0.0, 1.0, timed=False)
    assert math.isnan(curve.pace) and curve.trials == 100
    assert curve.extended(10, 5.0, 1.0).pace == 0.5


def test_a_curve_goes_through_the_trials_of_earlier_processes() -> None:
    curve = Curve().through([math.inf, 5.0, 6.0, 4.0, 4.5])
    assert [(fall.trials, fall.best) for fall in curve.falls] == [(2, 5.0), (4, 4.0)]
    assert curve.trials == 5 and math.isnan(curve.pace)


def group(name: str) -> str:
    return similar(Subgraph.from_dict(layer(name, *LAYERS[name])))


def test_tasks_of_one_structure_and_size_are_alike() -> None:
    assert group("conv_14") == group("conv_7") == "conv2d 3x3 · add · relu @40"
    assert group("conv_14") != group("conv_14_7"), "a stride is another kind of work"
    assert group("reduce_28_128") != group("expand_28"), "a residual is"
    assert group("reduce_56_64") != group("reduce_56_256"), "a quarter of the flops is another size"


@given(st.lists(st.tuples(st.floats(1e-3, 1.0), st.floats(1.0, 10.0)), min_size=1, max_size=5))
def test_pulls_are_the_objectives_derivatives(models: list[tuple[float, float]]) -> None:
    """By central differences of f1, and of the logarithm of f3."""
    now = np.array([latency for latency, _ in models])
    first = now * [ratio for _, ratio in models]
    functions = {
        "latency": lambda latency: float(latency.sum()),
        "speedup": lambda latency: float(-np.log(first / latency).mean()),
    }
    assert functions.keys() == OBJECTIVES.keys()
    for name, function in functions.items():
        pulls = OBJECTIVES[name][0](now, first)
        for place in range(len(now)):
            step = np.zeros_like(now)
            step[place] = 1e-6 * now[place]
            slope = (function(now + step) - function(now - step)) / (2 * step[place])
            assert pulls[place] == pytest.approx(slope, rel=1e-3)
