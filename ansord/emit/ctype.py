"""C names of scalar and vector types. Vectors are GNU vector types that may alias and need no alignment."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CType:
    """`name` in C; `short` in our identifiers; `mask` is the short name of the integer type of equal size."""

    name: str
    short: str
    bytes: int
    mask: str
    unsigned: str
    kind: str


CTYPES = {
    "float32": CType("float", "f32", 4, "i32", "u32", "float"),
    "float64": CType("double", "f64", 8, "i64", "u64", "float"),
    "int8": CType("__INT8_TYPE__", "i8", 1, "i8", "u8", "int"),
    "uint8": CType("__UINT8_TYPE__", "u8", 1, "i8", "u8", "int"),
    "int32": CType("__INT32_TYPE__", "i32", 4, "i32", "u32", "int"),
    "int64": CType("__INT64_TYPE__", "i64", 8, "i64", "u64", "int"),
    "bool": CType("__UINT8_TYPE__", "u8", 1, "i8", "u8", "bool"),
}
"""By dtype. Bools are bytes 0 and 1."""

SCALARS = {
    "f32": "float", "f64": "double", "i8": "__INT8_TYPE__", "u8": "__UINT8_TYPE__", "i32": "__INT32_TYPE__",
    "u32": "__UINT32_TYPE__", "i64": "__INT64_TYPE__", "u64": "__UINT64_TYPE__",
}  # fmt: skip
"""C type by short name."""


def short(dtype: str, lanes: int = 1) -> str:
    """f32, or f32x16 for a vector."""
    return CTYPES[dtype].short + (f"x{lanes}" if lanes > 1 else "")


def typedefs(lanes: int) -> list[str]:
    """All vector types of `lanes` elements."""
    return [
        f"typedef {name} {key}x{lanes} __attribute__((vector_size({int(key[1:]) // 8 * lanes}), "
        f"aligned({int(key[1:]) // 8}), may_alias));"
        for key, name in SCALARS.items()
    ]


def literal(value: float | int, dtype: str) -> str:
    """An exact C constant."""
    if CTYPES[dtype].kind != "float":
        whole = int(value)
        if whole == -(2**63):
            return "(-9223372036854775807L - 1)"
        return f"{whole}L" if dtype == "int64" else str(whole)
    suffix = "f" if dtype == "float32" else ""
    number = float(value)
    if number != number:
        return f'__builtin_nan{suffix}("")'
    if number in (float("inf"), float("-inf")):
        return f"{'-' if number < 0 else ''}__builtin_inf{suffix}()"
    return (
        f"{number.hex()}{suffix}" if number != int(number) or abs(number) > 1e6 else f"{number:.1f}{suffix}"
    )
