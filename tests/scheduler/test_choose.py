"""The choice: order of turns, ends and their reasons by value; budgets, deadlines and seeds by Hypothesis."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansord.scheduler import Background, Choice, Curve, Rules, State, Table, Verdict, choose
from ansord_client.subgraph import Use

PLAIN = Rules(epsilon=0.0)


def curve(*rounds: tuple[int, float], pace: float = 0.1) -> Curve:
    """From (trials, best) of each round."""
    found = Curve()
    for trials, best in rounds:
        found = found.extended(trials, trials * pace, best)
    return found


def state(
    key: str, *rounds: tuple[int, float], pace: float = 0.1, trials: int = 256, **fields: object
) -> State:
    return replace(State(key, trials), curve=curve(*rounds, pace=pace), turn=len(rounds), **fields)


def chosen(
    *states: State, rules: Rules = PLAIN, now: float = 0.0, behind: Background | None = None
) -> Choice:
    table = Table(states, behind or Background())
    return choose(table, rules, np.random.default_rng(0), now)


def verdict(choice: Choice, place: int) -> Verdict:
    return Verdict(choice.verdicts[place])


def test_a_first_round_for_every_task_in_order_of_priority() -> None:
    tuned = state("a", (16, 1e-3))
    choice = chosen(tuned, State("b", 8), State("c", 8, priority=2), State("d", 8, priority=2, deadline=9.0))
    assert choice.next == 3
    assert choice.why(3) == "next: it has no kernel yet"
    assert choice.why(0) == "waits: every task has a first round before any has another"
    assert choice.why(1) == "waits: its first round comes soon; 2 other tasks wait for theirs"


def test_nothing_to_choose_from() -> None:
    assert chosen(state("a", (8, 1e-3), trials=8)).next is None


def test_gains_count_per_second_and_not_per_trial() -> None:
    slow, quick = state("slow", (16, 1e-3), pace=1.0), state("quick", (16, 0.5e-3), pace=0.1)
    choice = chosen(slow, quick)
    assert choice.gain[0] > choice.gain[1] and choice.rate[0] < choice.rate[1]
    assert choice.next == 1


def test_a_first_round_says_little_of_the_pace() -> None:
    """It opens the task and computes its answers: no slower than the usual, and never faster than it was."""
    usual = state("a", (16, 1e-3), pace=0.2)
    young, quick = state("b", (4, 1e-3), pace=1.0), state("c", (4, 1e-3), pace=0.1)
    assert chosen(usual, young, quick).seconds == pytest.approx([3.2, 3.2, 1.6])
    assert chosen(young, replace(young, key="d")).seconds == pytest.approx([16.0, 16.0]), "nothing else known"


def test_the_expected_gain_is_the_papers_bracket() -> None:
    """α·(halfway − best) + (1 − α)·(best − least), times n / (t + n)."""
    one = state("a", (16, 10.0), (16, 8.0), least=6.0)
    choice = chosen(one, rules=replace(PLAIN, alpha=0.25))
    assert choice.gain[0] == pytest.approx((0.25 * 2.0 + 0.75 * 2.0) * 16 / 48)


def test_a_task_far_behind_its_group_is_expected_to_catch_up() -> None:
    fast = state("fast", (16, 1e-3), flops=10**6, group="g", least=1e-3)
    slow = state("slow", (16, 5e-3), flops=10**6, group="g", least=5e-3)
    choice = chosen(fast, slow)
    assert choice.gain[1] == pytest.approx(0.8 * (5e-3 - 2e-3)) and choice.next == 1
    other = chosen(replace(fast, group="h"), slow)
    assert other.gain[1] == pytest.approx(0.8 * 0.03 * 5e-3 / 2)
    left = chosen(slow, behind=Background(speeds={"g": 1e9}))
    assert left.gain[0] == pytest.approx(choice.gain[1])


def test_a_task_that_stays_behind_leaves_its_group() -> None:
    fast = state("fast", (16, 1e-3), flops=10**6, group="g")
    slow = state("slow", (96, 5e-3), flops=10**6, group="g", least=5e-3)
    assert chosen(fast, slow).gain[1] < 1e-4


def test_a_task_at_the_roof_yields_to_one_below_it() -> None:
    at = state("at", (32, 1e-3), least=0.99e-3)
    below = state("below", (32, 0.5e-3), least=0.3e-3)
    assert chosen(at, below).next == 1


def test_weights_are_summed_over_models() -> None:
    one = state("one", (16, 1e-3), uses=(Use("m", 2.0), Use("n", 3.0)))
    two = state("two", (16, 1e-3), uses=(Use("m", 4.0),))
    choice = chosen(one, two)
    assert choice.gain[0] / choice.gain[1] == pytest.approx(5 / 4)


def test_the_speedup_objective_has_no_scale() -> None:
    """Two models, one a thousand times longer: f3 pulls as hard at each."""
    one = state("one", (16, 1e-3), uses=(Use("m", 1.0),))
    two = state("two", (16, 1.0), uses=(Use("n", 1.0),))
    choice = chosen(one, two, rules=replace(PLAIN, objective="speedup"))
    assert choice.gain[0] == pytest.approx(choice.gain[1])
    assert chosen(one, two).gain[1] == pytest.approx(1000 * chosen(one, two).gain[0])


def test_a_model_within_its_target_pulls_no_more() -> None:
    goal = (Use("m", 1.0, 2.0),)
    one, two = state("a", (16, 0.9e-3), uses=goal), state("b", (16, 0.9e-3), uses=goal)
    choice = chosen(one, two)
    assert choice.next is None and verdict(choice, 0) == Verdict.TARGET
    assert chosen(one, replace(two, uses=(*goal, Use(None, 1.0)))).next == 1
    assert chosen(one, two, behind=Background(models={"m": (0.5e-3, 1e-3)})).next is not None
    assert chosen(one, State("c", 8, uses=goal)).next == 1, (
        "a model without all kernels is not within anything"
    )


def test_a_gain_below_the_noise_retires_a_task() -> None:
    flat = state("a", (6, 1e-3), (122, 1e-3), least=0.99e-3)
    choice = chosen(flat)
    assert choice.next is None and verdict(choice, 0) == Verdict.NOISE
    assert choice.why(0) == (
        "ended: 128 more trials are expected to gain 0.3%, less than the 2.0% that a comparison can see"
    )
    assert chosen(replace(flat, least=0.5e-3)).next == 0, "far from the roof"
    late = state("d", (6, 1.1e-3), (116, 1e-3), (6, 1e-3), least=0.85e-3)
    assert chosen(late).next == 0, "it fell late, and there is some room"
    long = state("e", (6, 1e-3), (122, 1e-3), least=0.85e-3)
    assert verdict(chosen(long), 0) == Verdict.NOISE, "as much room, and nothing found in it for 122 trials"
    falling = state("b", (6, 4e-3), (58, 3e-3), (64, 1e-3), least=0.99e-3)
    assert chosen(falling).next == 0, "it gained lately"
    assert chosen(state("c", (6, 1e-3), (50, 1e-3), trials=64, least=1e-3)).next == 0, "too young to judge"


def test_patience_ends_a_task_that_stalls() -> None:
    rules = replace(PLAIN, patience=32)
    choice = chosen(state("a", (16, 1e-3), (32, 1e-3)), rules=rules)
    assert verdict(choice, 0) == Verdict.STALLED
    assert chosen(state("a", (16, 1e-3), (31, 1e-3)), rules=rules).next == 0


def test_a_task_without_a_kernel_waits_for_the_others() -> None:
    blank = state("blank", (16, math.inf))
    assert chosen(blank, state("a", (16, 1e-3))).next == 1
    assert chosen(blank).next == 0


def test_a_deadline_goes_before_gain_and_priority_when_it_must() -> None:
    """240 trials at 0.1 s are 24 s of work; a second and two rounds of 1.6 s are the margin."""
    gains = state("gains", (16, 1.0), priority=5)
    late = state("late", (16, 1e-6), deadline=100.0)
    assert chosen(gains, late, now=70.0).next == 0
    choice = chosen(gains, late, now=72.5)
    assert choice.next == 1 and choice.why(1) == "next: its deadline would be missed otherwise"
    assert verdict(chosen(gains, late, now=100.0), 1) == Verdict.DEADLINE


def test_a_first_round_that_comes_too_late_waits_for_those_that_do_not() -> None:
    late, soon, some = State("late", 8, deadline=5.0), State("soon", 8, deadline=20.0), State("some", 8)
    assert chosen(late, some, soon, now=10.0).next == 2
    assert chosen(late, some, soon, now=2.0).next == 0
    assert chosen(replace(late, turn=0), some, now=10.0).next == 0, "in their order else"


def test_a_deadline_too_near_for_all_belongs_to_those_that_gain_the_most() -> None:
    """A whole model that has to be ready soon: its tasks' trials do not fit, and their order says nothing."""
    small = state("small", (16, 1e-6), deadline=30.0)
    large = state("large", (16, 1e-2), deadline=30.1)  # dropped a moment later
    later = state("later", (16, 1.0), deadline=1000.0)
    choice = chosen(small, large, later, state("other", (16, 1.0)))
    assert choice.next == 1
    assert choice.why(1) == "next: it gains the most per second of 2 whose deadline is near"
    assert "is less than the next task's" in choice.why(0)
    assert choice.why(2) == choice.why(3) == "waits: another task's deadline would be missed otherwise"


def test_chance_takes_any_and_says_so() -> None:
    states = [state(str(n), (16, 1e-3 * (n + 1))) for n in range(4)]
    choice = chosen(*states, rules=Rules(epsilon=1.0))
    assert choice.next is not None and "by chance" in choice.why(choice.next)
    generator = np.random.default_rng(0)
    picks = {choose(Table(tuple(states)), Rules(epsilon=1.0), generator, 0.0).next for _ in range(60)}
    assert picks == {0, 1, 2, 3}


@st.composite
def states(draw: st.DrawFn) -> tuple[State, ...]:
    """Tasks in every condition, kernels or none, budgets spent or not."""
    found = []
    for number in range(draw(st.integers(1, 12))):
        rounds = draw(
            st.lists(st.tuples(st.integers(1, 40), st.floats(1e-7, 10.0) | st.just(math.inf)), max_size=4)
        )
        best, falling = math.inf, []
        for trials, seconds in rounds:
            best = min(best, seconds)
            falling.append((trials, best))
        uses = draw(st.lists(st.sampled_from(["m", "n", None]), min_size=1, max_size=3, unique=True))
        target = draw(st.none() | st.floats(1e-4, 1e4))
        found.append(
            replace(
                state(str(number), *falling, trials=draw(st.integers(1, 160))),
                seconds_wanted=draw(st.floats(0.1, 100.0)),
                spent=draw(st.floats(0.0, 100.0)),
                uses=tuple(Use(model, draw(st.floats(0.1, 100.0)), target) for model in uses),
                flops=draw(st.integers(0, 10**9)),
                group=draw(st.sampled_from(["", "g", "h"])),
                priority=draw(st.integers(-1, 1)),
                deadline=draw(st.floats(0.0, 100.0) | st.just(math.inf)),
            )
        )
    return tuple(found)


@given(states(), st.integers(0, 99), st.sampled_from(["latency", "speedup"]), st.floats(0.0, 1.0))
def test_never_a_task_without_budget_and_always_one_that_has_not_ended(
    tasks: tuple[State, ...], seed: int, objective: str, epsilon: float
) -> None:
    rules = Rules(objective=objective, epsilon=epsilon)
    choice = choose(Table(tasks), rules, np.random.default_rng(seed), 50.0)
    open_ = [place for place in range(len(tasks)) if not verdict(choice, place).ended]
    assert (choice.next is None) == (not open_)
    if choice.next is not None:
        task = tasks[choice.next]
        assert choice.next in open_
        assert task.curve.trials < task.trials_wanted and task.spent < task.seconds_wanted
    assert np.isfinite(choice.gain).all() and (choice.gain >= 0).all() and (choice.seconds > 0).all()
    heads = {choice.why(place).partition(":")[0] for place in range(len(tasks))}
    assert heads <= {"next", "waits", "ended"}
    again = choose(Table(tasks), rules, np.random.default_rng(seed), 50.0)
    assert again.next == choice.next and (again.verdicts == choice.verdicts).all()


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(16, 80), st.booleans()), min_size=2, max_size=6), st.integers(0, 99))
def test_no_deadline_that_can_be_met_is_missed(works: list[tuple[int, bool]], seed: int) -> None:
    """Trials take 0.1 s. A deadline leaves time for first rounds, earlier deadlines and the margin."""
    rules = Rules(noise=0.0, epsilon=0.3)
    sums = np.cumsum([trials * 0.1 for trials, _ in works])
    slack = 1.6 * len(works) + rules.margin_s + 2 * 1.6 + 1.6 * len(works)
    tasks = [
        State(
            str(n),
            trials,
            uses=(Use(None, 10.0**-n),),
            deadline=float(sums[n] + slack) if bound else math.inf,
        )
        for n, (trials, bound) in enumerate(works)
    ]
    generator, now, turn = np.random.default_rng(seed), 0.0, 0
    while (choice := choose(Table(tuple(tasks)), rules, generator, now)).next is not None:
        task = tasks[choice.next]
        trials = min(16, task.trials_wanted - task.curve.trials)
        now, turn = now + trials * 0.1, turn + 1
        grown = task.curve.extended(trials, trials * 0.1, 1e-3 / turn)
        tasks[choice.next] = replace(task, curve=grown, spent=task.spent + trials * 0.1, turn=turn)
    assert [task.curve.trials for task in tasks] == [trials for trials, _ in works]
