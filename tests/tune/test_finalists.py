"""Which programs are compared with care, by value."""

from __future__ import annotations

from ansord.tune.finalists import (
    COLD_WITHIN,
    FINALISTS,
    PACE,
    PERIOD,
    STRUCTURES,
    WITHIN,
    asking,
    due,
    finalists,
    kept,
)

TRIALS = {f"tile s0 | s0.unroll={place}": 1.0 + place / 100 for place in range(8)}
OTHERS = {f"other {place} | s0.unroll=0": 1.2 + place / 10 for place in range(6)}


def test_the_fastest_are_kept_best_first() -> None:
    found = kept(OTHERS | TRIALS, cold=False)
    assert list(found.items()) == list(TRIALS.items())[:FINALISTS]
    assert finalists(found, cold=False) == list(found), "all within the limit"


def test_those_far_behind_are_no_finalists() -> None:
    assert finalists({"a | ": 1.0, "b | ": WITHIN, "c | ": WITHIN + 0.01}, cold=False) == ["a | ", "b | "]
    assert finalists({}, cold=False) == finalists({}, cold=True) == []


def test_with_constants_from_memory_the_best_of_each_structure_take_part() -> None:
    found = kept(OTHERS | TRIALS, cold=True)
    expected = [*list(TRIALS)[:FINALISTS], *list(OTHERS)[: STRUCTURES - 1]]
    assert list(found) == expected
    limit = COLD_WITHIN * 1.0
    assert finalists(found, cold=True) == [name for name in expected if found[name] <= limit]


def test_leaders_ask_ahead_where_they_do_not_yet() -> None:
    names = ["a.prefetch=0 b.prefetch=0", "c.prefetch=1", "d.prefetch=0"]
    assert asking(names) == ["a.prefetch=1 b.prefetch=1"]
    assert asking(["a.prefetch=0", "a.prefetch=1"]) == asking(["no constants"]) == []


def test_a_comparison_is_due_after_many_trials_or_ten_times_as_long_as_it_takes() -> None:
    assert due(1, PACE * 0.5, 0.5) and not due(1, PACE * 0.49, 0.5)
    assert due(PERIOD, 0.1, 9.0) and not due(PERIOD - 1, 0.1, 9.0)
    assert not due(0, 1e9, 0.5), "nothing has been tried since"
