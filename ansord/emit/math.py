"""Elementary functions on float vectors: C without branches, which compilers turn into straight vector code.

One text serves both float types; `coefficients` has the numbers. Each takes every input, infinities, NaN,
signed zeros and denormals included, and none needs a fused multiply-add to be accurate but what AVX-512,
which has it, alone runs.
"""

from __future__ import annotations

VECTOR = {
    # e^(a - less) = 2^n e^r with n = round(a / ln 2): adding the shifter, 1.5 2^fraction + 2 bias, rounds.
    "raise": """
inline $T $self($T a, $T less) {
  const $T n = (a * $log2e + $shifter) - $shifter;
  const $T r = a - n * $ln2_high - n * $ln2_low - less;
  return $scale(1 + (r + r * r * $poly), n);
}""",
    "power": "$T $self($T a) { return $raise($clamp(a, $low, $high), $fill(0)); }",
    "exp": "inline $T $self($T a) { return $power(a); }",
    # a > 0 is 2^exponent (1 + excess) with 2/3 <= 1 + excess < 4/3. The exponent becomes a float as the low
    # bits of 1.5 2^fraction.
    "bits": """
inline $U $self($T a) {
  return ($U)$pick(a < $smallest, a * $rescale, a) + ($one - $two_thirds);
}""",
    "exponent": """
inline $T $self($T a) {
  const $U e = ($bits(a) >> $fraction) - (($U)(a < $smallest) & $fraction);
  return ($T)(e + $shifter_bits) - $shifter;
}""",
    "excess": """
inline $T $self($T a) {
  return ($T)(($bits(a) & $mantissa) + $two_thirds) - 1;
}""",
    # log x = e ln 2 + log(1 + f), and log(1 + f) = f - f^2/2 + f^3 poly(f).
    "log": """
$T $self($T a) {
  const $T e = $exponent(a), f = $excess(a);
  const $T y = e * $ln2_high + (f + (f * f * (f * $poly - $half) + e * $ln2_low));
  const $T above = $pick(a < $infinity, y, a);
  return $pick(a > 0, above, $pick(a == 0, $fill(-$infinity), $fill($nan)));
}""",
    # tanh x = x + x^3 poly(x^2), and beyond the border 1 - 2 / (e^2x + 1).
    "tanh": """
$T $self($T a) {
  const $T x = $abs(a), z = x * x;
  const $T near = x + x * z * $poly, far = 1 - 2 / ($power(x + x) + 1);
  return $copysign($pick(x < $border, near, far), a);
}""",
    # By e^-|a|, which never overflows: left of 0 the result is small where e^-a is infinite. Sigmoid gets
    # back what the rounding of 1 + e takes; silu, which multiplies once more, would still miss two units.
    "sigmoid": """
$T $self($T a) {
  const $T e = $power(-$abs(a)), sum = 1 + e;
  const $T y = $pick(a < 0, e, $fill(1)) / sum;
  return y - y * (e - (sum - 1)) * (1 - e * $half);
}""",
    "silu": """
$T $self($T a) {
  const $T e = $power(-$abs(a));
  return $pick(a < 0, a * e, a) / (1 + e);
}""",
    # As the contract writes it. Far left 1 + erf cancels, so its relative error grows there, as NumPy's does.
    "gelu": "$T $self($T a) { return a * $half * (1 + $erf(a * $sqrt_half)); }",
    # (1 + tanh u) / 2 = 1 / (1 + e^-2u)
    "gelu_tanh": "$T $self($T a) { return a / (1 + $power(a * ($first + $third * (a * a)))); }",
}

FLOAT32 = {
    # sin(|a| + quarters pi/2). The remainder by pi/2 is taken in double precision, by pi/2 of 33 + 53 bits.
    "turn": """
inline $T $self($T a, unsigned quarters) {
  const $T x = $abs(a);
  const $T t = x * $two_over_pi + $shifter, n = t - $shifter;
  const $f64 wide = __builtin_convertvector(n, $f64);
  const $f64 exact = __builtin_convertvector(x, $f64) - wide * $half_pi_high - wide * $half_pi_low;
  const $T r = __builtin_convertvector(exact, $T), z = r * r;
  const $T sine = r + r * z * $sine, cosine = 1 + z * (z * $cosine - $half);
  const $U turn = ($U)t + quarters;
  const $T y = $pick((turn & 1) != 0, cosine, sine);
  return ($T)(($U)y ^ ((turn & 2) << 30));
}""",
    "sin": """
$T $self($T a) {
  const $T y = ($T)(($U)$turn(a, 0) ^ (($U)a & $sign));
  return __builtin_expect($any($abs(a) > $farthest), 0) ? $sin_far(a, y) : y;
}""",
    "cos": """
$T $self($T a) {
  const $T y = $turn(a, 1);
  return __builtin_expect($any($abs(a) > $farthest), 0) ? $cos_far(a, y) : y;
}""",
    # The lanes beyond what `turn` can reduce, with libm's long pi.
    **{
        f"{name}_far": f"""
__attribute__((noinline, cold)) $T $self($T a, $T y) {{
  for (int i = 0; i < $N; i++)
    if (__builtin_fabsf(a[i]) > $farthest) y[i] = __builtin_{name}f(a[i]);
  return y;
}}"""
        for name in ("sin", "cos")
    },
    # erf x = x + x near(x^2), and beyond the border 1 - e^far(x); 1 from `last` on.
    "erf": """
$T $self($T a) {
  const $T x = $clamp($abs(a), 0, $last), z = x * x;
  const $T near = x + x * $near, far = 1 - $power($far);
  return $copysign($pick(x < $border, near, far), a);
}""",
    # |a|^b = e^(b log |a|), with the logarithm in double precision; the rest is C's list of special cases.
    "pow": """
$T $self($T a, $T b) {
  const $T x = $abs(a);
  const $f64 e = __builtin_convertvector($exponent(x), $f64), f = __builtin_convertvector($excess(x), $f64);
  const $f64 log = e * $ln2 + (f + f * f * (f * $poly - 0.5));
  const $f64 exact = __builtin_convertvector(b, $f64) * log;
  const $T near = __builtin_convertvector(exact, $T);
  const $T rest = __builtin_convertvector(__builtin_convertvector(near, $f64) - exact, $T);
  const $T t = $pick((x > 0) & (x < $infinity), near, $pick(x == 0, $fill(-$infinity), x) * b);
  const $T p = $pick(t > $high, $fill($infinity), $pick(t < $low, $fill(0), $raise(t, rest)));
  const $M whole = $floor(b) == b, odd = whole & ($floor(b * $half) != b * $half);
  const $M undefined = (a < 0) & (a > -$infinity) & ~whole;
  const $M one = (b == 0) | (a == 1) | ((a == -1) & ($abs(b) == $infinity));
  const $T turned = $pick(odd & (($M)a < 0), -p, p);
  return $pick(one, $fill(1), $pick(undefined, $fill($nan), turned));
}""",
}

LIBM = {
    name: f"""
$T $self($T a) {{
  $T y;
  for (int i = 0; i < $N; i++) y[i] = __builtin_{name}(a[i]);
  return y;
}}"""
    for name in ("sin", "cos", "erf")
} | {
    "pow": """
$T $self($T a, $T b) {
  $T y;
  for (int i = 0; i < $N; i++) y[i] = __builtin_pow(a[i], b[i]);
  return y;
}"""
}
"""In double precision these are left to libm, lane by lane."""


SIXTEEN = {
    # n = round(16 a / ln 2) / 16, so 2^n is a whole power, which vscalef applies, times one of sixteen that
    # lie in a register; r is so small that a cubic does. n alone says where e^a is infinite, 0 or NaN: r only
    # has to stay small there, and of NaN and a number vrange takes the number. As few units off as `power`,
    # but the relative error is larger: functions that go on computing with e^a use that.
    "exp": """
inline $T $self($T a) {
#if defined(__AVX512DQ__)
  const $T t = a * $log2e + $shifter, n = t - $shifter, roots = {$roots};
  $T root, r = a - n * $ln2_high - n * $ln2_low;
  __asm__("vrangeps $$2, %2, %1, %0" : "=v"(r) : "v"(r), "v"($fill($reach)));
  __asm__("vpermps %2, %1, %0" : "=v"(root) : "v"(t), "v"(roots));
  return $scale(root + root * (r + r * r * $poly), n);
#else
  return $power(a);
#endif
}""",
}
"""Of float32 where a vector has sixteen lanes."""


def vector_text(op: str, dtype: str, lanes: int) -> str:
    """The text of an elementary function over a vector of floats.

    :raises KeyError: there is no such function.
    """
    if dtype == "float32" and lanes == 16 and op in SIXTEEN:
        return SIXTEEN[op]
    return (VECTOR | {"float32": FLOAT32, "float64": LIBM}[dtype])[op]
