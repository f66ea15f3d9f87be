"""Draws of a subgraph's inputs, and what the reference says to them: computed once, mapped by every runner.

As a role of `boot`, this is the process that computes them; as a module, it is how runners read them. One
.npy file for each array, so that the pages are shared by all who look.
"""

from __future__ import annotations

import json
import os
import socket
import traceback
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ansord_client.compare import KINDS, answers, bounds, inputs
from ansord_client.subgraph import Subgraph

from .frames import Gone, receive, send

Array = NDArray[Any]
_SUBGRAPH = "subgraph.json"
LARGE, TOO_LARGE = 10**9, 10**12
"""Flops between which processes share the draws; above, several might not fit into memory."""


@dataclass(frozen=True, slots=True)
class Draw:
    """One set of inputs and its answers, in the order of the subgraph's inputs and outputs.

    `kind`: "normal", "integer" (every intermediate is exact: answers are equal to the bit) or "special" (NaN
    and infinities).
    """

    kind: str
    inputs: tuple[Array, ...]
    ref64: tuple[Array, ...]
    ref32: tuple[Array, ...]
    low: tuple[Array, ...]
    high: tuple[Array, ...]


def subgraph(folder: Path) -> Subgraph:
    """The subgraph whose answers are in `folder`."""
    return Subgraph.from_json((folder / _SUBGRAPH).read_bytes())


def load(folder: Path) -> list[Draw]:
    """The draws in `folder`, mapped read-only, the normal one first."""
    found = []
    for kind, counts in json.loads((folder / "draws.json").read_text()):
        parts = [_read(folder, f"{kind}-{part}", counts[part]) for part in PARTS]
        found.append(Draw(kind, *parts))
    return found


PARTS = ("inputs", "ref64", "ref32", "low", "high")


def _read(folder: Path, prefix: str, count: int) -> tuple[Array, ...]:
    found = []
    for number in range(count):
        array = np.load(folder / f"{prefix}-{number}.npy", mmap_mode="r", allow_pickle=False)
        found.append(np.asarray(array))
    return tuple(found)


def write(folder: Path, subgraph: Subgraph, seed: int) -> None:
    """Draw the inputs, evaluate the reference in double and in the declared types, and keep all of it.

    A large task takes seconds: forked processes share its draws. Raises OSError where one dies.
    """
    aside = KINDS[1:] if LARGE < subgraph.flops < TOO_LARGE else ()
    helpers = [_forked(folder, subgraph, seed, kind) for kind in aside]
    for kind in KINDS:
        if kind not in aside:
            _write_draw(folder, subgraph, seed, kind)
    if any([os.waitpid(helper, 0)[1] for helper in helpers]):
        raise OSError("a process that computes a draw died")
    found = [(kind, folder / f"{kind}.json") for kind in KINDS]
    index = [(kind, json.loads(path.read_text())) for kind, path in found if path.exists()]
    (folder / _SUBGRAPH).write_text(json.dumps(subgraph.to_dict()))
    (folder / "draws.json").write_text(json.dumps(index))


def _forked(folder: Path, subgraph: Subgraph, seed: int, kind: str) -> int:
    """The process that does one draw; it ends by itself."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            _write_draw(folder, subgraph, seed, kind)
            status = 0
        finally:
            os._exit(status)
    return pid


def _write_draw(folder: Path, subgraph: Subgraph, seed: int, kind: str) -> None:
    """One draw, if the subgraph admits its kind; how many arrays there are goes into a file beside them."""
    drawn = inputs(subgraph, seed, kind)
    if drawn is None:
        return
    ref64, ref32 = answers(subgraph, drawn, kind)
    low, high = bounds(subgraph, ref64, ref32, kind)
    counts = {}
    for part, arrays in zip(PARTS, (drawn, ref64, ref32, low, high), strict=True):
        counts[part] = len(arrays)
        for number, array in enumerate(arrays):
            np.save(folder / f"{kind}-{part}-{number}.npy", array, allow_pickle=False)
    (folder / f"{kind}.json").write_text(json.dumps(counts))


def main(fd: int) -> None:
    """Answer orders {"subgraph", "directory", "seed"} until the socket closes."""
    warnings.simplefilter("ignore")
    os.set_inheritable(fd, False)
    sock = socket.socket(fileno=fd)
    while True:
        try:
            order = receive(sock)
        except Gone:
            return
        try:
            write(Path(order["directory"]), Subgraph.from_dict(order["subgraph"]), order["seed"])
            answer: dict[str, Any] = {}
        except Exception:
            answer = {"bug": traceback.format_exc()}
        try:
            send(sock, answer)
        except Gone:
            return
