from __future__ import annotations

import contextlib
import math

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansord.record import (
    BadRecord,
    BuildFailed,
    Crashed,
    Measured,
    Outcome,
    TimedOut,
    Trial,
    WrongAnswer,
)

numbers = st.floats(1e-9, 1e6)
outcomes: st.SearchStrategy[Outcome] = st.one_of(
    st.builds(Measured, numbers, st.lists(numbers, max_size=5).map(tuple), st.booleans(), st.integers(0, 99)),
    st.builds(BuildFailed, st.text()),
    st.builds(WrongAnswer, st.text()),
    st.builds(TimedOut, numbers, st.sampled_from(["check", "time"])),
    st.builds(Crashed, st.text(), st.text()),
)
trials = st.builds(Trial, st.text(), st.text(), st.text(), outcomes, numbers)


@given(trials)
def test_a_trial_survives_its_bytes(trial: Trial) -> None:
    assert Trial.from_bytes(trial.to_bytes()) == trial


@given(trials, st.data())
def test_damaged_bytes_never_raise_anything_else(trial: Trial, data: st.DataObject) -> None:
    raw = bytearray(trial.to_bytes())
    where = data.draw(st.integers(0, len(raw) - 1))
    raw[where] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(BadRecord):
        Trial.from_bytes(bytes(raw[: data.draw(st.integers(0, len(raw)))]))


@given(st.binary(max_size=200))
def test_noise_is_a_bad_record(raw: bytes) -> None:
    with pytest.raises(BadRecord):
        Trial.from_bytes(raw)


def test_unknown_fields_are_skipped_and_other_versions_refused() -> None:
    trial = Trial("k", "h", "p", Measured(1e-3, (1e-3,)), 1.0)
    record = msgpack.unpackb(trial.to_bytes())
    assert Trial.from_bytes(msgpack.packb(record | {"later": 7})) == trial
    with pytest.raises(BadRecord, match="version 2"):
        Trial.from_bytes(msgpack.packb(record | {"v": 2}))


@pytest.mark.parametrize(
    "outcome",
    [["measured", math.nan, [], False, 0], ["measured", 1.0], ["strange"], [], ["build", 3], [["build"]]],
)
def test_ill_formed_outcomes_are_refused(outcome: list[object]) -> None:
    record = msgpack.unpackb(Trial("k", "h", "p", BuildFailed("x"), 1.0).to_bytes())
    with pytest.raises(BadRecord):
        Trial.from_bytes(msgpack.packb(record | {"outcome": outcome}))


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (Measured(4.625e-4, (4.625e-4, 4.7e-4)), "462.5 µs (2 samples, spread 1.6%)"),
        (Measured(2.5e-8, (2.5e-8,), noisy=True), "25 ns (1 samples, spread 0.0%, noisy)"),
        (BuildFailed("no"), "build failed: no"),
        (WrongAnswer("y differs"), "wrong: y differs"),
        (TimedOut(10, "check"), "timed out: check took longer than 10 s"),
        (Crashed("SIGSEGV", ""), "crashed (SIGSEGV)"),
    ],
)
def test_outcomes_read_well(outcome: Outcome, text: str) -> None:
    assert str(outcome) == text
    assert math.isinf(outcome.seconds) == (not isinstance(outcome, Measured))
