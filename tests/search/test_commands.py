"""The commands of the experiments: what they keep, what they conclude, that they go on where they were."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import numpy as np
import pytest
from anyio.from_thread import start_blocking_portal

from ansord.measure import Candidate, Paired, Race
from ansord.measure.recorded import Pool
from ansord.record import Measured, Trial
from ansord.search.process import STRATEGIES, Desk
from ansord_client.host import host
from benchmarks.search import __main__ as door
from benchmarks.search import ablate, converge, rates, reach, record, sessions
from benchmarks.search.record import EXAMPLES
from benchmarks.search.recorded import Recorded
from tests.nest.spaces import legal_rows, space


@pytest.mark.parametrize("name", door.COMMANDS)
def test_every_command_says_what_it_is(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        door.main([name, "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert (door.COMMANDS[name].__doc__ or "-").partition("\n")[0] in text


def test_an_experiment_leaves_out_what_the_prior_says_of_its_task() -> None:
    document = json.loads((EXAMPLES / "paper/nrm_3.json").read_text())
    target = {"vector_bytes": 64, "registers": 32, "threads": 2}
    desk = Desk()
    prior = desk.knowledge.prior
    key = next(iter(prior))
    for held_out, lost in ((False, 0), (True, 1)):
        order = {"key": key, "subgraph": document, "target": target, "seed": 0, "strategy": "random"}
        desk.open({**order, "held_out": held_out})
        knowledge = desk.proposers[key].knowledge
        assert knowledge is not None and len(knowledge.prior) == len(prior) - lost


# What is done is kept.


def test_steps_that_are_done_are_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened, did = [], []

    @contextmanager
    def bench(place: Path) -> Any:
        opened.append(place)
        with start_blocking_portal() as portal:
            yield SimpleNamespace(portal=portal)

    def step(name: str, value: Any) -> sessions.Step:
        async def run(shared: Any) -> Any:
            did.append(name)
            if value is None:
                raise RuntimeError("interrupted")
            return value

        return run

    monkeypatch.setattr(sessions, "bench", bench)
    file = tmp_path / "new" / "runs.json"
    with pytest.raises(RuntimeError, match="interrupted"):
        sessions.resumed(file, {"a": step("a", (1, 2)), "b": step("b", None)}, 9.0, "{}{}".format)
    steps = {"a": step("a", 0), "b": step("b", {"c": 3})}
    assert sessions.resumed(file, steps, 0.0, "{}{}".format) == {"a": [1, 2]}
    assert sessions.resumed(file, steps, 9.0, "{}{}".format) == {"a": [1, 2], "b": {"c": 3}}
    assert sessions.resumed(file, steps, 9.0, "{}{}".format) == {"a": [1, 2], "b": {"c": 3}}
    assert did == ["a", "b", "b"] and len(opened) == 2
    with monkeypatch.context() as moved:
        moved.setattr(sessions, "host", lambda: replace(host(), cpu_model="another"))
        assert sessions.resumed(file, steps, 0.0, "{}{}".format) == {}
    assert len(sessions.resumed(file, steps, 0.0, "{}{}".format)) == 2
    monkeypatch.setattr(sessions, "sources", lambda patterns: "others")
    assert sessions.resumed(file, {}, 0.0, "{}{}".format) == {}
    assert sessions.resumed(file, {"a": step("a", 0)}, 0.0, "{}{}".format) == {}


# converge


def raced(*codes: bytes, folder: Path, ratios: Sequence[float] = ()) -> list[float]:
    """The gaps of winners with these objects, where a race says `ratios`."""
    winners = []
    for place, code in enumerate(codes):
        winners.append(Candidate(folder / f"{place}.so"))
        winners[-1].path.write_bytes(code)

    class Runner:
        async def race(self, field: Sequence[Candidate]) -> Race:
            assert len(field) == len(ratios)
            return Race(tuple(Paired(ratio, ratio, ratio, 9) for ratio in ratios))

    async def runner() -> Runner:
        return Runner()

    return anyio.run(converge.raced, SimpleNamespace(runner=runner), winners)


def test_winners_are_judged_by_a_race(tmp_path: Path) -> None:
    assert raced(b"a", b"b", b"c", folder=tmp_path, ratios=(1.2, 1.05, 1.0)) == [0.2, 0.05, 0.0]


def test_what_was_not_replaced_does_not_race_itself(tmp_path: Path) -> None:
    assert raced(b"a", b"a", b"c", folder=tmp_path, ratios=(1.1, 1.0)) == [0.1, 0.1, 0.0]
    assert raced(b"a", b"a", b"a", folder=tmp_path) == [0.0, 0.0, 0.0]


def test_what_converges_and_what_does_not() -> None:
    def found(first: float, second: float) -> converge.Found:
        return {"gaps": {"32": first, "96": second, "1000": 0.0}, "seconds": [1, 2, 9], "trials": 1000}

    done = {str(n): found(0.01 if n < 6 else 0.2, 0.02 if n < 8 else 0.5) for n in range(10)}
    lines = converge.verdict(done).splitlines()
    assert lines[0] == "10 cases"
    assert lines[1].startswith("after 32: median +1.0%") and lines[1].endswith("median within 3%, kept")
    assert lines[2].endswith("worst tenth within 3%, MISSED")
    assert converge.line("c", done["9"]) == "c: +20.0% after 32, +50.0% after 96; 1000 trials in 9 s"
    assert converge.verdict({}) == "0 cases"


# reach


def test_a_lucky_trial_reaches_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = {"slow": 3.0, "lucky": 1.2, "fast": 0.9}
    asked = []

    async def again(session: Any, program: str) -> float:
        asked.append(program)
        return truth[program]

    monkeypatch.setattr(reach, "again", again)
    trials = [
        (at, Trial("key", "host", program, Measured(seconds, (seconds,)), 0.0))
        for at, program, seconds in ((1.0, "slow", 3.0), (2.0, "lucky", 0.8), (3.0, "fast", 0.9))
    ]
    judged: dict[str, float] = {}
    assert anyio.run(reach.confirmed, None, trials[:2], 1.0, judged) is None
    assert anyio.run(reach.confirmed, None, trials, 1.0, judged) == 3.0
    assert anyio.run(reach.confirmed, None, trials, 1.5, judged) == 2.0
    assert asked == ["lucky", "fast"], "each is measured again once"


def test_the_clock_stops() -> None:
    clock = reach.Clock()
    clock._started -= 10.0
    with clock:
        clock._stopped -= 4.0  # as if the block took that long
    assert 6.0 <= clock.seconds < 7.0


def test_the_table_of_what_was_reached() -> None:
    def found(ansor: float | None) -> reach.Found:
        goals, seconds = {"ansor": 50.0, "metaschedule": 40.0}, {"ansor": ansor, "metaschedule": 4.0}
        return {"goals": goals, "seconds": seconds, "start": 0.5, "best_us": 39.0, "trials": 20}

    text = reach.table({"a/0": found(1.0), "a/1": found(None), "a/2": found(2.0), "b/0": found(9.0)})
    assert "to ansor: median 5.5 s, worst 9.0 s; wanted: 3 and 10, MISSED" in text
    assert "to metaschedule: median 4.0 s, worst 4.0 s; wanted: 5 and 15, kept" in text
    assert reach.table({}).count("\n") == 0


# ablate, rates, record


def test_ablations_are_compared_and_drawn(tmp_path: Path) -> None:
    curve = [[0.5, float("inf")], [1.0, 2e-5], [2.0, 1e-5]]
    runs = {
        "gmm_1/full/0/3": {"curve": curve, "published_us": 10.0},
        "gmm_1/full/1/3": {"curve": curve, "published_us": 12.0},
        "gmm_1/random/0/3": {"curve": curve, "published_us": 22.0},
        "gmm_1/no model/0/3": {"curve": curve, "published_us": None},
    }
    lines = [line.split() for line in ablate.table(runs).splitlines()]
    assert lines[1] == ["gmm_1", "full", "2", "11.00", "1.000"]
    assert lines[2] == ["gmm_1", "random", "1", "22.00", "2.000"]
    assert lines[3] == ["gmm_1", "no", "model", "1", "inf", "inf"]
    ablate.draw(runs, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gmm_1-seconds.svg", "gmm_1-trials.svg"]
    assert "no model" in (tmp_path / "gmm_1-trials.svg").read_text()


def test_rates_are_added_up() -> None:
    of = space("odd")
    rows = rates.population(of, 64, 0)
    assert rows.shape == (64, 1 + len(of.knobs)) and (rows[:, 0] == 0).all()
    assert rates.rate(of, rows, None, 0.0) > 0
    assert rates.together(of, rows, None, 0.0, 2) > 0


def test_random_programs_of_a_pool_leave_no_sketch_out() -> None:
    """What is hopeless on paper is measured where its sketch has few programs, and only there."""
    of = space("conv_bn_relu")
    recorder = record.Recorder.__new__(record.Recorder)
    recorder.task = SimpleNamespace(space=of)  # type: ignore[assignment]
    recorder.rng = np.random.default_rng(0)
    recorder.proposer = SimpleNamespace(rows=[])  # type: ignore[assignment]
    drawn = np.concatenate([recorder._random() for _ in range(8)])
    assert set(drawn[:, 0]) == set(range(len(of.sketches)))
    recorder.proposer.rows = [row for row in legal_rows(of, 4000, 0)]
    paper = record.paper_cycles(of, recorder._random())
    assert paper.max() < record.HOPELESS * paper.min()


def test_some_programs_of_a_pool_are_of_the_limited_space() -> None:
    of = space("conv_bn_relu")
    recorder = record.Recorder.__new__(record.Recorder)
    recorder.task = SimpleNamespace(space=of)  # type: ignore[assignment]
    recorder.rng = np.random.default_rng(0)
    rows = recorder._limited()
    assert len(rows) == round(record.LIMITED * record.CHUNK)
    assert Recorded.limited.func(SimpleNamespace(space=of, rows=rows)).all()  # type: ignore[attr-defined]


def test_a_pool_is_of_one_task_on_one_machine() -> None:
    places = [("a", "here"), ("a", "there"), ("b", "here"), ("b", "there")]
    trials = [Trial(key, at, "p", Measured(1.0, (1.0,)), 0.0) for key, at in places]
    task, machine = SimpleNamespace(key="a"), SimpleNamespace(key="here")
    kept = record.known([one.to_bytes() for one in trials], task, machine)  # type: ignore[arg-type]
    assert kept == trials[:1]


@pytest.mark.slow
def test_a_pool_goes_on_where_it_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pools = ["--pools", str(tmp_path)]
    door.main(["record", *pools, "--count", "5", "paper/gmm_1"])
    first = Pool.load(tmp_path / "gmm_1.npz")
    door.main(["record", *pools, "--count", "5", "paper/gmm_1"])
    assert Pool.load(tmp_path / "gmm_1.npz").texts == first.texts
    door.main(["record", *pools, "--count", str(len(first.texts) + 1), "paper/gmm_1"])
    second = Pool.load(tmp_path / "gmm_1.npz")
    assert second.texts[: len(first.texts)] == first.texts and len(second.texts) > len(first.texts)
    assert second.seconds[: len(first.texts)].tolist() == first.seconds.tolist()
    said = capsys.readouterr().out
    assert "of 5 programs, " in said and " a second; best" in said and " of 5 programs; best" in said


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["no fine-tuning"])
def test_a_measured_ablation(tmp_path: Path, strategy: str) -> None:
    assert strategy in STRATEGIES
    words = ["paper/gmm_1", "--trials", "3", "--seeds", "1", "--strategies", strategy]
    door.main(["ablate", "--into", str(tmp_path), *words])
    (kept,) = json.loads((tmp_path / "runs.json").read_text())["steps"].values()
    assert len(kept["curve"]) == 3 and kept["published_us"] > 0


@pytest.mark.slow
def test_one_case_converges(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--only", "^gmm_1_b1$", "--marks", "2", "4"]
    door.main(["converge", "--into", str(tmp_path), *words])
    (kept,) = json.loads((tmp_path / "converge.json").read_text())["steps"].values()
    assert kept["trials"] == 4 and kept["gaps"]["4"] == 0.0 and kept["gaps"]["2"] > -0.5
    assert "1 cases" in capsys.readouterr().out
