"""The pool of compilers: C text in, a shared object or the compiler's words out. `tune` and `measure` use it.

Several builds run side by side, each in a worker process of its own; `paused` holds them all still while
somebody measures. It never loads what it builds.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import sys
import tempfile
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import anyio
import anyio.to_thread

from ansord.build.child import Child, ChildDied
from ansord.build.compiler import Compiler, environment, needs_math
from ansord.build.hold import Hold
from ansord.record import BuildFailed

LIMIT_S = 30.0
_WORKER = Path(__file__).with_name("worker.py")
_MESSAGE = 1200


@dataclass(frozen=True, slots=True)
class Artifact:
    """A shared object. `digest`: sha256 of its bytes, hex. The file goes when the builder's folder goes."""

    path: Path
    digest: str

    def read(self) -> bytes:
        """The object's bytes, to publish."""
        return self.path.read_bytes()

    def discard(self) -> None:
        """Remove the file; a search makes thousands."""
        self.path.unlink(missing_ok=True)


class _Seat:
    """One place in the pool: a worker process, started again when it has died."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.child: Child | None = None

    async def take(self) -> Child:
        if self.child is None or not self.child.usable:
            scratch = tempfile.mkdtemp(prefix="cc-", dir=self.directory)
            argv = [sys.executable, "-I", "-S", str(_WORKER), scratch]
            self.child = await Child.start(argv, {"LC_ALL": "C"}, channels=2)
            self.scratch = scratch
        return self.child

    async def leave(self) -> None:
        if self.child is not None:
            await self.child.aclose()


class Builder:
    """`async with Builder(compiler, workers=2, directory=d) as builder: await builder.build(text)`.

    Makes a folder of its own in `directory` (which must exist and allow execution) and removes it at the end.
    """

    def __init__(
        self, compiler: Compiler, workers: int = 2, directory: Path | None = None, limit_s: float = LIMIT_S
    ) -> None:
        self.compiler = compiler
        self.limit_s = limit_s
        self._parent = directory
        self.workers = workers
        """How many builds run side by side."""
        self._free = anyio.Semaphore(workers)
        self._seats: list[_Seat] = []
        self._all: list[_Seat] = []
        self._names = itertools.count()
        self._hold = Hold(self._tell)

    async def __aenter__(self) -> Self:
        if self._parent is not None:
            await anyio.to_thread.run_sync(sweep, self._parent)
        self.directory = Path(tempfile.mkdtemp(prefix=f"build-{os.getpid()}-", dir=self._parent))
        self._all = [_Seat(self.directory) for _ in range(self.workers)]
        self._seats = list(self._all)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with anyio.CancelScope(shield=True):
            async with anyio.create_task_group() as group:
                for seat in self._all:
                    group.start_soon(seat.leave)
        shutil.rmtree(self.directory, ignore_errors=True)

    async def build(self, text: str, final: bool = False) -> Artifact | BuildFailed:
        """The object made of `text`; `final` spends more on it. Cancelled, it kills the compiler first."""
        math = needs_math(text)
        answer = await self._compile(text, final=final, math=math, careful=False)
        if answer["status"] == 1 and "undefined reference" in answer["said"]:
            answer = await self._compile(text, final=final, math=True, careful=True)
        if answer["status"] == 0:
            return Artifact(Path(answer["path"]), answer["digest"])
        return BuildFailed(explain(answer["status"], answer["said"], self.limit_s))

    async def _compile(self, text: str, *, final: bool, math: bool, careful: bool) -> dict[str, Any]:
        command = self.compiler.command("kernel.c", "kernel.so", final=final, math=math, careful=careful)
        async with self._free:
            seat = self._seats.pop()
            try:
                child = await seat.take()
                path = self.directory / f"k{next(self._names)}.so"
                order = {
                    "argv": command,
                    "env": environment(self.compiler, seat.scratch),
                    "source": "kernel.c",
                    "output": "kernel.so",
                    "final": str(path),
                    "limit_s": self.limit_s,
                }
                answer = await child.request(json.dumps(order).encode() + b"\0" + text.encode())
            except ChildDied as error:
                return {"status": "absent", "said": str(error)}
            finally:
                self._seats.append(seat)
        return {**json.loads(answer), "path": path}

    def paused(self) -> AbstractAsyncContextManager[None]:
        """Hold every compiler still (SIGSTOP) for the length of the block; their deadlines wait too."""
        return self._hold.still()

    async def _tell(self, word: bytes) -> None:
        async with anyio.create_task_group() as group:
            for seat in self._all:
                if seat.child is not None and seat.child.usable:
                    group.start_soon(self._tell_one, seat.child, word)

    @staticmethod
    async def _tell_one(child: Child, word: bytes) -> None:
        with suppress(ChildDied):
            await child.request(word, channel=1)


def explain(status: int | str, said: str, limit_s: float) -> str:
    """One paragraph of at most _MESSAGE characters: why the compiler made nothing. Its errors first."""
    if status == "late":
        return f"the compiler took longer than {limit_s:g} s"
    lines = ["".join(c if c.isprintable() else " " for c in line).rstrip() for line in said.splitlines()]
    telling = [line for line in lines if "error:" in line or "undefined reference" in line]
    text = "\n".join((telling or [line for line in lines if line])[:4])[:_MESSAGE]
    if isinstance(status, int) and status < 0:
        return f"the compiler was killed by signal {-status}" + (f": {text}" if text else "")
    return text or f"the compiler ended with status {status} and no word"


def sweep(directory: Path) -> None:
    """Remove the folders that builders of dead processes left in `directory`."""
    for left in directory.glob("build-*-*"):
        owner = left.name.split("-")[1]
        if owner.isdecimal() and not Path("/proc", owner).exists():
            shutil.rmtree(left, ignore_errors=True)
