"""Operations on whole vectors that C has no word for: an instruction or two where the machine has them.

gcc makes no vector instruction of sqrt or floor unless it vectorises loops, none of a maximum that lets NaN
through, and testing or narrowing the lanes of a comparison by C alone is slow with AVX2.
"""

from __future__ import annotations

from ansord.emit.ctype import CTYPES

Instruction = tuple[str, str, str]
"""A condition of the preprocessor, the instruction, and the constraint of its operands."""

_SQRT: dict[int, tuple[Instruction, ...]] = {
    64: (("defined(__AVX512F__)", "vsqrtp$x %1, %0", "v"),),
    32: (("defined(__AVX__)", "vsqrtp$x %1, %0", "v"),),
    16: (
        ("defined(__AVX__)", "vsqrtp$x %1, %0", "v"),
        ("defined(__SSE2__)", "sqrtp$x %1, %0", "x"),
        ("defined(__aarch64__)", "fsqrt %0.$lanes, %1.$lanes", "w"),
    ),
}
_FLOOR: dict[int, tuple[Instruction, ...]] = {
    64: (("defined(__AVX512F__)", "vrndscalep$x $$9, %1, %0", "v"),),
    32: (("defined(__AVX__)", "vroundp$x $$9, %1, %0", "x"),),
    16: (
        ("defined(__AVX__)", "vroundp$x $$9, %1, %0", "x"),
        ("defined(__SSE4_1__)", "roundp$x $$9, %1, %0", "x"),
        ("defined(__aarch64__)", "frintm %0.$lanes, %1.$lanes", "w"),
    ),
}
"""By the bytes of the vector. 9: towards minus infinity, no flags."""
_INSTRUCTIONS = {"sqrt": _SQRT, "floor": _FLOOR}


def machine_text(op: str, dtype: str, lanes: int) -> str | None:
    """The text of an operation over a vector of at most 64 bytes; None for what is not made here.

    sqrt, floor; maximum, minimum; `clamp`: between two scalars, NaN stays; `scale`: p 2^n, for a whole n of
    at most twice the type's exponents; `narrow`: the lowest byte of each lane; `any`: whether a lane of a
    comparison is true.
    """
    size = CTYPES[dtype].bytes
    if op in ("maximum", "minimum") and CTYPES[dtype].kind == "float":
        return _extreme(op, size, size * lanes)
    if op in _INSTRUCTIONS and CTYPES[dtype].kind == "float":
        return _instruction(op, size, lanes)
    if op in ("clamp", "scale") and CTYPES[dtype].kind == "float":
        return (_clamp if op == "clamp" else _scale)(size, size * lanes)
    if op == "narrow":
        return _narrow(size, lanes)
    return _any(size * lanes) if op == "any" else None


def _instruction(op: str, size: int, lanes: int) -> str:
    lines = ["$T $self($T a) {", "  $T y;"]
    for i, (condition, text, operand) in enumerate(_INSTRUCTIONS[op].get(size * lanes, ())):
        text = text.replace("$x", "s" if size == 4 else "d").replace("$lanes", "4s" if size == 4 else "2d")
        lines.append(f"#{'el' if i else ''}if {condition}")
        lines.append(f'  __asm__("{text}" : "={operand}"(y) : "{operand}"(a));')
    loop = f"  for (int i = 0; i < $N; i++) y[i] = __builtin_{op}$f(a[i]);"
    lines += [loop] if len(lines) == 2 else ["#else", loop, "#endif"]
    return "\n".join([*lines, "  return y;", "}"])


def _extreme(op: str, size: int, width: int) -> str:
    """The instruction gives its second source, `a`, where one is NaN: right unless only `b` is, which takes a
    comparison of `b` with itself. A reduction's result so far is `a`: only one instruction waits for it.
    """
    word, kind, sign = op[:3], "s" if size == 4 else "d", ">" if op == "maximum" else "<"
    masked = {64: "defined(__AVX512F__)", 32: "defined(__AVX512VL__)", 16: "defined(__AVX512VL__)"}
    blended = "defined(__AVX__)" if width in (32, 16) else "0"
    return f"""
$T $self($T a, $T b) {{
#if {masked.get(width, "0")}
  $T y = b;
  unsigned short numbers;
  __asm__("vcmpordp{kind} %2, %2, %1\\n\\tv{word}p{kind} %3, %2, %0%{{%1%}}"
          : "+v"(y), "=&Yk"(numbers) : "v"(b), "v"(a));
  return y;
#elif {blended}
  $T y;
  __asm__("v{word}p{kind} %2, %1, %0" : "=x"(y) : "x"(b), "x"(a));
  return $pick(b != b, b, y);
#else
  return $pick((a {sign} b) | (a != a), a, b);
#endif
}}"""


def _clamp(size: int, width: int) -> str:
    """The instructions give their second source where one is NaN: here that is `a`."""
    kind = "s" if size == 4 else "d"
    known = {64: "defined(__AVX512F__)", 32: "defined(__AVX__)", 16: "defined(__AVX__)"}.get(width, "0")
    return f"""
$T $self($T a, $S low, $S high) {{
#if {known}
  $T y;
  __asm__("vmaxp{kind} %1, %2, %0" : "=v"(y) : "v"(a), "v"($fill(low)));
  __asm__("vminp{kind} %1, %2, %0" : "=v"(y) : "v"(y), "v"($fill(high)));
  return y;
#else
  const $T least = $pick(a < low, $fill(low), a);
  return $pick(least > high, $fill(high), least);
#endif
}}"""


def _scale(size: int, width: int) -> str:
    """Without the instruction 2^n is applied in two halves, so that results below the normal range round
    once; the shifter, 1.5 2^fraction + 2 bias, leaves n + 2 bias in the low bits."""
    kind = "s" if size == 4 else "d"
    known = {64: "defined(__AVX512F__)", 32: "defined(__AVX512VL__)", 16: "defined(__AVX512VL__)"}
    return f"""
$T $self($T p, $T n) {{
#if {known.get(width, "0")}
  $T y;
  __asm__("vscalefp{kind} %2, %1, %0" : "=v"(y) : "v"(p), "v"(n));
  return y;
#else
  const $U both = ($U)(n + $shifter), half = both >> 1;
  return p * ($T)(half << $fraction) * ($T)((both - half) << $fraction);
#endif
}}"""


def _narrow(size: int, lanes: int) -> str:
    if size == 1:
        return "$B $self($M c) { return ($B)c; }"
    if size * lanes == 64:  # only AVX-512 has such vectors, and one instruction for this
        return "$B $self($M c) { return __builtin_convertvector(c, $B); }"
    firsts = ", ".join(str(lane * size) for lane in range(lanes))
    return f"""
$B $self($M c) {{
  typedef __UINT8_TYPE__ bytes __attribute__((vector_size({size * lanes})));
  return __builtin_shufflevector((bytes)c, (bytes)c, {firsts});
}}"""


def _any(size: int) -> str:
    """Halves the vector by `or` down to one word, which stays in registers."""
    lines, name = ["int $self($M c) {"], "c"
    for half in (32, 16, 8):
        if half < size:
            vector = f"vector_size({half}), " if half > 8 else ""
            lines.append(f"  typedef __INT64_TYPE__ w{half} __attribute__(({vector}aligned(1), may_alias));")
            lines.append(f"  const w{half} v{half} = ((w{half} *)&{name})[0] | ((w{half} *)&{name})[1];")
            name = f"v{half}"
    test = "v8" if size > 8 else " | ".join(f"c[{lane}]" for lane in range(size // 4))
    return "\n".join([*lines, f"  return ({test}) != 0;", "}"])
