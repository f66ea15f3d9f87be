"""Of every test: on a shared machine a slow example is no failure; golden files, and --update-golden."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("house", deadline=None, print_blob=True)
settings.load_profile("house")

GOLDEN = Path(__file__).parent / "golden"

Golden = Callable[[str, str], None]
"""(path under tests/golden, the text that ought to be there)"""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write tests/golden anew; read the diff")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Compares a text with the file of this name, or writes the file under --update-golden."""
    update = request.config.getoption("--update-golden")

    def check(name: str, text: str) -> None:
        path = GOLDEN / name
        if update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        known = path.read_text() if path.exists() else ""
        assert text == known, f"{name} changed; if that is meant: pytest --update-golden, and read the diff"

    return check
