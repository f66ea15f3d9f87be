"""Subgraphs that Hypothesis draws, over every op, tune like those of the paper, and equal the reference."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from ansord_client.subgraph import Subgraph
from benchmarks.accept import paper
from benchmarks.accept.claim import Claim, Values, Verdict
from benchmarks.accept.daemon import Daemon, serving
from tests.strategies import subgraphs

TRIALS = 16
BATCHES, EACH = 20, 10


def claim(batches: Sequence[int], each: int, trials: int) -> Claim[Daemon]:
    steps = {f"batch {number}": partial(batch, number, each, trials) for number in batches}
    return Claim("drawn", steps, verdict, serving)


def batch(number: int, each: int, trials: int, daemon: Daemon) -> dict[str, Any]:
    """Drops several at once; by key, what became of them."""
    names = {}
    for place, value in enumerate(drawn(number, each)):
        stem = f"drawn{number}_{place}"
        names[Subgraph.from_dict(value).key] = stem, value
        daemon.drop(stem, {**value, "tuning": {"trials": trials}})
    found = {}
    for key, (stem, value) in names.items():
        found[key] = paper.outcome(stem, daemon)
        if found[key]["wrong"]:
            found[key]["subgraph"] = json.dumps(value)
    return found


def drawn(number: int, count: int) -> list[dict[str, Any]]:
    """The examples of one seed; the first is left out, since it is the simplest one of every seed."""
    found: list[dict[str, Any]] = []

    @seed(number)
    @settings(
        max_examples=count + 1, database=None, phases=[Phase.generate], deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(subgraphs())
    def take(value: dict[str, Any]) -> None:
        found.append(value)

    take()
    return found[1:]


def verdict(values: Values) -> Verdict:
    """As of the paper's workloads, by key: equal subgraphs of two batches count once."""
    outcomes = {key[:12]: one for value in values.values() for key, one in value.items()}
    return paper.verdict(outcomes)


FULL = claim(range(BATCHES), EACH, TRIALS)
DRAW = claim([3], 2, 2)
