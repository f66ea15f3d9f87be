"""A model's tasks tuned on curves instead of compilers: what each policy has gained after how many trials.

A policy is asked for a turn after every round, as the daemon asks the scheduler; a whole run takes a second.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from ansord.record import BATCH, FIRST
from ansord.scheduler import Rules, State, Table, choose
from benchmarks.scheduler.curves import Curve


@dataclass(frozen=True)
class Moment:
    """After one round: trials and seconds of all tasks together, the model's latency in seconds."""

    trials: int
    seconds: float
    latency: float


Policy = Callable[[tuple[State, ...], float], int | None]
"""The states and the seconds so far → the position of the task whose turn it is; None ends the run."""


def gradient(rules: Rules, seed: int = 0) -> Policy:
    """The scheduler."""
    generator = np.random.default_rng(seed)
    return lambda states, now: choose(Table(states), rules, generator, now).next


def round_robin(each: int) -> Policy:
    """One round for each task in turn, until every task has `each` trials."""
    turns = itertools.count()

    def policy(states: tuple[State, ...], now: float) -> int | None:
        open_ = [position for position, state in enumerate(states) if state.curve.trials < each]
        return (
            min(open_, key=lambda position: states[position].turn, default=None) if next(turns) >= 0 else None
        )

    return policy


def run(states: tuple[State, ...], curves: Mapping[str, Curve], policy: Policy) -> Iterator[Moment]:
    """Turns until the policy ends them; `states` name their curves by their keys."""
    trials, seconds = 0, 0.0
    for turn in itertools.count(1):
        position = policy(states, seconds)
        if position is None:
            return
        state = played(states[position], curves[states[position].key], turn)
        trials += state.curve.trials - states[position].curve.trials
        seconds += state.spent - states[position].spent
        states = (*states[:position], state, *states[position + 1 :])
        yield Moment(trials, seconds, latency(states))


def played(state: State, curve: Curve, turn: int) -> State:
    """The state after one more round."""
    before = state.curve.trials
    after = min(before + (BATCH if before else FIRST), state.trials_wanted)
    spent = curve.spent(after) - curve.spent(before)
    grown = state.curve.extended(after - before, spent, curve.best(after))
    return replace(state, curve=grown, spent=state.spent + spent, turn=turn)


def latency(states: tuple[State, ...]) -> float:
    """Seconds of all models: the weighted sum of the bests."""
    return sum(use.weight * state.curve.best for state in states for use in state.uses)


def reached(moments: Iterator[Moment], goal: float) -> Moment | None:
    """The first moment at or below `goal` seconds."""
    return next((moment for moment in moments if moment.latency <= goal), None)
