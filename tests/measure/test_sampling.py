from __future__ import annotations

import math
import os
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from ansord.measure.child.runner import KEPT, thin
from ansord.measure.child.sampling import (
    FEWEST,
    LONGEST_S,
    SHORTEST_S,
    WANTED,
    WARM_S,
    Counters,
    Disturbance,
    Sampler,
    ThisProcess,
    undisturbed,
)


class Machine:
    """A clock, counters and a kernel that takes `each` seconds; `noise(number)`: what a call adds to both."""

    def __init__(self, each: float, noise: Callable[[int], float] = lambda number: 0.0) -> None:
        self.each, self.noise = each, noise
        self.now, self.delay, self.stolen, self.number = 0.0, 0.0, 0, 0

    def call(self, n: int) -> float:
        waited = self.noise(self.number)
        took = n * self.each + waited
        self.number += 1
        self.delay += waited
        self.now += took
        return took

    def sampler(self, best: float = math.inf) -> Sampler:
        counters, stolen = lambda: Counters(0, self.delay), lambda: Disturbance(self.stolen)
        return Sampler(self.call, counters, stolen, lambda: self.now, best)


def until_done(sampler: Sampler, bursts: int = 1000) -> int:
    for count in range(1, bursts + 1):
        if sampler.burst(0.05):
            return count
    return 0


@given(st.floats(1e-8, 0.015))
def test_samples_last_as_long_as_they_should(each: float) -> None:
    machine = Machine(each)
    sampler = machine.sampler()
    assert until_done(sampler)
    assert len(sampler.accepted) == WANTED and not sampler.rejected
    assert all(math.isclose(value, each) for value in sampler.accepted)
    assert sampler.calls == 1 or SHORTEST_S <= sampler.calls * each <= LONGEST_S
    assert sampler.warmed_s >= WARM_S


def test_a_usual_kernel_takes_little() -> None:
    machine = Machine(50e-6)
    assert until_done(machine.sampler()) == 1 and machine.now < 0.015


def test_a_slow_kernel_gets_fewer_samples() -> None:
    machine = Machine(0.4)
    sampler = machine.sampler()
    assert until_done(sampler) and len(sampler.accepted) == FEWEST and machine.now < 2


def test_a_clearly_slower_kernel_is_cut_after_two() -> None:
    sampler = Machine(40e-6).sampler(best=10e-6)
    assert until_done(sampler) and sampler.hopeless and len(sampler.accepted) == 2
    sampler = Machine(15e-6).sampler(best=10e-6)
    assert until_done(sampler) and sampler.hopeless and len(sampler.accepted) == 3
    sampler = Machine(12e-6).sampler(best=10e-6)
    assert until_done(sampler) and not sampler.hopeless and len(sampler.accepted) == WANTED


def test_a_long_sample_may_lose_a_core_for_a_moment() -> None:
    """Whether it cost anything the delay tells."""
    quiet = Counters()
    assert undisturbed(quiet, Counters(switches=2), 0.025)
    assert not undisturbed(quiet, Counters(switches=3), 0.025)
    assert not undisturbed(quiet, Counters(switches=1), 0.002)
    assert not undisturbed(quiet, Counters(switches=1, delay_s=0.001), 0.025)


def test_a_long_call_is_a_sample_without_warming() -> None:
    machine = Machine(0.1)
    sampler = machine.sampler()
    assert until_done(sampler) and len(sampler.accepted) == FEWEST and machine.now < 0.31
    machine = Machine(0.1)
    assert until_done(machine.sampler(best=0.04)) and machine.now < 0.11
    machine = Machine(0.1)
    assert until_done(machine.sampler(best=0.07)) and machine.now < 0.21
    machine = Machine(0.1, lambda number: 0.05 if number == 0 else 0.0)
    sampler = machine.sampler()
    assert until_done(sampler) and max(sampler.accepted) < 0.11


def test_disturbed_samples_are_thrown_away() -> None:
    machine = Machine(1e-3, lambda number: 2e-3 if number % 2 else 0.0)
    sampler = machine.sampler()
    assert until_done(sampler)
    assert len(sampler.accepted) == WANTED and sampler.rejected
    assert all(math.isclose(value, 1e-3) for value in sampler.accepted)


def test_a_disturbed_sample_is_taken_again() -> None:
    sampler = Machine(1e-3, lambda number: 2e-3 if number in (1, 2) else 0.0).sampler()
    sampler.calls = 1
    assert sampler.sample_again(1) and sampler.accepted == [sampler.latest]
    assert not sampler.sample_again(2) and len(sampler.rejected) == 2
    assert sampler.sample_again(2) and len(sampler.accepted) == 2 and math.isclose(sampler.latest, 1e-3)


def test_threads_on_one_core_are_waited_for() -> None:
    machine = Machine(50e-6, lambda number: 8e-3 if number < 6 else 0.0)
    sampler = machine.sampler()
    assert until_done(sampler)
    assert all(math.isclose(value, 50e-6) for value in sampler.accepted)


def test_a_machine_that_is_never_quiet_does_not_hold_the_runner() -> None:
    machine = Machine(1e-3, lambda number: 1e-3)
    sampler = machine.sampler()
    assert until_done(sampler, bursts=20) == 0
    assert sampler.warm and not sampler.accepted and len(sampler.rejected) > 100
    assert machine.now < 20 * 0.06  # each burst came back in time


def test_after_long_noise_fewer_are_enough() -> None:
    machine = Machine(1e-3, lambda number: 0.0 if number % 60 == 0 else 3e-3)
    sampler = machine.sampler()
    assert until_done(sampler) and 2 <= len(sampler.accepted) < WANTED


def test_a_burst_in_which_time_was_stolen_does_not_count() -> None:
    machine = Machine(1e-3)
    stealing = True

    def call(n: int) -> float:
        machine.stolen += stealing
        return machine.call(n)

    sampler = machine.sampler()
    sampler.call = call
    assert not sampler.burst(0.05) and not sampler.accepted and len(sampler.rejected) >= WANTED
    stealing = False
    assert sampler.burst(0.05) and len(sampler.accepted) == WANTED


@given(st.floats(1e-7, 1e-3), st.integers(2, 50))
def test_cold_samples_use_every_set_equally(each: float, sets: int) -> None:
    sampler = Machine(each).sampler()
    sampler.multiple = sets
    assert until_done(sampler)
    assert sampler.calls % sets == 0


@given(st.lists(st.floats(0, 1), max_size=500))
def test_thinning_keeps_the_extremes(samples: list[float]) -> None:
    kept = thin(samples)
    assert len(kept) <= KEPT and set(kept) <= set(samples)
    if samples:
        assert min(kept) == min(samples) and max(kept) == max(samples)


def test_this_process_can_be_read() -> None:
    process = ThisProcess()
    first = process.counters()
    sum(range(200_000))
    second = process.counters()
    assert second.switches >= first.switches and second.delay_s >= first.delay_s >= 0
    assert process.disturbance().stolen >= 0
    for fd in process._tasks.values():
        os.close(fd)
