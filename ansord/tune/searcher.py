"""The searching process as sessions see it: asks it, starts it again when it has died, holds it still.

One for all tasks of a daemon. What it holds of a task is told again to a new one: a session compares
`generation` with the one that it told.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import anyio
import msgpack

import ansord.build
import ansord_client
from ansord.build import Artifact, Child, ChildDied, Hold, leashed
from ansord.emit import Source
from ansord.measure import Candidate
from ansord.nest import Target
from ansord_client.errors import AnsordError
from ansord_client.subgraph import Subgraph

_PATHS = [
    str(Path(module.__file__ or "").parents[depth])
    for module, depth in ((ansord.build, 2), (ansord_client, 1))
]


class SearchFailed(AnsordError):
    """The searching process met a defect of its own; the text holds its traceback."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A program to try, by its text, and its C."""

    program: str
    source: Source

    def candidate(self, artifact: Artifact) -> Candidate:
        """What the runner is given once it is built."""
        source = self.source
        return Candidate(artifact.path, source.packed_bytes, source.scratch_bytes, source.relaxed)


class Searcher:
    """`async with Searcher() as searcher`; every call raises ChildDied where the process died meanwhile."""

    def __init__(self, memory: Path | None = None, *, held_out: bool = False) -> None:
        """`memory`: the file in which the process keeps what it has learned of this host. `held_out`: each
        task is searched without what the prior says of it, as an experiment wants."""
        self._memory = memory
        self._held_out = held_out
        self._started = 0
        self._child: Child | None = None
        self._starting = anyio.Lock()
        self._hold = Hold(self._tell)

    async def __aenter__(self) -> Self:
        await self._living()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._child is not None:
            with anyio.CancelScope(shield=True), suppress(ChildDied):
                if self._alive:
                    await self._ask({"op": "save"})
            await self._child.aclose()

    @property
    def generation(self) -> int:
        """The number of the process that answers, or will be started to answer, the next call."""
        return self._started if self._alive else self._started + 1

    @property
    def _alive(self) -> bool:
        return self._child is not None and self._child.usable

    async def ready(self) -> None:
        """Returns once the process can be asked. It is on its way since this was entered; meanwhile
        compilers and the stand may start, too."""
        await self._ask({"op": "ready"})

    async def open(self, key: str, subgraph: Subgraph, target: Target, seed: int, strategy: str) -> None:
        """Begins a task anew."""
        about = {
            "subgraph": subgraph.to_dict(), "target": asdict(target), "seed": seed, "strategy": strategy,
            "held_out": self._held_out,
        }  # fmt: skip
        await self._ask({"op": "open", "key": key, **about})

    async def think(
        self, key: str, told: Sequence[tuple[str, float]], flying: Sequence[str], count: int
    ) -> list[Proposal]:
        """Up to `count` programs beside those `flying`, after it has learned what was `told`."""
        order = {"op": "think", "key": key, "told": told, "flying": flying, "count": count}
        answer = await self._ask(order)
        return [Proposal(program, Source(**source)) for program, source in answer["programs"]]

    async def emit(self, key: str, program: str) -> Source | None:
        """The C of a program of an open task; None for what another generator wrote."""
        source = (await self._ask({"op": "emit", "key": key, "program": program}))["source"]
        return None if source is None else Source(**source)

    async def close(self, key: str) -> None:
        """The task's memory is let go of."""
        with suppress(ChildDied):
            await self._ask({"op": "close", "key": key})

    def paused(self) -> AbstractAsyncContextManager[None]:
        """Held still for the length of the block."""
        return self._hold.still()

    async def _tell(self, word: bytes) -> None:
        if self._child is not None and self._alive:
            with suppress(ChildDied):
                await self._child.request(word, channel=1)

    async def _ask(self, order: dict[str, Any]) -> dict[str, Any]:
        child = await self._living()
        answer: dict[str, Any] = msgpack.unpackb(await child.request(msgpack.packb(order)))
        if "bug" in answer:
            raise SearchFailed(f"the search failed: {answer['bug']}")
        return answer

    async def _living(self) -> Child:
        async with self._starting:
            if self._child is None or not self._alive:
                command = [sys.executable, "-m", "ansord.search.process"]
                command += [str(self._memory)] if self._memory is not None else []
                self._child = await Child.start(
                    leashed(command),
                    {"LC_ALL": "C", "PYTHONPATH": ":".join(_PATHS), "OMP_NUM_THREADS": "1"},
                    channels=2,
                )
                self._started += 1
                if self._hold.held:
                    await self._tell(b"stop")
            return self._child
