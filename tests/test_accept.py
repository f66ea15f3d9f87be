"""A small fixed draw of every claim of `make accept`, and the runner that goes on where it was interrupted.

What is right or wrong is asserted; times are not, since other tests run beside these.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.accept import __main__ as runner
from benchmarks.accept import (
    drawn,
    equality,
    first,
    hostile,
    idle,
    kills,
    models,
    paper,
    search,
    shares,
    speed,
)
from benchmarks.accept.claim import Claim, Notes, Verdict, bare, judge
from benchmarks.accept.daemon import Daemon
from benchmarks.accept.table import CLAIMS

pytestmark = pytest.mark.timeout(300)  # where others compute, too, a measurement waits for its moment


def judged(
    claim: Claim[Any], folder: Path, daemon: Daemon | None = None
) -> tuple[Verdict, Mapping[str, Any]]:
    """Judges a draw, through a daemon that lives longer than it where one is given."""
    if daemon is not None:
        claim = replace(claim, opened=lambda folder: contextlib.nullcontext(daemon))
    (folder / "work").mkdir()
    notes = Notes(folder / "notes.json", "")
    return judge(claim, folder / "work", notes), notes.values


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """One for all draws that need one: its start takes longer than they do."""
    with hostile.humble(tmp_path_factory.mktemp("daemon")) as one:
        yield one


def test_workloads_of_the_paper(tmp_path: Path, daemon: Daemon) -> None:
    verdict, _ = judged(paper.DRAW, tmp_path, daemon)
    assert verdict.ok, verdict.figure


def test_drawn_subgraphs(tmp_path: Path, daemon: Daemon) -> None:
    verdict, _ = judged(drawn.DRAW, tmp_path, daemon)
    assert verdict.ok, verdict.figure


def test_shares_of_the_peak(tmp_path: Path, daemon: Daemon) -> None:
    verdict, values = judged(shares.DRAW, tmp_path, daemon)
    rates = values["paper/gmm_1 process 0"]
    assert rates["kernel"] > 0 and rates["peak"] > 0, verdict.figure


def test_a_pair_is_judged_by_its_ratio() -> None:
    def values(rate: float) -> dict[str, Any]:
        return {"a process 0": {"kernel": rate, "peak": 2.0}, "b process 0": {"kernel": 1.0, "peak": 1.0}}

    assert [shares.verdict({}, {("a", "b"): 0.9}, values(rate)).ok for rate in (1.7, 1.9)] == [False, True]
    assert "a of b 85.0%" in shares.verdict({}, {("a", "b"): 0.9}, values(1.7)).figure


def test_the_first_kernel(tmp_path: Path, daemon: Daemon) -> None:
    verdict, values = judged(first.DRAW, tmp_path, daemon)
    (value,) = values.values()
    assert 0 < value["first_s"] <= value["all_s"] and value["trials"] == 3, verdict.figure


def test_bad_input(tmp_path: Path, daemon: Daemon) -> None:
    verdict, _ = judged(hostile.DRAW, tmp_path, daemon)
    assert verdict.ok, verdict.figure


def test_an_idle_daemon(tmp_path: Path, daemon: Daemon) -> None:
    verdict, values = judged(idle.DRAW, tmp_path, daemon)
    assert all(one["processes"] > 0 and one["share"] < 0.05 for one in values.values()), verdict.figure


def test_speed_of_the_client(tmp_path: Path) -> None:
    verdict, values = judged(speed.DRAW, tmp_path)
    for name, (_, best), _, aim in values["process 0"]:
        assert aim is None or 0 < best < 5 * aim, f"{name}: {verdict.figure}"


@pytest.mark.slow
@pytest.mark.slow
def test_a_warm_model(tmp_path: Path) -> None:
    verdict, values = judged(models.DRAW, tmp_path)
    found = values["load 0"]
    assert found["tuned"] == found["calls"] == 5 and found["pack"] > 0, verdict.figure


def test_programs_at_large(tmp_path: Path) -> None:
    verdict, _ = judged(equality.DRAW, tmp_path)
    assert verdict.ok, verdict.figure


@pytest.mark.slow
def test_kills(tmp_path: Path) -> None:
    verdict, _ = judged(kills.DRAW, tmp_path)
    assert verdict.ok, verdict.figure


@pytest.mark.slow
def test_search_against_random(tmp_path: Path) -> None:
    verdict, values = judged(search.DRAW, tmp_path)
    assert all(value["trials"] == 6 and value["latency_us"] > 0 for value in values.values()), verdict.figure


# The runner


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., list[str]]:
    """Makes one claim of the steps given the only one; the list of those that were really done."""

    def made(**steps: Callable[[], Any]) -> list[str]:
        done: list[str] = []

        def step(name: str) -> Callable[[Path], Any]:
            def run(folder: Path) -> Any:
                value = steps[name]()
                done.append(name)
                return value

            return run

        def verdict(values: Mapping[str, Any]) -> Verdict:
            return Verdict(f"{sum(values.values())} in all", "more than 2", sum(values.values()) > 2)

        claim = Claim("sum", {name: step(name) for name in steps}, verdict, bare)
        monkeypatch.setattr(runner, "CLAIMS", {"sum": claim})
        return done

    monkeypatch.setattr(runner, "HOME", tmp_path / "accept")
    return made


def test_an_interrupted_run_goes_on(
    counted: Callable[..., list[str]], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = True

    def second() -> int:
        if broken:
            raise KeyboardInterrupt
        return 2

    done = counted(one=lambda: 1, two=second)
    assert runner.main([]) == 130
    broken = False
    assert runner.main([]) == 0 and done == ["one", "two"]
    assert "sum        ok" in capsys.readouterr().out
    assert runner.main([]) == 0 and done == ["one", "two"] * 2, "a finished run starts anew"


def test_figures_of_other_sources_are_forgotten(
    counted: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = [True]
    done = counted(one=lambda: 1, two=lambda: 1 / 0 if broken[0] else 2)
    assert runner.main([]) == 1 and done == ["one"]
    monkeypatch.setattr(runner, "sources", lambda: "others")
    assert runner.main([]) == 1 and done == ["one"] * 2
    broken[0] = False
    assert runner.main(["sum", "--fresh"]) == 0 and done == ["one"] * 3 + ["two"]


def test_a_claim_that_falls_short_is_exit_1(
    counted: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    counted(one=lambda: 1)
    assert runner.main([]) == 1
    assert "1 in all; wanted: more than 2" in capsys.readouterr().out
    with pytest.raises(SystemExit) as error:
        runner.main(["other"])
    assert error.value.code == 2


def test_every_claim_has_its_name() -> None:
    for name, claim in CLAIMS.items():
        assert claim.name == name and claim.steps and len(name) <= 10
