"""A home of their own for tests that run commands as a user does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No file and no variable of the person who runs the tests counts."""
    for name in list(os.environ):
        if name.startswith(("ANSORD_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("inbox", "cache", "state"):
        monkeypatch.setenv(f"ANSORD_{name.upper()}", str(tmp_path / name))
    return tmp_path
