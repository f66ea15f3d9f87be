"""Operations that are a line of C: arithmetic, comparisons, choices; and what the other texts stand on."""

from __future__ import annotations

from ansord.emit.ctype import CTYPES

INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/"}
COMPARE = {
    "equal": "==", "not_equal": "!=", "less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">=",
}  # fmt: skip

EVERY = {
    "maximum": "$T $self($T a, $T b) { return $pick((a > b) | (a != a), a, b); }",
    "minimum": "$T $self($T a, $T b) { return $pick((a < b) | (a != a), a, b); }",
    "clip": "$T $self($T a, $T b, $T c) { return $minimum($maximum(a, b), c); }",
    "relu": "$T $self($T a) { return $pick(a < 0, $fill(0), a); }",
    "where": "$T $self($B a, $T b, $T c) { return $pick($truth(a), b, c); }",
} | {name: f"$B $self($T a, $T b) {{ return $bools(a {sign} b); }}" for name, sign in COMPARE.items()}
"""For every type, scalar or vector."""

FLOAT = {
    "neg": "$T $self($T a) { return -a; }",
    "leaky_relu": "$T $self($T a, $T b) { return $pick(a >= 0, a, a * b); }",
    "rsqrt": "$T $self($T a) { return 1 / $sqrt(a); }",
    "hard_swish": "$T $self($T a) { return a * $clip(a + 3, $fill(0), $fill(6)) / 6; }",
} | {name: f"$T $self($T a, $T b) {{ return a {sign} b; }}" for name, sign in INFIX.items()}

# Integers wrap, so they are computed as unsigned ones.
INTEGER = {
    "add": "$T $self($T a, $T b) { return ($T)(($U)a + ($U)b); }",
    "sub": "$T $self($T a, $T b) { return ($T)(($U)a - ($U)b); }",
    "mul": "$T $self($T a, $T b) { return ($T)(($U)a * ($U)b); }",
    "neg": "$T $self($T a) { return ($T)(0 - ($U)a); }",
    "abs": "$T $self($T a) { return $pick(a < 0, $neg(a), a); }",
    "floor": "$T $self($T a) { return a; }",
}

BOOL = {
    "logical_and": "$T $self($T a, $T b) { return a & b; }",
    "logical_or": "$T $self($T a, $T b) { return a | b; }",
    "logical_not": "$T $self($T a) { return a ^ 1; }",
}

# What the texts above and the elementary functions stand on. `truth` makes a condition of a bool, `bools` a
# bool of a condition: an int, or a vector of 0 and -1.
SCALAR = {
    "pick": "$T $self(int c, $T a, $T b) { return c ? a : b; }",
    "fill": "$T $self($S a) { return a; }",
    "truth": "int $self($B a) { return a; }",
    "bools": "$B $self(int c) { return c; }",
} | {name: f"$T $self($T a) {{ return __builtin_{word}$f(a); }}" for name, word in
     (("sqrt", "sqrt"), ("floor", "floor"), ("abs", "fabs"))}  # fmt: skip

# In pick one term is 0: gcc 12 makes a blend of their sum, but not of their disjunction. In fill, x - 0 keeps
# the sign of a zero, and is folded to the bare broadcast.
VECTOR = {
    "pick": "$T $self($M c, $T a, $T b) { return ($T)((($M)a & c) + (($M)b & ~c)); }",
    "fill": "$T $self($S a) { return a - ($T){0}; }",
    "truth": "$M $self($B a) { return __builtin_convertvector(a, $M) != 0; }",
    "bools": "$B $self($M c) { return $narrow(c) & 1; }",
    "abs": "$T $self($T a) { return ($T)(($U)a & ~$sign); }",
    "copysign": "$T $self($T a, $T b) { return ($T)(($U)a | (($U)b & $sign)); }",
}
"""copysign(a, b) is for a >= 0."""


def basic_text(op: str, dtype: str, lanes: int) -> str | None:
    """The text of an operation on `dtype`; None for what is not made here."""
    kind = {"float": FLOAT, "int": INTEGER, "bool": BOOL}[CTYPES[dtype].kind]
    tables = (kind, SCALAR if lanes == 1 else VECTOR, EVERY)
    return next((table[op] for table in tables if op in table), None)
