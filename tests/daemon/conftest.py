"""Quiet logs for the daemon's tests."""

from __future__ import annotations

import pytest

from ansord.daemon import configure_logs


@pytest.fixture(autouse=True)
def quiet() -> None:
    configure_logs("error", json=True)
