"""The whole chain through the command line: tune, explain, show, bench, carry, and once more by a daemon."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansord.cli import main
from ansord.daemon import holder
from tests.daemon.tiny import until

MATMUL = {
    "ansord": 1,
    "name": "small_matmul",
    "inputs": [
        {"name": "a", "shape": [24, 40], "dtype": "float32"},
        {"name": "b", "shape": [40, 33], "dtype": "float32", "constant": True},
    ],
    "nodes": [{"name": "c", "op": "matmul", "args": ["a", "b"]}],
    "outputs": ["c"],
    "tuning": {"trials": 6},
}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("chain")


@pytest.fixture(scope="module", autouse=True)
def home(place: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("ANSORD_", "XDG_")):
                patch.delenv(name)
        patch.setenv("HOME", str(place))
        for name in ("inbox", "cache", "state"):
            patch.setenv(f"ANSORD_{name.upper()}", str(place / name))
        yield


@pytest.fixture(scope="module")
def file(place: Path) -> Path:
    path = place / "small.json"
    path.write_text(json.dumps(MATMUL))
    return path


@pytest.fixture(scope="module")
def tuned(file: Path, home: None) -> Path:
    assert main(["tune", str(file)]) == 0
    return file


def answer(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(capsys.readouterr().out)
    return value


def test_what_was_tuned_is_in_the_cache(tuned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ls", "--json"]) == 0
    (entry,) = answer(capsys)["entries"]
    assert entry["latency_us"] > 0 and entry["gflops"] > 0
    assert main(["verify"]) == 0
    assert main(["explain", "--json", str(tuned)]) == 0
    value = answer(capsys)
    assert value["hit"] and value["key"] == entry["key"]


def test_tuning_again_finishes_at_once(tuned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tune", "--json", str(tuned)]) == 0
    (result,) = answer(capsys)["results"]
    assert result["trials"] == 6


def test_every_stage_is_shown(tuned: Path, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show"]) == 2, "it wants to know of what"
    assert main(["show", "--stage", "list"]) == 0
    names = capsys.readouterr().out.split()
    assert main(["show", "--json", str(tuned)]) == 0
    value = answer(capsys)
    assert list(value["stages"]) == names and all(value["stages"].values())
    assert "ansord_run" in value["stages"]["c"]
    assert main(["show", str(tuned), "--out", str(place / "stages")]) == 0
    assert (place / "stages/00-dag.txt").exists() and len(list((place / "stages").iterdir())) == len(names)
    assert main(["show", str(tuned), "--stage", "nonsense"]) == 2


def test_the_bench_times_it_against_numpy(tuned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--json", str(tuned)]) == 0
    (row,) = answer(capsys)["results"]
    assert row["ansord_us"] > 0 and row["numpy_us"] > 0 and 0 < row["measured_share_of_peak"] < 2


def test_kernels_are_carried_to_another_cache(
    tuned: Path, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle, other = str(place / "kernels.tar"), str(place / "other")
    assert main(["export", bundle]) == 0
    assert main(["import", "--json", bundle, "--cache", other]) == 0
    assert answer(capsys)["published"] == 1
    assert main(["explain", str(tuned), "--cache", other]) == 0
    assert main(["gc", "--older-than", "0", "--grace", "0", "--cache", other]) == 0
    assert main(["explain", str(tuned), "--cache", other]) == 1


def test_where_a_daemon_owns_the_cache_the_work_goes_to_it(
    tuned: Path, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (place / "log").open("wb") as log:
        daemon = subprocess.Popen([sys.executable, "-m", "ansord", "serve"], stderr=log)
    try:
        until(lambda: holder(place / "state") is not None, 60)
        other = place / "other.json"
        other.write_text(json.dumps(MATMUL | {"numerics": "strict"}))
        assert main(["tune", str(other)]) == 0
        captured = capsys.readouterr()
        assert "a daemon owns" in captured.err and "other" in captured.out
        assert json.loads((place / "inbox/done/other.result.json").read_text())["trials"] == 6
        assert main(["gc"]) == 75, "the cache has one writer"
        until(lambda: (place / "cache/daemon.json").exists())
        assert main(["tune", str(other), "--state", str(place / "elsewhere")]) == 0, (
            "the cache names its owner"
        )
        (place / "cache/daemon.json").unlink()
        assert main(["tune", str(other), "--state", str(place / "elsewhere")]) == 75
        key = json.loads((place / "inbox/done/other.result.json").read_text())["key"]
        assert main(["show", key[:8], "--stage", "dag"]) == 0
    finally:
        daemon.terminate()
        assert daemon.wait(60) == 0
