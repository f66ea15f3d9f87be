"""Writes the prior that ansord ships: a spread of the pools' programs, as samples.

    python -m benchmarks.search --pools DIR prior

It holds features and what programs took, no trees; `record` makes the pools anew on any machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import ansord.search
from ansord.score import joined
from benchmarks.search.replay import Recorded, loaded

FILE = Path(ansord.search.__file__).with_name("prior.npz")
EACH = 70
"""Programs of a pool: what comes of it stays under 300 KB."""


def prior(recorded: Sequence[Recorded], file: Path = FILE) -> int:
    """Writes the file; its size."""
    parts = [one.samples.spread(EACH, 0) for one in recorded]
    return file.write_bytes(joined(parts).to_bytes())


def write(pools: Path) -> str:
    """As the command does; what to say about it."""
    recorded = loaded(pools)
    size = prior(recorded)
    return f"{FILE.name}: {len(recorded)} tasks, {size / 1024:.0f} KiB"
