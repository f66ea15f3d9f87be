"""Subgraphs that Hypothesis draws, over every op, tune like those of the paper, and equal the reference."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import Any

from benchmarks.accept import paper
from benchmarks.accept.claim import Claim, Values, Verdict
from benchmarks.accept.daemon import Daemon, serving
from tests.emit.drawn import drawn

TRIALS = 16
BATCHES, EACH = 20, 10
FIRST = 2000
"""Of the seeds, so that these are others than those of `equality`."""


def claim(batches: Sequence[int], each: int, trials: int) -> Claim[Daemon]:
    steps = {f"batch {number}": partial(batch, number, each, trials) for number in batches}
    return Claim("drawn", steps, verdict, serving)


def batch(number: int, each: int, trials: int, daemon: Daemon) -> dict[str, Any]:
    """Drops several at once; by key, what became of them."""
    graphs = {f"drawn{number}_{place}": graph for place, graph in enumerate(drawn(FIRST + number, each))}
    for stem, graph in graphs.items():
        daemon.drop(stem, {**graph.to_dict(), "tuning": {"trials": trials}})
    found = {}
    for stem, graph in graphs.items():
        found[graph.key] = paper.outcome(stem, daemon)
        if found[graph.key]["wrong"]:
            found[graph.key]["subgraph"] = json.dumps(graph.to_dict())
    return found


def verdict(values: Values) -> Verdict:
    """As of the paper's workloads, by key: equal subgraphs of two batches count once."""
    outcomes = {key[:12]: one for value in values.values() for key, one in value.items()}
    return paper.verdict(outcomes)


FULL = claim(range(BATCHES), EACH, TRIALS)
DRAW = claim([3], 2, 2)
