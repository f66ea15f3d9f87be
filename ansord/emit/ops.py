"""What each scalar operation is in C, for scalars and for vectors, as small static helper functions.

A helper is emitted only when used. `pick(c, a, b)` is the conditional in either form; conditions are
built with `|` so that one text serves both. NaN goes through max, min, relu and clip.
"""

from __future__ import annotations

from dataclasses import dataclass

from ansord.emit.ctype import CTYPES, literal, short

INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/"}
COMPARE = {"equal": "==", "not_equal": "!=", "less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">="}

_BOTH = {
    "maximum": "return {pick:(a > b) | (a != a):a:b};",
    "minimum": "return {pick:(a < b) | (a != a):a:b};",
    "relu": "return {pick:a < 0:zero:a};",
    "leaky_relu": "return {pick:a > 0:a:(a * b)};",
    "clip": "T t = {pick:a < b:b:a}; return {pick:t > c:c:t};",
    "where": "return {pick:CONDITION:b:c};",
}
"""Texts over T a, b, c that hold for scalars and vectors."""

_WRAPPING = {"add": "a + b", "sub": "a - b", "mul": "a * b", "neg": "0 - a"}
"""Integer operations wrap, so they are done on the unsigned type of the same size."""

_MATH = {
    "exp": "exp(a)", "log": "log(a)", "sin": "sin(a)", "cos": "cos(a)", "tanh": "tanh(a)", "erf": "erf(a)",
    "sqrt": "sqrt(a)", "floor": "floor(a)", "pow": "pow(a, b)", "rsqrt": "1 / sqrt(a)",
    "sigmoid": "1 / (1 + exp(-a))", "silu": "a / (1 + exp(-a))",
    "gelu": "a * 0.5 * (1 + erf(a * 0.70710678118654752440))",
    "gelu_tanh": "a * 0.5 * (1 + tanh(0.79788456080286535588 * (a + 0.044715 * a * a * a)))",
    "hard_swish": "a * (a + 3 < 0 ? 0 : a + 3 > 6 ? 6 : a + 3) / 6",
    "abs": "fabs(a)",
}  # fmt: skip
"""Float operations by the compiler's builtins, one lane at a time; `1 / sqrt(2)` and `sqrt(2 / pi)` are the
constants of the two gelu forms (Hendrycks and Gimpel 2016)."""

_NAMES = ("exp", "log", "sin", "cos", "tanh", "erf", "sqrt", "floor", "pow", "fabs")


@dataclass(frozen=True)
class Helper:
    """A static function: its name, its C text, and the helpers that it calls."""

    name: str
    text: str


def helper(op: str, dtype: str, source: str, arity: int, lanes: int) -> Helper:
    """The function for `op` giving `dtype` from arguments of type `source`.

    :raises KeyError: the operation has no meaning for the type.
    """
    if op == "cast":
        return _cast(dtype, source, lanes)
    if op in COMPARE:
        return _compare(op, source, lanes)
    if CTYPES[dtype].kind == "bool" and op.startswith("logical"):
        texts = {"logical_and": "a & b", "logical_or": "a | b", "logical_not": "a ^ 1"}
        return _function(op, dtype, dtype, arity, lanes, f"return {texts[op]};")
    if CTYPES[dtype].kind != "float" and op in _WRAPPING:
        unsigned = CTYPES[dtype].unsigned + (f"x{lanes}" if lanes > 1 else "_t")
        names = ("a", "b")[:arity]
        inner = " ".join(f"U u{n} = (U){n};" for n in names)
        text = _WRAPPING[op].replace("a", "ua").replace("b", "ub")
        cast = unsigned if lanes > 1 else {"u8_t": "unsigned", "u32_t": "__UINT32_TYPE__", "u64_t": "__UINT64_TYPE__"}[unsigned]
        return _function(op, dtype, dtype, arity, lanes, f"typedef {cast} U; {inner} return (T)({text});")
    if op == "abs" and CTYPES[dtype].kind != "float":
        unsigned = CTYPES[dtype].unsigned + (f"x{lanes}" if lanes > 1 else "")
        negative = f"(T)(0 - ({unsigned})a)" if lanes > 1 else "(T)(0 - (__UINT64_TYPE__)a)"
        return _function(op, dtype, dtype, arity, lanes, f"return {_pick('a < 0', negative, 'a', dtype, lanes)};")
    if op in _BOTH:
        return _function(op, dtype, dtype, arity, lanes, _expand(_BOTH[op], dtype, lanes), condition=op == "where")
    return _math(op, dtype, arity, lanes)


def _math(op: str, dtype: str, arity: int, lanes: int) -> Helper:
    text = _MATH[op]
    suffix = "f" if dtype == "float32" else ""
    for name in _NAMES:
        text = text.replace(f"{name}(", f"__builtin_{name}{suffix}(")
    if dtype == "float32":
        for constant in ("0.70710678118654752440", "0.79788456080286535588", "0.044715", "0.5"):
            text = text.replace(constant, f"{constant}f")
    scalar = _function(op, dtype, dtype, arity, 1, f"return {text};")
    if lanes == 1:
        return scalar
    args = ", ".join(f"{n}[i]" for n in ("a", "b")[:arity])
    body = f"T r; for (int i = 0; i < {lanes}; i++) r[i] = {op}_{short(dtype)}({args}); return r;"
    return Helper(
        f"{op}_{short(dtype, lanes)}",
        scalar.text + "\n" + _function(op, dtype, dtype, arity, lanes, body, vectorize=True).text,
    )


def _function(
    op: str, dtype: str, source: str, arity: int, lanes: int, body: str,
    condition: bool = False, vectorize: bool = False,
) -> Helper:  # fmt: skip
    name = f"{op}_{short(dtype, lanes)}"
    own, other = _ctype(dtype, lanes), _ctype(source, lanes)
    params = [f"{other} {n}" for n in ("a", "b", "c")[:arity]]
    if condition:
        params[0] = f"{_ctype('bool', lanes)} a"
    attribute = '__attribute__((optimize("tree-vectorize"))) ' if vectorize else ""
    body = body.replace("T ", f"{own} ").replace("(T)", f"({own})").replace("zero", f"({own}){{0}}" if lanes > 1 else "0")
    return Helper(name, f"{attribute}static inline {own} {name}({', '.join(params)}) {{ {body} }}")


def _ctype(dtype: str, lanes: int) -> str:
    return short(dtype, lanes) if lanes > 1 else CTYPES[dtype].name


def _expand(text: str, dtype: str, lanes: int) -> str:
    """Writes out the {pick:condition:a:b} forms."""
    while "{pick:" in text:
        start = text.index("{pick:")
        end = text.index("}", start)
        condition, first, second = text[start + 6 : end].split(":")
        text = text[:start] + _pick(condition, first, second, dtype, lanes) + text[end + 1 :]
    return text


def _pick(condition: str, first: str, second: str, dtype: str, lanes: int) -> str:
    if lanes == 1:
        return f"{'a' if condition == 'CONDITION' else f'({condition})'} ? {first} : {second}"
    mask = f"{CTYPES[dtype].mask}x{lanes}"
    if condition == "CONDITION":
        condition = f"-__builtin_convertvector(a, {mask})"
    return f"({short(dtype, lanes)})((({mask})({condition}) & ({mask}){first}) | (~({mask})({condition}) & ({mask}){second}))"


def _compare(op: str, source: str, lanes: int) -> Helper:
    name = f"{op}_{short(source, lanes)}"
    kind, result = _ctype(source, lanes), _ctype("bool", lanes)
    expression = f"a {COMPARE[op]} b"
    value = f"({result})__builtin_convertvector({expression}, {result}) & 1" if lanes > 1 else expression
    return Helper(name, f"static inline {result} {name}({kind} a, {kind} b) {{ return {value}; }}")


_BOUNDS = {"int8": (-(2**7), 2**7), "uint8": (0, 2**8), "int32": (-(2**31), 2**31), "int64": (-(2**63), 2**63)}


def _cast(dtype: str, source: str, lanes: int) -> Helper:
    """Floats truncate and saturate to integers, NaN gives 0; everything else converts as C does."""
    name = f"cast_{short(dtype)}{'b' if dtype == 'bool' else ''}_{short(source, lanes)}"
    own, other = CTYPES[dtype], CTYPES[source]
    result, argument = _ctype(dtype, lanes), _ctype(source, lanes)
    if dtype == "bool":
        one = "a != 0"
    elif own.kind == "int" and other.kind == "float":
        low, high = _BOUNDS[dtype]
        top = literal(high - 1, dtype)
        one = (
            f"a != a ? 0 : a >= {literal(float(high), source)} ? {top} : "
            f"a <= {literal(float(low), source)} ? {literal(low, dtype)} : ({own.name})a"
        )
    elif lanes > 1:
        return Helper(
            name, f"static inline {result} {name}({argument} a) {{ return __builtin_convertvector(a, {result}); }}"
        )
    else:
        one = f"({own.name})a"
    if lanes == 1:
        return Helper(name, f"static inline {result} {name}({argument} a) {{ return {one}; }}")
    scalar = _cast(dtype, source, 1)
    body = f"{result} r; for (int i = 0; i < {lanes}; i++) r[i] = {scalar.name}(a[i]); return r;"
    return Helper(name, f"{scalar.text}\nstatic inline {result} {name}({argument} a) {{ {body} }}")
