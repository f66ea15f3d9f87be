"""What is known of a task that was searched, on this host or another, and the bytes it is kept in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import msgpack
import numpy as np
from numpy.typing import NDArray

from ansord.score import NAMES, Samples, Table

FORMAT = 1
KIND = [NAMES.index(name) for name in ("ideal", "work", "finish", "library", "reads", "packed", "tiled")]
"""Features that say what kind of statement it is, whatever its schedule."""


@dataclass(frozen=True)
class Known:
    """One task. `best`: the texts of its fastest programs, best first."""

    samples: Samples
    best: tuple[str, ...] = ()

    @cached_property
    def kind(self) -> NDArray[np.float32]:
        """Where the task lies among others."""
        return kind(self.samples.features)


def kind(features: Table) -> NDArray[np.float32]:
    """The mean of what does not depend on schedules, statements weighed by their share."""
    share = np.exp2(features[:, NAMES.index("share")])
    mean: NDArray[np.float32] = (features[:, KIND] * share[:, None]).sum(0) / share.sum()
    return mean


def packed(tasks: Mapping[str, Known]) -> bytes:
    """Tasks by their subgraphs' keys, in their order."""
    found = [[key, known.samples.to_bytes(), list(known.best)] for key, known in tasks.items()]
    data: bytes = msgpack.packb({"v": FORMAT, "tasks": found})
    return data


def unpacked(data: bytes) -> dict[str, Known]:
    """The tasks in `data`. A file of another version, or a damaged one, is as good as none: it is only
    experience; tasks whose features are of another version are left out."""
    tasks: dict[str, Known] = {}
    try:
        found = msgpack.unpackb(data)
        for key, samples, best in found["tasks"] if found["v"] == FORMAT else []:
            made = Samples.from_bytes(samples)
            if made is not None and len(made):
                tasks[str(key)] = Known(made, tuple(str(text) for text in best))
    except (ValueError, KeyError, TypeError, msgpack.UnpackException):
        return {}
    return tasks
