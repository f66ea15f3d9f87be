"""How large a subgraph may be; the reader checks all of it in exact integers before any array exists."""

from __future__ import annotations

import os
from dataclasses import dataclass, field


def half_of_memory() -> int:
    """Half of the machine's memory in bytes."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2


EXTENT = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Limits:
    """`bytes` bounds all tensors of a subgraph together; the others one file, graph, tensor or name."""

    file_bytes: int = 256 * 1024
    depth: int = 32
    nodes: int = 256
    rank: int = 8
    extent: int = EXTENT
    elements: int = 2**34
    name: int = 200
    bytes: int = field(default_factory=half_of_memory)
