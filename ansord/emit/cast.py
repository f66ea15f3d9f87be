"""Casts between types in C. Floats truncate and saturate to integers, NaN gives 0; integers wrap."""

from __future__ import annotations

from ansord.emit.ctype import CTYPES, literal

BOUNDS = {"int8": (-(2**7), 2**7), "uint8": (0, 2**8), "int32": (-(2**31), 2**31), "int64": (-(2**63), 2**63)}
"""The least value, and the one above the greatest; both are exact in float32."""


def cast_text(dtype: str, source: str, lanes: int) -> str:
    """The function from `source` to `dtype`; `$T` is the source."""
    own, other = CTYPES[dtype], CTYPES[source]
    if own.kind == "bool":
        return "$B $self($T a) { return $bools(a != 0); }"
    if own.kind == "int" and other.kind == "float":
        return _whole(dtype, source, lanes)
    if lanes == 1 or own.short == other.short:
        value = "a"
    elif own.bytes == 1:
        value = "$narrow(($M)a)"
    elif other.bytes == 1 and own.kind == "float":  # gcc converts lane by lane from bytes to floats
        value = f"__builtin_convertvector(__builtin_convertvector(a, $i32), ${own.short})"
    else:
        value = f"__builtin_convertvector(a, ${own.short})"
    return f"${own.short} $self($T a) {{ return (${own.short}){value}; }}"


def _whole(dtype: str, source: str, lanes: int) -> str:
    own, other = CTYPES[dtype], CTYPES[source]
    result, (low, high) = f"${own.short}", BOUNDS[dtype]
    least, most, beyond = (literal(float(number), source) for number in (low, high - 1, high))
    bottom, top = literal(low, dtype), literal(high - 1, dtype)

    def one(a: str) -> str:
        return f"{a} != {a} ? 0 : {a} < {least} ? {bottom} : {a} >= {beyond} ? {top} : ({own.name}){a}"

    if lanes == 1:
        return f"{result} $self($T a) {{ return {one('a')}; }}"
    if own.bytes == 8:  # few machines have an instruction, and gcc 12 fails on some that have none
        return f"""
{result} $self($T a) {{
  {result} y;
  for (int i = 0; i < $N; i++) y[i] = {one("a[i]")};
  return y;
}}"""
    if own.bytes == other.bytes:  # the greatest integer is no float: it is put in afterwards
        return f"""
{result} $self($T a) {{
  const $T inside = $pick((a >= {least}) & (a < {beyond}), a, $fill(0));
  const {result} whole = __builtin_convertvector(inside, {result});
  const {result} high = $pick_i32(a >= {beyond}, $fill_i32({top}), whole);
  return $pick_i32(a < {least}, $fill_i32({bottom}), high);
}}"""
    return f"""
{result} $self($T a) {{
  const $T inside = $clamp($pick(a == a, a, $fill(0)), {least}, {most});
  return ({result}){"" if own.bytes == 4 else "$narrow_i32"}(__builtin_convertvector(inside, $i32));
}}"""
