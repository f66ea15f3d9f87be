"""The claims by name, in the order in which `make accept` judges them: the quick ones first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
    wheels,
)
from benchmarks.accept.claim import Claim

CLAIMS: Mapping[str, Claim[Any]] = {
    one.FULL.name: one.FULL
    for one in (wheels, speed, first, models, shares, hostile, idle, kills, equality, paper, drawn, search)
}
