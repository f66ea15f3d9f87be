"""What each scalar operation is in C, for scalars and for vectors, as small static functions.

`helper` gives the function for an operation and its types; a kernel's text holds those that it uses, each
once. Max, min, relu and clip let NaN through, integers wrap, comparisons give bools: bytes 0 and 1.
"""

from __future__ import annotations

from functools import lru_cache, partial

from ansord.emit.basic import COMPARE, INFIX, basic_text
from ansord.emit.cast import cast_text
from ansord.emit.ctype import CTYPES
from ansord.emit.helper import Helper, ctype, write
from ansord.emit.machine import machine_text
from ansord.emit.math import vector_text

__all__ = ["COMPARE", "INFIX", "Helper", "helper"]

WIDEST, LEAST = 64, 16
"""Bytes of the widest vector register of any machine, and of one that all machines have."""
DTYPES = {ctype.short: dtype for dtype, ctype in CTYPES.items() if ctype.kind != "bool"}
"""By short name."""


@lru_cache(maxsize=4096)
def helper(op: str, dtype: str, source: str, arity: int, lanes: int) -> Helper:
    """The function for `op` giving `dtype` from `arity` arguments of type `source`, over `lanes` elements.

    `where` takes a bool first. Beside `expr.OPERATIONS` there are the names that texts use of each other.

    :raises KeyError: the operation has no meaning for the type.
    """
    own = source if op == "cast" or op in COMPARE else dtype
    name = f"cast_{'bool' if dtype == 'bool' else CTYPES[dtype].short}" if op == "cast" else op
    if lanes > 1 and lanes * max(CTYPES[dtype].bytes, CTYPES[own].bytes) > WIDEST:
        half = helper(op, dtype, source, arity, lanes // 2)
        return _halves(name, half, _types(op, dtype, own, arity), own, lanes)
    find = partial(_find, dtype=own, lanes=lanes)
    text = cast_text(dtype, own, lanes) if op == "cast" else _short_text(op, own, lanes)
    if text is not None:
        return write(name, text, own, lanes, find)
    if CTYPES[own].kind != "float":
        raise KeyError(f"{op} of {own}")
    if lanes == 1:
        return _lane(op, own, arity)
    return write(op, vector_text(op, own, lanes), own, lanes, find, elementary=True)


def _short_text(op: str, dtype: str, lanes: int) -> str | None:
    """The text of what is no elementary function, as the machine does it best."""
    return (machine_text(op, dtype, lanes) if lanes > 1 else None) or basic_text(op, dtype, lanes)


def _find(name: str, dtype: str, lanes: int) -> Helper:
    """What a text means by a name: an operation on its own type, or, as in exp_f64, on another."""
    op, _, key = name.rpartition("_")
    if key not in DTYPES:
        return helper(name, dtype, dtype, 1, lanes)
    return helper(op, DTYPES[key], DTYPES[key], 1, lanes)


def _types(op: str, dtype: str, own: str, arity: int) -> list[str]:
    """The short names of the result's and the arguments' types."""
    result = "u8" if op in COMPARE else CTYPES[dtype].short
    args = [CTYPES[own].short] * arity
    return [result, *(["u8", *args[1:]] if op == "where" else args)]


def _halves(name: str, half: Helper, types: list[str], own: str, lanes: int) -> Helper:
    """Does both halves of a vector by the function for half the lanes."""
    whole = [ctype(key, lanes) for key in types]
    part = [ctype(key, lanes // 2) for key in types]
    params = ", ".join(f"{kind} {arg}" for arg, kind in zip("abc", whole[1:], strict=False))
    values = [f"(({kind} *)&{arg})" for arg, kind in zip("abc", part[1:], strict=False)]
    calls = [f"$part({', '.join(f'{value}[{i}]' for value in values)})" for i in range(2)]
    body = "".join(f"  (({part[0]} *)&y)[{i}] = {call};\n" for i, call in enumerate(calls))
    text = f"{whole[0]} $self({params}) {{\n  {whole[0]} y;\n{body}  return y;\n}}"
    return write(name, text, own, lanes, lambda _: half, elementary=True)


def _lane(op: str, dtype: str, arity: int) -> Helper:
    """An elementary function of a scalar: one lane of the least vector, so that it has but one meaning."""
    lanes = LEAST // CTYPES[dtype].bytes
    params = ", ".join(f"$T {arg}" for arg in "abc"[:arity])
    args = ", ".join(f"({ctype(CTYPES[dtype].short, lanes)}){{{arg}}}" for arg in "abc"[:arity])
    text = f"$T $self({params}) {{ return $vector({args})[0]; }}"
    return write(op, text, dtype, 1, lambda _: helper(op, dtype, dtype, arity, lanes))
