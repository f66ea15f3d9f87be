"""How the calls of one kernel are done: natively, or by NumPy until there is a kernel.

Made by the kernel's family, one for each kernel and object; immutable but for what each thread remembers.
This is the path for arrays that are others than in the call before: 2 µs, so it checks cheaply and looks
nothing up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from struct import Struct
from typing import Any, NoReturn
from weakref import ref

import numpy as np

from ansord_client.arrays import Array, Slot, address_of, adopt, aligned, array_at, misfit
from ansord_client.entry import Entry
from ansord_client.errors import AnsordError, BadCall
from ansord_client.load import Native, ffi
from ansord_client.quick import quick_call
from ansord_client.reference import reference
from ansord_client.subgraph import Subgraph
from ansord_client.team import enter_parallel
from ansord_client.thread import Nothing, Thread, scratch_of

_BYTES, _POINTERS, _ADDRESSES = ffi.typeof("char[]"), ffi.typeof("void *[]"), ffi.typeof("uintptr_t *")
_from_buffer, _new, _cast, _unpack, _ndarray = ffi.from_buffer, ffi.new, ffi.cast, ffi.unpack, np.ndarray

Settled = tuple[Any, Any, Any, Any, Any]
"""C function, its three arguments, what keeps them alive."""


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """`size` bytes at `pointer`, a part of what `owner` keeps alive."""

    pointer: Any
    size: int
    owner: Any


class Plan:
    """`bound`: the constants that are fixed, by position. `thread.last` is what a call's fast path reads."""

    parallel = False

    def __init__(self, slots: Sequence[Slot], bound: Mapping[int, Array], info: Mapping[str, Any]) -> None:
        self.slots = slots
        self.inputs = [slot for slot in slots if not slot.output]
        self.outputs = [slot for slot in slots if slot.output]
        self.free = [slot for slot in self.inputs if slot.position not in bound]
        # Unpacked in each call: attributes of a slot would cost more than what is done with them.
        self.rows = [
            (slot.position, slot.shape, slot.dtype, slot.output, slot) for slot in (*self.free, *self.outputs)
        ]
        self.input_bytes = [slot.bytes for slot in self.inputs]
        self.mask = max(slot.dtype.itemsize for slot in slots) - 1
        self.info = info
        self.thread = Thread()
        # Not a bound method: a plan that refers to itself would keep its packed constants until some later
        # collection. Whoever calls `quick` holds the plan meanwhile.
        me = ref(self)
        self.quick: Callable[[Sequence[Any], Any], Any] = lambda given, out: me().call(given, out)  # type: ignore[union-attr]
        self.bound = bound  # the arrays behind `template`, kept alive
        self.template: list[Any] = [None] * len(slots)
        for position, array in bound.items():
            self.template[position] = _from_buffer(_BYTES, array)

    def call(self, given: Sequence[Any], out: Any) -> Any:
        """Check, run, remember. Raises BadCall, AfterFork, AnsordError."""
        if self.parallel:
            enter_parallel()
        if len(given) != len(self.free):
            self.miscounted(given)
        results = self.results(out)
        args, pointers = self.arguments(given, results, out is None)
        self.execute(args, pointers, given, out)
        if out is not None:
            return out
        return results[0] if len(results) == 1 else tuple(results)

    def arguments(self, given: Sequence[Any], results: Sequence[Any], fresh: bool) -> tuple[Any, list[Any]]:
        """Checked, for C: an array of pointers, and the pointers. Raises BadCall."""
        pointers = self.template.copy()
        # `strict` would cost a tenth of a microsecond; the lengths were compared.
        for value, (position, shape, dtype, writable, slot) in zip((*given, *results), self.rows):  # noqa: B905
            if type(value) is not _ndarray:
                value = adopt(value, slot)
            if value.shape != shape or (value.dtype is not dtype and value.dtype != dtype):
                raise BadCall(misfit(value, slot))
            try:
                # NumPy refuses what is not C-contiguous, and read-only memory where it is to be written.
                pointers[position] = _from_buffer(_BYTES, value, writable)
            except (ValueError, BufferError):
                raise BadCall(misfit(value, slot)) from None
        args = _new(_POINTERS, pointers)
        self.check(_unpack(_cast(_ADDRESSES, args), len(pointers)), fresh)
        return args, pointers

    def miscounted(self, given: Sequence[Any]) -> NoReturn:
        names = ", ".join(slot.name for slot in self.free) or "none"
        raise BadCall(f"found {len(given)} input arrays, wanted {len(self.free)}: {names}")

    def results(self, out: Any) -> Sequence[Any]:
        """The arrays to fill: fresh ones, or those of `out`."""
        if out is None:
            return [np.empty(slot.shape, slot.dtype) for slot in self.outputs]
        several: Sequence[Any] = out if isinstance(out, tuple | list) else (out,)
        if len(several) != len(self.outputs):
            names = ", ".join(slot.name for slot in self.outputs)
            raise BadCall(f"out: found {len(several)} arrays, wanted {len(self.outputs)}: {names}")
        return several

    def check(self, addresses: list[int], fresh: bool) -> None:
        """That elements are aligned, and that no output overlaps another argument (fresh ones cannot)."""
        bits = 0
        for address in addresses:
            bits |= address
        if bits & self.mask:
            for slot in self.slots:
                size = slot.dtype.itemsize
                if addresses[slot.position] % size:
                    raise BadCall(f"{slot}: found an unaligned address, wanted a multiple of {size} bytes")
        if fresh:
            return
        first = len(self.inputs)
        for number, output in enumerate(self.outputs, first):
            start = addresses[number]
            end = start + output.bytes
            for address, size in zip(addresses, self.input_bytes):  # noqa: B905 - the inputs come first
                if address < end and start < address + size:
                    raise BadCall(
                        f"{output}: its memory overlaps that of {self.slots[addresses.index(address)]}"
                    )
            for other in self.outputs[: number - first]:
                address = addresses[other.position]
                if address < end and start < address + other.bytes:
                    raise BadCall(f"{output}: its memory overlaps that of {other}")

    def execute(self, args: Any, pointers: list[Any], given: Sequence[Any], out: Any) -> None:
        """Fill the outputs."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class NativeCode:
    """One loaded object and its entry."""

    entry: Entry
    native: Native
    info: Mapping[str, Any]

    def plan(self, slots: Sequence[Slot], bound: Mapping[int, Array], place: Place | None = None) -> Plan:
        return NativePlan(slots, bound, self, place)


class NativePlan(Plan):
    """Calls of a loaded object; constants are packed here where all of them are bound, else in each call.
    `place`: the memory for them, if it is large enough."""

    def __init__(
        self, slots: Sequence[Slot], bound: Mapping[int, Array], code: NativeCode, place: Place | None = None
    ) -> None:
        super().__init__(slots, bound, code.info)
        self.entry = code.entry
        self.native = code.native
        self.run = code.native.run
        self.parallel = code.entry.parallel
        self.scratch_bytes = code.entry.scratch_bytes
        self.constants = [slot for slot in self.inputs if slot.constant]
        whole = all(slot.position in bound for slot in self.constants)
        self.packs = code.entry.packed_bytes > 0 and not whole
        self.packed, self.keeper = ffi.NULL, None
        if code.entry.packed_bytes and whole:
            self.packed, self.keeper = self.pack(self.template, place)
        if len(self.outputs) == 1 and not self.packs:
            free = tuple(slot.position for slot in self.free)
            last = len(self.inputs)
            self.quick = quick_call(free, last, self.parallel, self.scratch_bytes > 0, self.names())

    def names(self) -> dict[str, Any]:
        """What the text of the quick call reads."""
        found = {
            "SLOW": self.quick,
            "THREAD": self.thread,
            "RUN": self.run,
            "PACKED": self.packed,
            "SCRATCH": partial(scratch_of, self.entry, self.thread),
            "ENTER": enter_parallel,
            "FAILED": failed,
            "EMPTY": np.empty,
            "NDARRAY": _ndarray,
            "REF": ref,
            "NOTHING": Nothing,
            "MASK": self.mask,
            "FROM_BUFFER": _from_buffer,
            "BYTES": _BYTES,
            "NEW": _new,
            "NULL": ffi.NULL,
            "BUFFER": ffi.buffer,
            "ARGS": ffi.typeof(f"void *[{len(self.slots)}]"),
            "UNPACK": Struct(
                "".join("8x" if slot.position in self.bound else "Q" for slot in self.slots)
            ).unpack,
            "SIZE": self.outputs[0].bytes,
        }
        for slot in self.slots:
            found |= {f"SHAPE_{slot.position}": slot.shape, f"DTYPE_{slot.position}": slot.dtype}
            found[f"SIZE_{slot.position}"] = slot.bytes
        for position in self.bound:
            start = address_of(self.template[position])
            found[f"POINTER_{position}"] = self.template[position]
            found |= {f"START_{position}": start, f"END_{position}": start + self.slots[position].bytes}
        return found

    def execute(self, args: Any, pointers: list[Any], given: Sequence[Any], out: Any) -> None:
        packed, keeper = self.pack(pointers) if self.packs else (self.packed, None)
        scratch, owner = scratch_of(self.entry, self.thread) if self.scratch_bytes else (ffi.NULL, None)
        status = self.run(args, packed, scratch)
        del keeper  # only now
        if status:
            raise failed(status)
        if type(out) is not _ndarray or self.packs:
            return
        # Not for arrays of other libraries, whose memory can be exchanged under them.
        references: list[Any] = []
        for array in given:
            if type(array) is not _ndarray:
                return
            references.append(ref(array))
        one, two = [*references, Nothing, Nothing][:2]
        others = tuple(references[2:])
        self.thread.last = (one, two, others, ref(out), self.run, args, packed, scratch, owner)

    def settled(self, given: Sequence[Array], out: Array) -> Settled | None:
        """The native call of arrays that stay, None where it needs more than that. Raises BadCall, AfterFork.

        Whoever keeps it makes it anew after a fork and when the kernel was replaced."""
        if self.packs or len(given) != len(self.free) or len(self.outputs) != 1:
            return None
        if self.parallel:
            enter_parallel()
        args, _ = self.arguments(given, (out,), False)
        scratch, owner = scratch_of(self.entry, self.thread) if self.scratch_bytes else (ffi.NULL, None)
        return self.run, args, self.packed, scratch, (self, owner)

    def pack(self, pointers: list[Any], place: Place | None = None) -> tuple[Any, Any]:
        """The constants in the kernel's own layout: (pointer, what keeps it alive)."""
        if self.parallel:
            enter_parallel()
        size, alignment = self.entry.packed_bytes, self.entry.packed_align
        fits = place is not None and place.size >= size and address_of(place.pointer) % alignment == 0
        packed, keeper = (place.pointer, place.owner) if place and fits else aligned(size, alignment)
        given = _new(_POINTERS, [pointers[slot.position] for slot in self.constants])
        status = self.native.pack(given, packed)
        if status:
            raise failed(status)
        return packed, keeper


@dataclass(frozen=True, slots=True)
class ReferenceCode:
    """NumPy's answer; what a kernel is made of until a tuned one appears."""

    sg: Subgraph
    info: Mapping[str, Any]

    def plan(self, slots: Sequence[Slot], bound: Mapping[int, Array], place: Place | None = None) -> Plan:
        return ReferencePlan(slots, bound, self)


class ReferencePlan(Plan):
    """The same checks and the same memory as a native call."""

    def __init__(self, slots: Sequence[Slot], bound: Mapping[int, Array], code: ReferenceCode) -> None:
        super().__init__(slots, bound, code.info)
        self.sg = code.sg

    def execute(self, args: Any, pointers: list[Any], given: Sequence[Any], out: Any) -> None:
        arrays = [array_at(pointers[slot.position], slot) for slot in self.slots]
        answer = reference(self.sg, *arrays[: len(self.inputs)])
        answers = answer if isinstance(answer, tuple) else (answer,)
        for target, value in zip(arrays[len(self.inputs) :], answers, strict=True):
            np.copyto(target, value)


def failed(status: int) -> AnsordError:
    return AnsordError(f"the kernel's native code failed with status {status}")
