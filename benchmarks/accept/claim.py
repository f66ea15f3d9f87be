"""A claim: steps whose values are kept as they come, and the verdict that follows from the values alone.

Every file of a claim makes two of them: the whole one for `make accept`, and a small draw for `make test`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

REPO = Path(__file__).resolve().parent.parent.parent
SEARCH = ("ansord/**/*.py", "ansord/**/*.[ch]", "ansord/search/*.msgpack", "client/ansord_client/*.py")
"""What decides the figures of a search: of the client not how it runs models."""
SOURCES = (*SEARCH, "client/ansord_client/**/*.py", "benchmarks/**/*.py")

Place = TypeVar("Place")
Values = Mapping[str, Any]
"""What the steps returned, by their names; plain JSON."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`figure`: what was found; `wanted`: what was promised. One line together."""

    figure: str
    wanted: str
    ok: bool


def sources(patterns: Sequence[str] = SOURCES) -> str:
    """A digest of everything that a figure depends on."""
    found = hashlib.sha256()
    for path in sorted(path for pattern in patterns for path in REPO.glob(pattern)):
        found.update(str(path.relative_to(REPO)).encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


@contextlib.contextmanager
def bare(folder: Path) -> Iterator[Path]:
    """For claims whose steps need a directory and nothing else."""
    yield folder


@dataclass(frozen=True)
class Claim(Generic[Place]):
    """`opened(folder)` is entered once per run that has steps left, and yields what they are given. A folder
    outlives an interrupted run; each step may find what the steps before it left there."""

    name: str
    steps: Mapping[str, Callable[[Place], Any]]
    verdict: Callable[[Values], Verdict]
    opened: Callable[[Path], AbstractContextManager[Place]]


class Notes:
    """The values of a claim's steps so far, on disk, whole at every moment.

    They are of one state of the sources, `digest`: figures of other sources are forgotten."""

    def __init__(self, path: Path, digest: str) -> None:
        self._path = path
        self._digest = digest
        self.values: dict[str, Any] = {}
        with contextlib.suppress(OSError, ValueError):
            found = json.loads(path.read_text())
            if found["sources"] == digest:
                self.values = found["steps"]

    def keep(self, step: str, value: Any) -> None:
        """`value` is read back, so that a verdict sees the same in this run and in a later one."""
        self.values[step] = json.loads(json.dumps(value))
        temporary = self._path.with_suffix(".tmp")
        temporary.write_text(json.dumps({"sources": self._digest, "steps": self.values}, indent=1))
        os.replace(temporary, self._path)


def judge(
    claim: Claim[Any], folder: Path, notes: Notes, tell: Callable[[str], None] = lambda line: None
) -> Verdict:
    """Does the steps that `notes` lack, in `folder`, which exists. Raises whatever a step raises."""
    left = [step for step in claim.steps if step not in notes.values]
    if left:
        with claim.opened(folder) as place:
            for step in left:
                notes.keep(step, claim.steps[step](place))
                count = f"{len(notes.values)}/{len(claim.steps)}"
                tell(f"{claim.name} {count}  {step}: {brief(notes.values[step])}")
    return claim.verdict(notes.values)


def brief(value: Any) -> str:
    """A step's value in part of a line."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else f"{text[:117]}..."
