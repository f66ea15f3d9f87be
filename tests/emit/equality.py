"""Whether programs compute what the reference says: emitted, compiled as always, run between guards.

Kernels run in a child, so that a crash is a message too. Called by the tests of emit and by
`benchmarks/accept/equality.py`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from shutil import rmtree
from types import TracebackType

import numpy as np

from ansord.build import Compiler, find_compiler
from ansord.build.compiler import needs_math
from ansord.dag import expand
from ansord.emit import Source, emit
from ansord.nest import Program, Space, Target, target_of
from ansord.sketch import annotate, derive
from ansord_client.host import host
from ansord_client.subgraph import Subgraph

ROOT = Path(__file__).resolve().parents[2]
HERE = target_of(host().isa, 1, (64, 64, 64))
TARGETS = (
    Target(HERE.vector_bytes, HERE.registers, 2, l2=64, l3=64),
    Target(HERE.vector_bytes, HERE.registers, 1),
    Target(32, 16, 2, l2=64, l3=64),
    Target(16, 16, 1, l2=64, l3=64),
)
"""This machine's registers and smaller ones, serial and parallel; wider ones would take minutes to compile.
Caches are tiny: what is done for large tensors must be right for small ones."""


def space_of(graph: Subgraph, target: Target) -> Space:
    """All programs of a subgraph."""
    dag = expand(graph)
    return Space(dag, derive(dag, target).sketches, target)


def programs(space: Space, each: int, seed: int) -> list[Program]:
    """Up to `each` random legal programs of every sketch."""
    rows = annotate(space, 4 * each * len(space.sketches), np.random.default_rng(seed))
    chosen = [rows[rows[:, 0] == sketch][:each] for sketch in range(len(space.sketches))]
    return [space.program(row) for rows in chosen for row in rows]


@dataclass(frozen=True)
class Fault:
    """A program that is wrong, and why; prints everything that is needed to see it again."""

    graph: Subgraph
    program: Program
    message: str

    def __str__(self) -> str:
        return f"{self.message}\n{self.program}\n{self.program.target}\n{json.dumps(self.graph.to_dict())}"


class Checker:
    """A compiler, a child that runs what it makes, and a directory for both."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.compiler: Compiler = find_compiler()
        self.numbers = count()
        self.child: subprocess.Popen[str] | None = None

    def __enter__(self) -> Checker:
        self.pool = ThreadPoolExecutor(2)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.pool.shutdown()
        self._stop()

    def faults(self, graph: Subgraph, found: Sequence[Program], seed: int) -> list[Fault]:
        """The programs of `graph` that are wrong on draws with this seed."""
        sources = [emit(program) for program in found]
        built = list(self.pool.map(self._build, sources))
        loaded = [
            (path, source.packed_bytes, source.scratch_bytes, program.sketch.relaxed)
            for (path, _), source, program in zip(built, sources, found, strict=True)
            if path
        ]
        messages = iter(self._run(graph, seed, loaded))
        said = [error or next(messages) for _, error in built]
        for path, *_ in loaded:
            Path(path).unlink()
        return [Fault(graph, p, message) for p, message in zip(found, said, strict=True) if message]

    def _build(self, source: Source) -> tuple[str, str]:
        """(path, what the compiler says against it)"""
        stem = self.directory / f"kernel{next(self.numbers)}"
        text, path = stem.with_suffix(".c"), str(stem.with_suffix(".so"))
        text.write_text(source.text)
        said = ""
        for careful in (False, True):
            command = self.compiler.command(
                str(text), path, final=False, math=careful or needs_math(source.text), careful=careful
            )
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode == 0:
                text.unlink()
                return path, ""
            said = said or done.stderr
        return "", f"{text} does not compile: {said[:2000]}"

    def _run(self, graph: Subgraph, seed: int, candidates: Sequence[tuple[str, int, int, bool]]) -> list[str]:
        said: list[str] = []
        answers = self.directory / f"answers{next(self.numbers)}"
        while len(said) < len(candidates):
            rest = candidates[len(said) :]
            order = {"subgraph": None if answers.exists() else graph.to_dict(), "seed": seed}
            child = self._started()
            assert child.stdin is not None and child.stdout is not None
            child.stdin.write(json.dumps({**order, "directory": str(answers), "candidates": rest}) + "\n")
            child.stdin.flush()
            for _ in rest:
                line = child.stdout.readline()
                if not line:
                    said.append(f"the kernel ends its process: {child.wait()}")
                    self._stop()
                    break
                said.append(json.loads(line))
        rmtree(answers, ignore_errors=True)
        return said

    def _started(self) -> subprocess.Popen[str]:
        if self.child is None:
            self.child = subprocess.Popen(
                [sys.executable, "-m", "tests.emit.runner"],
                cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
        return self.child

    def _stop(self) -> None:
        if self.child is not None:
            child, self.child = self.child, None
            child.kill()
            child.communicate()
