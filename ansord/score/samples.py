"""Measured programs as a model sees them: statements with features and, per program, what it took.

Kept beside the journal, since the journal has no subgraphs: a few hundred bytes a statement, no pickle.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ansord.score.features import NAMES, OLDER, VERSION, Judged
from ansord.score.statement import Table

FAILED = 3.0
"""A failed program counts as exp(FAILED) times slower than its estimate: it teaches what to avoid."""
DOUBT = 0.01
"""The weight of a failure, beside 0.05 to 1 of what worked: where all of a kind fail it is enough, and where
one program in ten fails for no reason the order of the others keeps (0.1 cost it an eighth)."""
LEAST = 0.05
"""The weight of the slowest programs; the fastest of a task has 1."""


@dataclass(frozen=True)
class Samples:
    """Programs of any tasks. `features` [statements, NAMES]; `row`: whose a statement is; `cycles`: its
    estimate; `actual` [programs]: logarithm of what the program took, in cycles of the estimate of its task's
    median program; `weight` [programs]: fast programs matter more (Ansor's loss: best / seconds)."""

    features: Table
    row: NDArray[np.int64]
    cycles: NDArray[np.float32]
    actual: NDArray[np.float32]
    weight: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.actual)

    @property
    def worked(self) -> NDArray[np.bool_]:
        """[programs] that were measured; of one task as `samples` gives it."""
        return self.weight >= LEAST

    @property
    def judged(self) -> Judged:
        """The programs without what they took."""
        total = np.bincount(self.row, self.cycles, len(self)).astype(np.float32)
        return Judged(self.features, self.row, self.cycles, total)

    def some(self, chosen: NDArray[np.int64]) -> Samples:
        """These programs alone."""
        place = np.full(len(self), -1)
        place[chosen] = np.arange(len(chosen))
        kept = place[self.row] >= 0
        return Samples(
            self.features[kept], place[self.row[kept]], self.cycles[kept],
            self.actual[chosen], self.weight[chosen],
        )  # fmt: skip

    def weighed(self, factor: float) -> Samples:
        """The same with other weights."""
        weight = (self.weight * factor).astype(np.float32)
        return Samples(self.features, self.row, self.cycles, self.actual, weight)

    def spread(self, count: int, seed: int) -> Samples:
        """At most `count` programs, drawn at random."""
        if len(self) <= count:
            return self
        return self.some(np.sort(np.random.default_rng(seed).permutation(len(self))[:count]))

    def to_bytes(self, **more: NDArray[Any]) -> bytes:
        """A compressed npz; features in half precision: trees learn from coarser steps anyway. `more`: arrays
        that a reader of samples passes over."""
        buffer = io.BytesIO()
        arrays: dict[str, Any] = {
            "version": np.int64(VERSION), "features": self.features.astype(np.float16),
            "row": self.row.astype(np.uint32), "cycles": self.cycles, "actual": self.actual,
            "weight": self.weight, **more,
        }  # fmt: skip
        np.savez_compressed(buffer, **arrays)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Samples | None:
        """The samples in `data`; None for those of another version and for anything else."""
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as found:
                version, table = int(found["version"]), found["features"].astype(np.float32)
                if version != VERSION and version not in OLDER:
                    return None
                table = np.pad(table, ((0, 0), (0, OLDER.get(version, 0))))
                made = cls(
                    table, found["row"].astype(np.int64),
                    found["cycles"], found["actual"], found["weight"],
                )  # fmt: skip
        except (ValueError, KeyError, OSError, EOFError, TypeError, zipfile.BadZipFile, zlib.error):
            return None
        return made if made._whole() else None

    def _whole(self) -> bool:
        shapes = self.features.ndim == 2 and self.features.shape[1] == len(NAMES)
        lengths = len(self.features) == len(self.row) == len(self.cycles)
        lengths = lengths and len(self.actual) == len(self.weight)
        return bool(shapes and lengths and (self.row < len(self)).all())


def samples(judged: Judged, seconds: NDArray[np.float64]) -> Samples:
    """The programs of one task; infinite seconds are failures."""
    paper = np.log(judged.total)
    worked = np.isfinite(seconds)
    actual = paper + np.float32(FAILED)
    weight = np.full(len(seconds), DOUBT, np.float32)
    if worked.any():
        missed = np.log(seconds[worked]) - paper[worked]
        actual[worked] = np.log(seconds[worked]) - np.median(missed)
        weight[worked] = np.maximum(seconds[worked].min() / seconds[worked], LEAST)
    return Samples(judged.features, judged.row, judged.cycles, actual.astype(np.float32), weight)


def joined(parts: Sequence[Samples]) -> Samples:
    """All of them."""
    starts = np.cumsum([0, *(len(part) for part in parts)])
    return Samples(
        np.concatenate([part.features for part in parts]),
        np.concatenate([part.row + start for part, start in zip(parts, starts, strict=False)]),
        np.concatenate([part.cycles for part in parts]),
        np.concatenate([part.actual for part in parts]),
        np.concatenate([part.weight for part in parts]),
    )
