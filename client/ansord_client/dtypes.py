"""The element types: one row each, and how a plain number becomes an element.

Used by the reader, the reference, the dag and the emitter. Knows nothing about operations.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

Number = bool | int | float


@dataclass(frozen=True, slots=True)
class DType:
    """One element type; `eps` is the distance from 1 to the next number, 0 where arithmetic is exact."""

    name: str
    kind: str
    bytes: int
    eps: float = 0.0

    @property
    def numpy(self) -> np.dtype[np.generic]:
        """The array type."""
        return np.dtype(self.name)

    @property
    def interval(self) -> tuple[int, int]:
        """Smallest and largest value of an integer type or bool."""
        if self.kind == "bool":
            return 0, 1
        bits = 8 * self.bytes
        return (0, 2**bits - 1) if self.kind == "uint" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


DTYPES: dict[str, DType] = {
    row.name: row
    for row in (
        DType("float32", "float", 4, 2.0**-23),
        DType("float64", "float", 8, 2.0**-52),
        DType("int8", "int", 1),
        DType("uint8", "uint", 1),
        DType("int32", "int", 4),
        DType("int64", "int", 8),
        DType("bool", "bool", 1),
    )
}
RESERVED = frozenset({"float16", "bfloat16"})
"""Known by name, refused until kernels of them exist."""

FLOATS = frozenset({"float32", "float64"})
INTEGERS = frozenset({"int8", "uint8", "int32", "int64"})
NUMBERS = FLOATS | INTEGERS
BOOL = frozenset({"bool"})
ALL = NUMBERS | BOOL


def accumulator(dtype: str) -> str:
    """The result type of a convolution or matmul."""
    return "int32" if dtype in ("int8", "uint8") else dtype


def held(value: Number, dtype: str) -> Number | None:
    """`value` as an element of `dtype`, or None where the type cannot hold it.

    Floats are rounded to nearest and must stay finite; integers must be exact (2.0 is 2); bool takes 0 and 1.
    """
    row = DTYPES[dtype]
    if row.kind == "bool":
        return bool(value) if value in (0, 1) else None
    if isinstance(value, bool):
        return None
    try:
        if row.kind == "float":
            rounded: float = (
                struct.unpack("<f", struct.pack("<f", value))[0] if row.bytes == 4 else float(value)
            )
            return rounded
    except OverflowError:
        return None
    low, high = row.interval
    return int(value) if value == int(value) and low <= value <= high else None
