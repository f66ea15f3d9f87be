"""One argument of a kernel: what array belongs there, and how an array becomes a pointer.

Called by kernels, in the path that is taken whenever the arrays are others than in the call before; so the
checks are cheap ones, and only a failed one pays for finding out what exactly is wrong. It never copies an
array of rank 1 or more.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ansord_client.errors import BadCall
from ansord_client.load import ffi
from ansord_client.subgraph import Subgraph

Array = NDArray[Any]
_from_buffer = ffi.from_buffer
_BYTES = ffi.typeof("char[]")


@dataclass(frozen=True, slots=True, eq=False)
class Slot:
    """`position`: among the kernel's arguments, inputs first. `bytes`: of a whole array."""

    name: str
    position: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    bytes: int
    constant: bool
    output: bool

    def __str__(self) -> str:
        return f"{'output' if self.output else 'input'} {self.name}"


def slots(sg: Subgraph) -> tuple[Slot, ...]:
    """The inputs in call order, then the outputs."""
    found: list[Slot] = []
    for name in (*(one.name for one in sg.inputs), *sg.outputs):
        tensor = sg.tensor(name)
        shape, dtype, place = tuple(tensor.shape), np.dtype(tensor.dtype), len(found)
        constant = bool(getattr(tensor, "constant", False))
        size = prod(shape) * dtype.itemsize
        found.append(Slot(name, place, shape, dtype, size, constant, place >= len(sg.inputs)))
    return tuple(found)


def adopt(value: Any, slot: Slot) -> Array:
    """A NumPy array over the memory of `value`: a subclass of ndarray, or anything that speaks DLPack."""
    if isinstance(value, np.ndarray):
        return np.asarray(value)
    if isinstance(value, np.generic) and not slot.output:
        return np.asarray(value)  # what NumPy makes of an array of rank 0; its few bytes are copied
    if not hasattr(value, "__dlpack__"):
        raise BadCall(f"{slot}: found {type(value).__name__}, wanted a NumPy array or one that speaks DLPack")
    try:
        return np.from_dlpack(value)
    except Exception as error:  # each library raises its own kinds: another device, a gradient, a type
        raise BadCall(f"{slot}: {type(value).__name__} cannot be read through DLPack: {error}") from error


def misfit(array: Array, slot: Slot) -> str:
    """What is wrong with the array, and the fix; "" where it fits."""
    fix = ""
    if array.shape != slot.shape:
        found, wanted = f"shape {array.shape}", str(slot.shape)
    elif array.dtype != slot.dtype:
        found, wanted = f"dtype {array.dtype}", str(slot.dtype)
        fix = f"pass {slot.name}.astype({wanted!r})"
    elif not array.flags.c_contiguous:
        found, wanted = f"strides {array.strides}", "C-contiguous memory"
        fix = f"pass numpy.ascontiguousarray({slot.name})"
    elif not array.flags.aligned:
        found, wanted = "an unaligned address", f"a multiple of {slot.dtype.itemsize} bytes"
        fix = f"pass {slot.name}.copy()"
    elif slot.output and not array.flags.writeable:
        found, wanted = "read-only memory", "an array to write"
    else:
        return ""
    return f"{slot}: found {found}, wanted {wanted}{'; ' + fix if fix and not slot.output else ''}"


def array_at(pointer: Any, slot: Slot) -> Array:
    """The array that a pointer came from; valid while what the pointer belongs to is alive."""
    return np.frombuffer(ffi.buffer(pointer, slot.bytes), slot.dtype).reshape(slot.shape)


def array_of(pointer: Any, owner: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """An array at a pointer into what `owner` keeps alive, and that it keeps alive in turn."""
    size = prod(shape) * dtype.itemsize
    start = address_of(pointer) - address_of(owner)
    return np.frombuffer(ffi.buffer(owner), np.uint8)[start : start + size].view(dtype).reshape(shape)


def aligned(size: int, alignment: int) -> tuple[Any, Any]:
    """`size` fresh bytes at a multiple of `alignment`: (pointer, what keeps them alive)."""
    owner = _from_buffer(_BYTES, np.empty(size + alignment, np.uint8), True)
    return owner + (-address_of(owner) % alignment), owner


def address_of(pointer: Any) -> int:
    return int(ffi.cast("uintptr_t", pointer))
