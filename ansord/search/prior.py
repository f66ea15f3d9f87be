"""What a host that has measured nothing knows: programs of some tasks, measured elsewhere.

`prior.npz` is shipped; `benchmarks/search` writes it anew from pools. It holds the samples and the keys of
their tasks, so that whoever judges a model can leave out what it was taught of the very task.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from ansord.score import Samples, joined


@dataclass(frozen=True)
class Prior:
    """Samples of several tasks. `keys`: of their subgraphs; `of` [programs]: whose each is. A prior of before
    there were keys has none, and nothing can be left out of it."""

    samples: Samples
    keys: tuple[str, ...] = ()
    of: NDArray[np.int64] | None = None

    @classmethod
    def joined(cls, parts: Mapping[str, Samples]) -> Prior:
        """Of the samples of each task, by its key."""
        of = np.repeat(np.arange(len(parts)), [len(part) for part in parts.values()])
        return cls(joined(list(parts.values())), tuple(parts), of)

    def but(self, key: str) -> Prior | None:
        """Without one task; None where nothing is left."""
        if self.of is None or key not in self.keys:
            return self
        kept = np.flatnonzero(self.of != self.keys.index(key))
        return Prior(self.samples.some(kept), self.keys, self.of[kept]) if len(kept) else None

    def to_bytes(self) -> bytes:
        """A compressed npz: the samples', with two arrays more."""
        of = np.zeros(len(self.samples), np.int64) if self.of is None else self.of
        keys = np.frombuffer("\n".join(self.keys).encode(), np.uint8)
        return self.samples.to_bytes(keys=keys, of=of.astype(np.uint16))

    @classmethod
    def from_bytes(cls, data: bytes) -> Prior | None:
        """The prior in `data`; None where its features are of another version, and for anything else."""
        samples = Samples.from_bytes(data)
        if samples is None:
            return None
        with np.load(io.BytesIO(data), allow_pickle=False) as found:
            if "keys" not in found or "of" not in found:
                return cls(samples)
            keys, of = found["keys"].tobytes().decode().split(), found["of"].astype(np.int64)
        whole = of.shape == (len(samples),) and len(keys) > int(of.max(initial=-1))
        return cls(samples, tuple(keys), of) if whole else cls(samples)


def shipped() -> Prior | None:
    """The prior of this distribution; None where its features are of another version."""
    file = files("ansord.search") / "prior.npz"
    return Prior.from_bytes(file.read_bytes()) if file.is_file() else None
