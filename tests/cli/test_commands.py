"""The command line as a person meets it: exit codes, one-line mistakes, data on stdout and talk on stderr."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ansord.cli import main
from ansord.cli.talk import duration, latency, printable, table
from ansord.daemon import read_status
from ansord.nest import Target
from ansord.score import judge, samples
from ansord.search import Knowledge
from ansord.tune import MEMORY
from ansord_client.host import host
from tests.daemon.tiny import subgraph, text, until
from tests.nest.spaces import legal_rows, space

REPO = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "relu.json"
    path.write_bytes(text())
    return path


@pytest.fixture
def daemon(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A live daemon whose sessions count instead of compiling."""
    (home / "state").mkdir()
    command = [sys.executable, str(REPO / "tests/daemon/tiny.py"), str(home / "inbox"), str(home / "state")]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, env=dict(os.environ, PYTHONPATH=str(REPO)), stderr=log)
    until(lambda: (read_status(home / "state") or {}).get("state") == "idle")
    yield process
    process.kill()
    process.wait()


def said(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    captured = capsys.readouterr()
    return captured.out, captured.err


def answer(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    out, _ = said(capsys)
    value: dict[str, Any] = json.loads(out)
    assert isinstance(value["schema_version"], int)
    return value


def test_nothing_and_nonsense_are_usage_mistakes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert main(["frobnicate"]) == 2
    assert main(["serve", "--threads", "many"]) == 2
    out, err = said(capsys)
    assert out == "" and "usage: ansord" in err


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert said(capsys)[0].startswith("ansord ")
    for command in ("serve", "tune", "submit", "status", "top", "ls", "show", "explain", "bench", "doctor"):
        assert main([command, "--help"]) == 0
        assert f"usage: ansord {command}" in said(capsys)[0]


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion_is_a_script(capsys: pytest.CaptureFixture[str], shell: str) -> None:
    assert main(["completion", shell]) == 0
    out, _ = said(capsys)
    assert "until-idle" in out
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=out, text=True, check=True)


def test_a_bad_subgraph_is_one_line_and_65(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.json").write_bytes(text(surprise=1))
    for command in ("submit", "tune", "explain", "show", "bench"):
        assert main([command, str(tmp_path / "bad.json")]) == 65, command
        out, err = said(capsys)
        assert out == "" and err.count("\n") == 1, command
        assert "bad.json: $.surprise" in err and "unknown field" in err


def test_a_missing_file_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["submit", "absent.json"]) == 1
    out, err = said(capsys)
    assert out == "" and err == "ansord: absent.json: No such file or directory\n"


def test_a_forbidden_file_is_77(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    path = tmp_path / "secret.json"
    path.write_bytes(text())
    path.chmod(0)
    assert main(["submit", str(path)]) == 77


def test_a_bad_configuration_is_78(tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.toml").write_text("biulders = 2\n")
    assert main(["status", "--config", str(tmp_path / "a.toml")]) == 78
    assert main(["submit", str(file), "--config", str(tmp_path / "absent.toml")]) == 78
    assert "did you mean builders" in said(capsys)[1]


def test_no_compiler_is_78_and_says_how_to_get_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], file: Path
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    for command in (["serve"], ["tune", str(file)]):
        assert main(command) == 78
        out, err = said(capsys)
        assert out == "" and err.count("\n") == 1 and "apt install gcc" in err


def test_no_daemon_is_69(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status"]) == 69
    assert main(["top"]) == 69
    assert main(["submit", "--wait", str(file)]) == 69
    assert "no daemon is running" in said(capsys)[1]


def test_a_submitted_file_waits_for_a_daemon(
    home: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["submit", str(file)]) == 0
    out, err = said(capsys)
    assert out == "" and "no daemon is running here" in err
    assert (home / "inbox/relu.json").read_bytes() == file.read_bytes()


def test_a_drop_is_never_dropped_over(home: Path, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["submit", str(file)]) == 0
    file.write_bytes(text(9))
    assert main(["submit", "--json", str(file)]) == 0
    (row,) = answer(capsys)["drops"]
    assert row["name"] == "relu-2"
    assert (home / "inbox/relu.json").read_bytes() == text(8)
    assert (home / "inbox/relu-2.json").read_bytes() == text(9)


def test_one_bad_file_keeps_all_from_being_dropped(home: Path, file: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_bytes(b"{")
    assert main(["submit", str(file), str(tmp_path / "bad.json")]) == 65
    assert not list((home / "inbox").glob("*.json"))


@pytest.mark.usefixtures("daemon")
def test_submit_waits_for_the_result(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys)
    assert main(["submit", "--wait", "--json", str(file)]) == 0
    (row,) = answer(capsys)["drops"]
    assert row["state"] == "done" and row["record"]["trials"] == 8
    assert main(["submit", "--wait", str(file)]) == 0, "and does not take the old one for it"
    out, _ = said(capsys)
    assert out.splitlines()[0].split()[:2] == ["NAME", "LATENCY"] and out.splitlines()[1].startswith("relu")


@pytest.mark.usefixtures("daemon")
def test_submit_hears_of_a_failure(home: Path, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The daemon's word counts, whatever this command thinks of the file."""
    from ansord.cli import submit as command

    (home / "odd.json").write_bytes(b"[1]")
    drops = command.submit({file: text(7), home / "odd.json": b"[1]"}, home / "inbox")
    outcomes = command.wait(drops, home / "inbox", home / "state")
    assert [outcomes[one][0] for one in drops] == ["done", "failed"]


def test_the_status_of_a_live_daemon(
    daemon: subprocess.Popen[bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys)
    assert main(["status", "--json"]) == 0
    value = answer(capsys)
    assert value["pid"] == daemon.pid and value["state"] == "idle"
    assert main(["status"]) == 0
    out, _ = said(capsys)
    assert f"pid {daemon.pid}" in out and "drops     0 done, 0 failed" in out


def test_a_dead_daemon_is_no_daemon(
    daemon: subprocess.Popen[bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    daemon.kill()
    daemon.wait()
    assert main(["status"]) == 69


def test_an_empty_cache_lists_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ls", "--json"]) == 0
    assert answer(capsys)["entries"] == []
    assert main(["ls"]) == 0
    assert said(capsys)[0].split()[0] == "KEY"


def test_explain_says_what_the_key_is_made_of(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--json", str(file)]) == 1
    value = answer(capsys)
    assert not value["hit"] and value["trail"] and value["ingredients"]["inputs"] == ["float32[8]"]
    assert value["ingredients"]["nodes"][0].startswith("relu")
    assert main(["explain", str(file)]) == 1
    out, _ = said(capsys)
    assert value["key"] in out and value["host_key"] in out and "miss" in out
    renamed = subgraph()
    renamed["nodes"][0]["name"], renamed["outputs"] = "other", ["other"]
    file.write_text(json.dumps(renamed | {"weight": 7, "name": "x"}))
    assert main(["explain", "--json", str(file)]) == 1
    assert answer(capsys)["key"] == value["key"]


def test_the_doctor_looks_at_everything(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["doctor", "--json"]) == 0
    about = [finding["about"] for finding in answer(capsys)["findings"]]
    assert {"python", "host", "compiler", "temporary", "inbox", "cache", "state", "noise", "daemon"} <= set(
        about
    )
    monkeypatch.setenv("PATH", "/nonexistent")
    assert main(["doctor"]) == 1
    assert "bad   compiler" in said(capsys)[0]


def test_a_reader_that_has_seen_enough_is_no_mistake(file: Path) -> None:
    command = f"{sys.executable} -m ansord completion bash | head -1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, cwd=REPO)
    assert done.returncode == 0 and done.stderr == ""


def test_tables_are_aligned_and_safe() -> None:
    lines = table(("A", "NUMBER"), [("x\x1b[31m", 1.5), ("long name", None)]).splitlines()
    assert lines == ["A          NUMBER", "x\\x1b[31m     1.5", "long name       -"]
    assert printable("a\nb\udcff") == "a\\nb\\udcff"


@pytest.mark.parametrize(
    ("value", "wanted"), [(0.85, "850 ms"), (12.3, "12.3 s"), (240, "4 min"), (90, "90 s"), (7200, "2 h")]
)
def test_durations(value: float, wanted: str) -> None:
    assert duration(value) == wanted


@pytest.mark.parametrize(
    ("value", "wanted"), [(None, "-"), (12.3456, "12.35 µs"), (2500.0, "2.5 ms"), (3e6, "3 s")]
)
def test_latencies(value: float | None, wanted: str) -> None:
    assert latency(value) == wanted


def test_model_says_when_there_is_too_little(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["model"]) == 1
    out, err = said(capsys)
    assert out == "" and "0 programs of 0 tasks" in err and str(home / "state") in err
    assert main(["model", "--json"]) == 0
    found = answer(capsys)
    assert found["tasks"] == [] and found["programs"] == 0


def test_model_prints_its_figures(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "state").mkdir()
    path = home / "state" / MEMORY.format(host().key)
    knowledge = Knowledge(None, path)
    for name in ("odd", "softmax"):
        of = space(name, Target(threads=2))
        judged = judge(of, legal_rows(of, 60, 0))
        knowledge.remember(name, samples(judged, judged.total.astype(np.float64)), [])
    knowledge.save()
    assert main(["model"]) == 0
    out, _ = said(capsys)
    assert out.count("ceiling") == 3 and "odd" in out and "median" in out
    assert main(["model", "--json", "--noise", "0.01"]) == 0
    found = answer(capsys)
    assert [task["key"] for task in found["tasks"]] == ["odd", "softmax"]
    assert found["tasks"][0]["paper"]["pairwise"] == 1.0 and found["noise"] == 0.01
    assert set(found["median"]) == {"paper", "unseen", "seen", "best"}
