"""What a host that has measured nothing knows: tasks that others have searched.

A file for each width of registers, shipped; `benchmarks.search prior` writes them anew. They are what any
host keeps of its own tasks, with fewer programs of each.
"""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files

from ansord.search.known import Known, unpacked

WIDTHS = (64, 32)


def name(vector_bytes: int) -> str:
    """The file of hosts with registers of so many bytes."""
    return f"prior_{vector_bytes}.msgpack"


def shipped(vector_bytes: int) -> dict[str, Known]:
    """The prior for a host, by the tasks' keys. Where there is none of its registers, that of others teaches
    the model, but their best programs are no use."""
    own = _read(vector_bytes)
    if own:
        return own
    others = (_read(width) for width in WIDTHS)
    return {key: replace(known, best=()) for other in others for key, known in other.items()}


def _read(vector_bytes: int) -> dict[str, Known]:
    file = files("ansord.search") / name(vector_bytes)
    return unpacked(file.read_bytes()) if file.is_file() else {}
