"""The test stand: the processes that candidates run in, the lock of the host, the compilers held still.

`tune` opens one for all its tasks and takes a `runner` for each. Nothing is loaded into this process; a
kernel can take down a runner, never the stand.
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import anyio
import msgpack

import ansord_client
from ansord.build import Artifact, Builder, Child, ChildDied, leashed
from ansord.measure.answers import Answers, MeasureFailed
from ansord.measure.lock import MeasureLock
from ansord.measure.runner import Runner
from ansord.record import Crashed, TimedOut
from ansord_client.host import host
from ansord_client.subgraph import Subgraph

USES = 64  # of one runner: what a kernel leaks or corrupts does not travel far
LONGEST_PATIENCE_S, SHORTEST_PATIENCE_S, LONG_WAIT_S = 10.0, 0.15, 1.0
_HERE = Path(__file__).parent
_BOOT = _HERE / "child" / "boot.py"
_CLIENT = str(Path(ansord_client.__file__).parent.parent)
_SAYS = {
    "fork": "it started another process",
    "protocol": "it wrote into the measuring channel",
    "SIGXFSZ": "it wrote to a file",
    "SIGKILL": "it was killed from outside, perhaps for its memory",
}


class Stand:
    """`async with Stand(builder, directory) as stand: async with stand.runner(subgraph) as runner: ...`

    `directory` keeps reference answers and must exist; `still`: context managers, entered while time is
    taken, that hold others still (without them, the builder's compilers). Runners of one stand take turns.
    """

    def __init__(
        self,
        builder: Builder,
        directory: Path,
        *,
        threads: int | None = None,
        still: Sequence[Callable[[], AbstractAsyncContextManager[None]]] | None = None,
        lock: Path | None = None,
        seed: int = 0,
    ) -> None:
        self.builder = builder
        self.threads = threads or host().threads
        self.answers = Answers(directory, start, seed)
        self.turn = anyio.Lock()
        self.patience_s = LONGEST_PATIENCE_S
        self.pulse = 0.0  # the most multiply-adds a second that any runner has seen here
        self.cache_bytes = host().last_cache
        self._still = (builder.paused,) if still is None else tuple(still)
        self._lock = MeasureLock(lock)
        self._keeper: Child | None = None
        self._uses = 0
        self._harness: Path | None = None

    async def __aenter__(self) -> Self:
        self._lock.open()
        self._harness = await self.built("harness.c")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._keeper is not None:
            await self._keeper.aclose()
        self._lock.close()

    def runner(self, subgraph: Subgraph) -> Runner:
        """What checks and times kernels of `subgraph`; an async context manager."""
        return Runner(subgraph, self)

    async def built(self, name: str) -> Path:
        """A C file of this folder as an object. Raises MeasureFailed."""
        text = await anyio.Path(_HERE / name).read_text()
        made = await self.builder.build(text, final=True)
        if not isinstance(made, Artifact):
            raise MeasureFailed(f"{name} does not build: {made.message}; hint: `ansord doctor`")
        return made.path

    @asynccontextmanager
    async def quiet(self) -> AsyncIterator[None]:
        """Alone on this host, as far as ansord decides: the lock is held, everybody else stands still."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._lock)
            for hold in self._still:
                await stack.enter_async_context(hold())
            yield

    async def order(self, order: dict[str, Any], limit_s: float) -> dict[str, Any] | Crashed | TimedOut:
        """Have the runner do `order` within `limit_s`. Raises MeasureFailed for a defect of the stand."""
        fresh = False
        if order["op"] == "check":
            self._uses += 1
            fresh = self._uses > USES
        if fresh:
            self._uses = 1
        try:
            if self._keeper is None or not self._keeper.usable:
                self._keeper = await start("keeper")
                self._uses = 1
            return await self.ask(self._keeper, {**order, "fresh": fresh}, limit_s)
        except ChildDied as error:
            return Crashed("SIGKILL", f"the measuring processes are gone: {error}")

    async def ask(
        self, keeper: Child, order: dict[str, Any], limit_s: float
    ) -> dict[str, Any] | Crashed | TimedOut:
        """One order to one keeper. Raises ChildDied, MeasureFailed."""
        about: dict[str, Any] = {"limit_s": limit_s, "harness": str(self._harness), "threads": self.threads}
        about["pulse"] = self.pulse
        fate = msgpack.unpackb(await keeper.request(msgpack.packb({**order, **about})))
        said = fate["said"]
        if fate["end"] == "late":
            return TimedOut(limit_s, "time" if order["op"] == "burst" else order["op"])
        if fate["end"] == "died":
            how = fate["how"]
            if how.startswith("exit "):
                text = f"it ended its process with status {how[5:]}"
            else:
                text = _SAYS.get(how, "")
            return Crashed(how, ": ".join(filter(None, [text, clean(said)])))
        answer: dict[str, Any] = fate["answer"]
        self.pulse = max(self.pulse, answer.get("pulse", 0.0))
        if "bug" in answer:
            raise MeasureFailed(f"the runner failed: {answer['bug']}")
        if said and not answer.get("wrong"):
            answer["wrong"] = f"it prints: {clean(said)!r}"
        return answer

    async def fresh(self) -> Child:
        """A keeper of its own, for one measurement across processes."""
        return await start("keeper")

    def settle_patience(self, waited_s: float, noisy: bool) -> None:
        """Waiting out noise is worth it once, not for every candidate while the machine stays busy."""
        if noisy:
            self.pulse *= 0.95  # should the machine have become slower for good, it is its pulse one day
        if noisy or waited_s > LONG_WAIT_S:
            self.patience_s = max(SHORTEST_PATIENCE_S, self.patience_s / 4)
        elif waited_s < LONG_WAIT_S / 4:
            self.patience_s = min(LONGEST_PATIENCE_S, self.patience_s * 2)


async def start(role: str) -> Child:
    """A fresh measuring child, with an address space of its own; `role`: a module of the folder `child`."""
    argv = [sys.executable, "-I", str(_BOOT), role, _CLIENT]
    # No OMP_ variable: a kernel is timed as a client without any will run it. One BLAS thread, since a
    # process that forks must have no other.
    env = {"LC_ALL": "C", "PATH": "/usr/bin:/bin", "OPENBLAS_NUM_THREADS": "1"}
    if "LD_LIBRARY_PATH" in os.environ:
        env["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
    if role == "answers":  # seconds of work, and nobody to watch for the daemon's end
        return await Child.start(leashed(argv), env, channels=2)
    return await Child.start(argv, env)


def clean(said: str) -> str:
    """The last words of a child, printable, at most three different lines."""
    lines = ["".join(c if c.isprintable() else " " for c in line).strip() for line in said.splitlines()]
    return "; ".join(list(dict.fromkeys(filter(None, lines)))[-3:])[:500]
