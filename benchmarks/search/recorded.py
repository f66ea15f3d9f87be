"""A pool as a search sees it: its rows, judged once for all strategies and seeds."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ansord.measure.recorded import Pool
from ansord.nest import Rows, Space
from ansord.score import Judged, Samples, judge, samples
from ansord.search import Knowledge, Task
from ansord.search.ablated import plain

Places = NDArray[np.int64]
"""Positions of programs in the pool."""


@dataclass(frozen=True)
class Recorded:
    """A pool with its space. n programs: those of the pool that the space still has, doubles left out."""

    name: str
    pool: Pool

    @cached_property
    def task(self) -> Task:
        """The pool's task, on the host that it was recorded on."""
        return Task(self.pool.subgraph, self.pool.target)

    @property
    def space(self) -> Space:
        """The task's space, as the rules derive it now."""
        return self.task.space

    @cached_property
    def _known(self) -> dict[bytes, float]:
        """Canonical row to seconds, in the pool's order."""
        found = zip(map(self.space.read, self.pool.texts), self.pool.seconds.tolist(), strict=True)
        kept = [(row, seconds) for row, seconds in found if row is not None]
        if not kept:
            raise ValueError(f"{self.name}: the task's space has none of the pool's programs; record it anew")
        rows = self.space.canonical(np.stack([row for row, _ in kept]))
        known: dict[bytes, float] = {}
        for row, (_, seconds) in zip(rows, kept, strict=True):
            known.setdefault(row.tobytes(), seconds)
        return known

    @cached_property
    def seconds(self) -> NDArray[np.float64]:
        """[n]; infinite for failures."""
        return np.array(list(self._known.values()))

    @cached_property
    def rows(self) -> Rows:
        """[n, 1 + knobs], canonical."""
        return np.frombuffer(b"".join(self._known), np.int64).reshape(-1, 1 + len(self.space.knobs))

    @cached_property
    def place(self) -> dict[bytes, int]:
        """Bytes of a row to its position."""
        return {row: place for place, row in enumerate(self._known)}

    @cached_property
    def judged(self) -> Judged:
        """All programs, once."""
        return judge(self.space, self.rows)

    @cached_property
    def samples(self) -> Samples:
        """All of it, as a model sees it."""
        return samples(self.judged, self.seconds)

    def told(self, places: Sequence[int]) -> Samples:
        """These programs as a search sees them that knows no others."""
        chosen = np.asarray(places, np.int64)
        return samples(self.samples.some(chosen).judged, self.seconds[chosen])

    @cached_property
    def apart(self) -> NDArray[np.uint8]:
        """[n, n]: in how many knobs two programs differ; another sketch counts as one, too."""
        found = np.zeros((len(self.rows), len(self.rows)), np.uint8)
        for column in self.rows.T:
            if (column != column[0]).any():
                found += column[:, None] != column[None, :]
        return found

    @cached_property
    def limited(self) -> NDArray[np.bool_]:
        """[n]: what the limited space of `ansord.search.ablated` has, too."""
        sketches = np.array([plain(sketch) for sketch in self.space.sketches])
        middle = [place for place, knob in enumerate(self.space.knobs, 1) if knob.kind == "middle"]
        fine: NDArray[np.bool_] = sketches[self.rows[:, 0]] & (self.rows[:, middle] == 1).all(1)
        return fine

    @cached_property
    def best(self) -> float:
        """Seconds of the fastest."""
        return float(self.seconds.min())


def add_pools(parser: argparse.ArgumentParser) -> None:
    """Where the pools are."""
    parser.add_argument("--pools", type=Path, default=Path(".bench/pools"), metavar="DIR")


def loaded(folder: Path, names: Sequence[str] = ()) -> list[Recorded]:
    """The pools of a folder."""
    paths = sorted(folder.glob("*.npz"))
    return [Recorded(path.stem, Pool.load(path)) for path in paths if not names or path.stem in names]


def others(recorded: Sequence[Recorded], but: str) -> Knowledge:
    """What a host knows that has tuned all tasks but one."""
    knowledge = Knowledge()
    for one in recorded:
        if one.name != but:
            knowledge.remember(one.name, one.samples, [])
    return knowledge
