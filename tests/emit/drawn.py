"""A fixed number of different subgraphs by a seed: Hypothesis's draws without its shrinking."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from ansord_client.subgraph import Subgraph
from tests.strategies import subgraphs

BEFORE = 5
"""Draws that are passed over: the first is the simplest of all, the next resemble it."""


def drawn(number: int, count: int, ops: Sequence[str] | None = None, max_nodes: int = 5) -> list[Subgraph]:
    """`count` subgraphs; each is begun anew, since the draws of one seed resemble each other."""
    return [_one(number * 1000 + place, ops, max_nodes) for place in range(count)]


def _one(number: int, ops: Sequence[str] | None, max_nodes: int) -> Subgraph:
    found: list[dict[str, Any]] = []

    @seed(number)
    @settings(
        max_examples=BEFORE, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    @given(subgraphs(max_nodes=max_nodes, ops=ops))
    def keep(obj: dict[str, Any]) -> None:
        found.append(obj)

    keep()
    return Subgraph.from_dict(found[-1])
