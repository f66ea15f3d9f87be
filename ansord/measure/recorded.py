"""Recorded pools: programs of one task with what they took, in one small file. They serve to try searches
without a compiler.

`benchmarks/search` writes and replays them, tests and `ansord model` read them. Nothing is built or run here.

    pool = npz: about   JSON text: schema, subgraph, host, target
                texts   zlib of the programs' texts, one a line
                seconds float64 [programs], infinite for failures
                again   float64 [pairs, 2]: position of a program, seconds of a later measurement of it
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ansord.dag import Dag, collapse, expand
from ansord.nest import Program, Target, parse_program
from ansord.record import Trial
from ansord_client.subgraph import Subgraph

SCHEMA = 1


@dataclass(frozen=True)
class Pool:
    """What was measured of one task on one host. Programs are distinct."""

    document: dict[str, Any]
    """The subgraph, as in its file."""
    host_key: str
    target: Target
    texts: tuple[str, ...]
    seconds: NDArray[np.float64]
    again: NDArray[np.float64]

    @cached_property
    def subgraph(self) -> Subgraph:
        """The task's subgraph."""
        return Subgraph.from_dict(self.document)

    @cached_property
    def dag(self) -> Dag:
        """Its tensor expressions."""
        return collapse(expand(self.subgraph))

    @cached_property
    def programs(self) -> tuple[Program, ...]:
        """The programs, parsed. Raises ValueError where another generator wrote them."""
        return tuple(parse_program(text, self.dag, self.target) for text in self.texts)

    @property
    def noise(self) -> float:
        """Standard deviation of the logarithm of one measurement, from those that were repeated."""
        first, later = self.seconds[self.again[:, 0].astype(int)], self.again[:, 1]
        fine = np.isfinite(first) & np.isfinite(later)
        if fine.sum() < 2:
            return float("nan")
        # A robust spread: a few disturbed measurements are not the noise of the rest.
        change = np.abs(np.log(later[fine] / first[fine]))
        return float(np.median(change) / 0.6745 / np.sqrt(2.0))

    def save(self, path: Path) -> None:
        """Writes the file, whole or not at all."""
        about = {
            "schema": SCHEMA, "subgraph": self.document, "host": self.host_key, "target": asdict(self.target)
        }  # fmt: skip
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            about=np.frombuffer(json.dumps(about).encode(), np.uint8),
            texts=np.frombuffer(zlib.compress("\n".join(self.texts).encode(), 9), np.uint8),
            seconds=self.seconds,
            again=self.again,
        )
        part = path.with_name(f".{path.name}.part")
        part.write_bytes(buffer.getvalue())
        part.replace(path)

    @classmethod
    def load(cls, path: Path) -> Pool:
        """The pool in a file. Raises ValueError for a file that is none."""
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as found:
                about = json.loads(found["about"].tobytes())
                texts = zlib.decompress(found["texts"].tobytes()).decode()
                seconds, again = found["seconds"], found["again"]
        except (KeyError, OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error) as error:
            raise ValueError(f"{path}: not a pool: {error}") from error
        if about.get("schema") != SCHEMA:
            raise ValueError(f"{path}: found schema {about.get('schema')!r}, wanted {SCHEMA}")
        target = Target(**about["target"])
        lines = tuple(texts.split("\n")) if texts else ()
        return cls(about["subgraph"], about["host"], target, lines, seconds, again)

    @classmethod
    def of(
        cls, document: dict[str, Any], host_key: str, target: Target, trials: Iterable[Trial]
    ) -> Pool:
        """The pool of these trials in order; a program's first measurement counts, later ones are `again`."""
        places: dict[str, int] = {}
        seconds: list[float] = []
        again: list[tuple[int, float]] = []
        for trial in trials:
            place = places.setdefault(trial.program, len(seconds))
            if place == len(seconds):
                seconds.append(trial.outcome.seconds)
            else:
                again.append((place, trial.outcome.seconds))
        repeats = np.asarray(again, dtype=np.float64).reshape(-1, 2)
        return cls(document, host_key, target, tuple(places), np.asarray(seconds), repeats)
