"""The command line: a person at a desk. Nothing imports this room."""

from __future__ import annotations

from ansord.cli.main import main

__all__ = ["main"]
