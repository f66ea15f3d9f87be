"""Every code block of the README does what it says, in the order in which a reader meets them."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansord.daemon import load_settings
from ansord_client.subgraph import load_subgraph

REPO = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
GIVEN = ("python3 -m venv", ".venv/bin/pip install", ". .venv/bin/activate", "sudo systemctl", "sudo usermod")
"""What this test does not do to the machine that it runs on."""


def blocks() -> list[tuple[str, str]]:
    return BLOCK.findall((REPO / "README.md").read_text())


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reader")


@pytest.fixture
def environ(place: Path) -> Iterator[dict[str, str]]:
    """A reader's: a home of their own, and the command on the path."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("ANSORD_", "XDG_"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{mine['PATH']}"
    yield mine | {"HOME": str(place), "PATH": path, "USER": "reader"}


def test_there_are_blocks_of_every_kind() -> None:
    assert {kind for kind, _ in blocks()} == {"text", "sh", "json", "python", "toml"}


@pytest.mark.slow
@pytest.mark.timeout(500)
def test_the_readme_from_top_to_bottom(place: Path, environ: dict[str, str]) -> None:
    for kind, text in blocks():
        if kind == "json":
            (place / "mine.json").write_text(text)
            assert load_subgraph(place / "mine.json").name == json.loads(text)["name"]
        elif kind == "sh":
            for line in text.splitlines():
                run_line(line, place, environ)
        elif kind == "python":
            run([sys.executable, "-c", text], place, environ)
        elif kind == "toml":
            (place / "ansord.toml").write_text(text)
            settings = load_settings({"config": place / "ansord.toml"}, environ)
            assert settings.compiler == "gcc-14" and settings.builders == 4


def run_line(line: str, place: Path, environ: dict[str, str]) -> None:
    words = shlex.split(line)
    if words[0] == "sudo":
        words = words[1:]
    if words[0] == "make":  # what it does has tests of its own; here, that there is such a thing to make
        run(["make", "-n", *words[1:]], REPO, environ)
    elif not line.startswith(GIVEN):
        assert words[0] == "ansord", line
        run([sys.executable, "-m", "ansord", *words[1:]], place, environ)


def run(command: list[str], where: Path, environ: dict[str, str]) -> None:
    done = subprocess.run(command, cwd=where, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


def test_the_tour_names_every_room() -> None:
    text = (REPO / "README.md").read_text()
    rooms = {f"ansord/{path.parent.name}" for path in REPO.glob("ansord/*/__init__.py")}
    assert {room for room in re.findall(r"^\| `(ansord/\w+)`", text, re.M)} == rooms


def test_links_lead_somewhere() -> None:
    text = (REPO / "README.md").read_text()
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", text):
        assert (REPO / target).exists(), target
