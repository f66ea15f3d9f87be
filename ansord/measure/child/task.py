"""One subgraph in a runner: its draws and answers, its guarded operands, and the check of a candidate.

Right means: equal to the reference on every draw, with the operands pushed against the upper guard in one run
and against the lower in the next, inputs and packed constants write-protected, outputs and scratch poisoned.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ansord_client.compare import between, judge

from . import answers
from .native import ALIGNMENT, Object, Region, Unloadable, aligned, ffi, libc, pointers

# What outputs and scratch hold before a run, in turn: NaN in every float type (-1 as an integer), and a
# large number, for a result that happens to be -1.
POISON = (0xFF, 0x7F)
# Operands beyond this share of the memory are not held twice: they are timed between their guards.
LARGE = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 8


WHOLE, FIRST, REST = slice(None), slice(1), slice(1, None)
"""All runs of a check; the one on normal inputs; all others."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a runner is told of a kernel. `relaxed`: its definition changes rounding (Winograd)."""

    path: str
    packed_bytes: int
    scratch_bytes: int
    relaxed: bool = False


class Kernel:
    """A loaded candidate and its buffers for being timed."""

    def __init__(self, candidate: Candidate) -> None:
        self.candidate = candidate
        self.object = Object(candidate.path)
        self.run = self.object.address("ansord_run")
        self.pack = self.object.address("ansord_pack") if candidate.packed_bytes else None
        self.kept: list[Any] = []


class Task:
    """What stays in a runner from one candidate to the next."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.subgraph = answers.subgraph(directory)
        self.draws = answers.load(directory)
        inputs = self.subgraph.inputs
        first = self.draws[0]
        self.inputs = [
            Region(array.nbytes, f"input {one.name}") for one, array in zip(inputs, first.inputs, strict=True)
        ]
        self.outputs = [
            Region(array.nbytes, f"output {name}")
            for name, array in zip(self.subgraph.outputs, first.ref32, strict=True)
        ]
        self.constants = [i for i, one in enumerate(inputs) if one.constant]
        self._bench: tuple[list[NDArray[Any]], list[NDArray[Any]]] | None = None

    def check(self, kernel: Kernel, harness: Any, part: slice = WHOLE) -> str:
        """Why `kernel` is wrong; empty if it is right. `part`: of the runs that say so."""
        candidate = kernel.candidate
        if self.bytes > LARGE:
            self._bench = None  # it is made of what the check is about to write
        packed = _buffer(candidate.packed_bytes, "the packed constants")
        scratch = _buffer(candidate.scratch_bytes, "the scratch memory")
        draws = self.draws[:1] if candidate.relaxed else self.draws
        if len(draws) == 1:
            draws = draws * 2
        for number, draw in list(enumerate(draws))[part]:
            wrong = self._run(kernel, harness, draw, number, packed, scratch)
            if wrong:
                return f"{wrong} ({draw.kind} inputs)"
        return ""

    def _run(
        self,
        kernel: Kernel,
        harness: Any,
        draw: answers.Draw,
        number: int,
        packed: Region | None,
        scratch: Region | None,
    ) -> str:
        upper = number % 2 == 0
        written = [*self.outputs, *([scratch] if scratch else []), *([packed] if packed else [])]
        regions = [*self.inputs, *written]
        for region in regions:
            region.place(upper)
        for region, array in zip(self.inputs, draw.inputs, strict=True):
            region.bytes[:] = array.reshape(-1).view(np.uint8)
            region.readonly(True)
        for region in written:
            region.bytes[:] = POISON[number % 2]
        table = ffi.new("struct region[]", len(regions))
        for row, region in enumerate(regions):
            region.describe(table[row])
        harness.ansord_watch(table, len(regions))

        packed_at = ffi.NULL
        if packed is not None:
            packed_at = ffi.cast("void *", packed.address)
            constants = pointers([self.inputs[i].address for i in self.constants])
            if status := kernel.object.lib.ansord_pack(constants, packed_at):
                return f"ansord_pack returned {status}"
            packed.readonly(True)
        scratch_at = ffi.cast("void *", scratch.address) if scratch is not None else ffi.NULL
        args = pointers([region.address for region in (*self.inputs, *self.outputs)])
        if status := kernel.object.lib.ansord_run(args, packed_at, scratch_at):
            return f"ansord_run returned {status}"
        libc.fflush(ffi.NULL)
        for region in written:
            if not region.intact():
                return f"it writes beside {region.name}"
        got = [
            region.bytes.view(array.dtype).reshape(array.shape)
            for region, array in zip(self.outputs, draw.ref32, strict=True)
        ]
        return self._judge(draw, got)

    def _judge(self, draw: answers.Draw, got: list[NDArray[Any]]) -> str:
        for name, array in zip(self.subgraph.outputs, got, strict=True):
            if array.dtype == np.bool_ and (array.view(np.uint8) > 1).any():
                return f"output {name}: found a byte that is neither 0 nor 1"
        if between(got, draw.low, draw.high):
            return ""
        verdict = judge(self.subgraph, got, draw.ref64, draw.ref32, draw.kind)
        return "" if verdict.ok else verdict.message

    def bench(self) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
        """(inputs, outputs) to time on: arrays as NumPy gives them to a client, with the normal draw."""
        draw = self.draws[0]
        if self._bench is None and self.bytes <= LARGE:
            self._bench = ([np.array(array) for array in draw.inputs], [np.zeros_like(a) for a in draw.ref32])
        if self._bench is None:
            inputs = [_view(one, like) for one, like in zip(self.inputs, draw.inputs, strict=True)]
            for array, like in zip(inputs, draw.inputs, strict=True):
                np.copyto(array, like)
            outputs = [_view(one, like) for one, like in zip(self.outputs, draw.ref32, strict=True)]
            self._bench = (inputs, outputs)
        return self._bench

    def still_right(self) -> str:
        """What is wrong with the last timed call's answer, or with the inputs after it: races show here."""
        wrong = self._late_error()
        if wrong:
            self._bench = None  # the next candidate gets clean arrays
        return wrong

    def _late_error(self) -> str:
        inputs, outputs = self.bench()
        for one, array, kept in zip(self.subgraph.inputs, inputs, self.draws[0].inputs, strict=True):
            if not np.array_equal(array.reshape(-1).view(np.uint8), kept.reshape(-1).view(np.uint8)):
                return f"it wrote to input {one.name} while it was timed"
        wrong = self._judge(self.draws[0], outputs)
        return f"{wrong} (after many calls)" if wrong else ""

    def operands(self, kernel: Kernel, sets: int) -> tuple[Any, Any, Any]:
        """(args, packed, scratch) for `ansord_time`: `sets` sets, the first on `bench`. They differ by their
        constants, which a model larger than the caches reads from memory while what flows between its layers
        stays near; without constants, by everything."""
        args, packed = [], []
        each = -(-kernel.candidate.packed_bytes // ALIGNMENT) * ALIGNMENT
        address, room = aligned(each * sets)  # one block, as a model has for all of its kernels
        kernel.kept.append(room)
        for number in range(sets):
            inputs, outputs = self.bench()
            if number and self.constants:
                inputs = [one.copy() if i in self.constants else one for i, one in enumerate(inputs)]
            elif number:
                inputs, outputs = [array.copy() for array in inputs], [array.copy() for array in outputs]
            kernel.kept += [inputs, outputs]
            args.append(pointers([array.ctypes.data for array in (*inputs, *outputs)]))
            packed.append(self._pack(kernel, inputs, address + number * each))
        scratch = ffi.NULL
        if kernel.candidate.scratch_bytes:
            address, owner = aligned(kernel.candidate.scratch_bytes)
            owner[:] = POISON[0]
            scratch = ffi.cast("void *", address)
            kernel.kept.append(owner)
        table = ffi.new("void *const *[]", args)
        packs = ffi.new("void *[]", packed)
        kernel.kept += [args, table, packs]
        return table, packs, scratch

    def _pack(self, kernel: Kernel, inputs: list[NDArray[Any]], address: int) -> Any:
        if kernel.pack is None:
            return ffi.NULL
        at = ffi.cast("void *", address)
        constants = pointers([inputs[i].ctypes.data for i in self.constants])
        if status := kernel.object.lib.ansord_pack(constants, at):
            raise Unloadable(f"ansord_pack returned {status}")
        return at

    def renewed(self, candidate: Candidate) -> int:
        """Bytes in which one set of operands differs from the others."""
        constants = sum(self.inputs[i].size for i in self.constants)
        return constants + candidate.packed_bytes if constants else self.bytes

    @property
    def bytes(self) -> int:
        """What one set of operands takes, packed constants aside."""
        return sum(region.size for region in (*self.inputs, *self.outputs))


def _view(region: Region, like: NDArray[Any]) -> NDArray[Any]:
    region.place(False)
    return region.bytes.view(like.dtype).reshape(like.shape)


def _buffer(size: int, name: str) -> Region | None:
    return Region(size, name, ALIGNMENT) if size else None
