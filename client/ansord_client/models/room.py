"""One block for all that native code reads of a model's constants, in the order in which it runs.

Called by `binding`. 4 MB and more lie in huge pages (NumPy asks the kernel for them), where single arrays
would lie in small ones, and a model's weights are too many for those to be found without misses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ansord_client.arrays import aligned, array_of
from ansord_client.entry import Entry
from ansord_client.models.arena import ALIGNMENT, whole
from ansord_client.plan import Place

Array = NDArray[Any]

SMALL = 1 << 16
"""Bytes of a constant that comes along although the kernel may read its packed form alone."""


@dataclass(frozen=True, slots=True)
class Furnished:
    """A call's constants by the names of its subgraph, and where their packed form goes."""

    constants: Mapping[str, Array]
    place: Place | None


def furnished(calls: Sequence[tuple[Entry | None, Mapping[str, Array]]]) -> list[Furnished]:
    """For each call, its entry and its constants; one without native code keeps its arrays where they are."""
    size = 0
    offsets: list[int | None] = []
    moved: dict[int, tuple[Array, int]] = {}
    for entry, constants in calls:
        for array in constants.values():
            if entry is not None and _read(entry, array) and id(array) not in moved:
                moved[id(array)] = array, size
                size += whole(array.nbytes)
        offsets.append(size if entry is not None and entry.packed_bytes else None)
        size += whole(entry.packed_bytes) if entry is not None else 0
    block, owner = aligned(max(size, 1), ALIGNMENT)
    copies = {}
    for place, (array, offset) in moved.items():
        copies[place] = array_of(block + offset, owner, array.shape, array.dtype)
        np.copyto(copies[place], array)
        copies[place].flags.writeable = False
    return [
        Furnished(
            {name: copies.get(id(array), array) for name, array in constants.items()},
            Place(block + offset, entry.packed_bytes, owner) if entry and offset is not None else None,
        )
        for (entry, constants), offset in zip(calls, offsets, strict=True)
    ]


def _read(entry: Entry, array: Array) -> bool:
    return array.nbytes > 0 and (not entry.packed_bytes or array.nbytes <= SMALL)
