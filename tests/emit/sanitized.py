"""As `equality`, under the address and undefined-behaviour sanitizers: a C main of its own for each program.

Finds what guard pages cannot: reads between operands, arithmetic that C does not define.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from shutil import rmtree

import numpy as np

from ansord.build import find_compiler
from ansord.emit import Source, emit
from ansord.nest import Program
from ansord_client import compare
from ansord_client.reference import Array
from ansord_client.subgraph import Subgraph
from tests.emit.equality import Fault

MAIN = Path(__file__).with_name("sanitized.c")
FLAGS = (
    "-std=gnu11", "-O1", "-w", "-march=native", "-fopenmp", "-ffp-contract=fast", "-fno-math-errno",
    "-fsanitize=address,undefined,float-cast-overflow", "-fno-sanitize-recover=all",
)  # fmt: skip


class Sanitized:
    """A directory in which programs are compiled with their main, and run."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.compiler = find_compiler().path
        self.numbers = count()
        self.main = str(directory / "main.o")
        subprocess.run([self.compiler, *FLAGS, "-c", "-o", self.main, str(MAIN)], check=True)

    def faults(self, graph: Subgraph, programs: Sequence[Program], seed: int) -> list[Fault]:
        """The programs of `graph` that a sanitizer or the reference finds wrong, on the normal draw."""
        arrays = compare.inputs(graph, seed, "normal")
        assert arrays is not None
        answers = compare.answers(graph, arrays)
        with ThreadPoolExecutor(2) as pool:
            said = list(pool.map(lambda program: self._run(graph, emit(program), arrays, answers), programs))
        return [Fault(graph, program, one) for program, one in zip(programs, said, strict=True) if one]

    def _run(
        self,
        graph: Subgraph,
        source: Source,
        arrays: Sequence[Array],
        answers: tuple[Sequence[Array], Sequence[Array]],
    ) -> str:
        folder = self.directory / f"program{next(self.numbers)}"
        folder.mkdir()
        (folder / "kernel.c").write_text(source.text)
        command = [
            self.compiler,
            *FLAGS,
            "-o",
            str(folder / "it"),
            str(folder / "kernel.c"),
            self.main,
            "-lm",
        ]
        built = subprocess.run(command, capture_output=True, text=True, check=False)
        if built.returncode:
            return f"does not compile: {built.stderr[:2000]}"
        job = [f"{len(arrays)} {len(graph.outputs)} {source.packed_bytes} {source.scratch_bytes}"]
        for number, (one, array) in enumerate(zip(graph.inputs, arrays, strict=True)):
            (folder / f"in{number}").write_bytes(np.ascontiguousarray(array).tobytes())
            job.append(f"{array.nbytes} {array.itemsize} {int(one.constant)}")
        job += [f"{array.nbytes} {array.itemsize} 0" for array in answers[0]]
        (folder / "job").write_text("\n".join(job))
        ran = subprocess.run(
            [str(folder / "it"), str(folder)], capture_output=True, text=True, check=False, errors="replace",
            env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"},
        )  # fmt: skip
        if ran.returncode:
            return f"ended with {ran.returncode}: {ran.stderr[:3000]}"
        got = [
            np.fromfile(folder / f"out{number}", array.dtype).reshape(array.shape)
            for number, array in enumerate(answers[0])
        ]
        verdict = compare.judge(graph, got, *answers)
        rmtree(folder)
        return "" if verdict.ok else verdict.message
