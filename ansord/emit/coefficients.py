"""The numbers in the elementary functions, per float type. Every polynomial is one call of mpmath:

    c, error = mpmath.chebyfit(f, [low, high], terms, error=True)      # mp.prec = 300; f at 0 by its limit

and c, lowest power first, rounded to the type. f, its interval and the error for float32, float64:
    exp    ((e^r - 1)/r - 1)/r           |r| <= ln(2)/2         2^-23.9  2^-53.1
           the same, of sixteen lanes    |r| <= ln(2)/32        2^-16.6
    log    ((log(1 + f) - f)/f^2 + 1/2)/f  |f| <= 1/3           2^-25.0  2^-53.9  2^-30.3 in pow
    tanh   (tanh(x)/x - 1)/z, z = x^2    0 <= z <= 0.55^2       2^-26.2  2^-56.8
    sine   (sin(x)/x - 1)/z              0 <= z <= (1.01 pi/4)^2  2^-25.5
    cosine ((cos(x) - 1)/z + 1/2)/z      the same               2^-28.8
    near   erf(x)/x - 1                  0 <= z <= 0.9^2        2^-26.3
    far    log(1 - erf(x))               0.9 <= x <= 3.92       2^-25.9
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ansord.emit.ctype import literal


@dataclass(frozen=True, slots=True)
class Polynomial:
    """A polynomial in a variable of the text: its terms from the constant on, its type if not the text's."""

    variable: str
    terms: tuple[float, ...]
    dtype: str = ""

    def text(self, dtype: str) -> str:
        """Horner's form."""
        dtype = self.dtype or dtype
        first, *rest = [_decimal(term, dtype) for term in self.terms]
        return f"({first}" + "".join(f" + {self.variable} * ({term}" for term in rest) + ")" * len(self.terms)


Number = float | str | Polynomial
"""A float is written as an exact constant of the type, a string as it is."""

# fmt: off
FLOAT32: dict[str, dict[str, Number]] = {
    "": {
        "f": "f", "infinity": math.inf, "nan": math.nan, "half": 0.5, "sign": "0x80000000u",
        "fraction": "23", "mantissa": "0x7fffffu", "one": "0x3f800000u", "two_thirds": "0x3f2aaaabu",
        "smallest": 2.0**-126, "rescale": 2.0**23,
        # Times any exponent, the first part of ln 2 has no rounding error.
        "ln2_high": 0.693145751953125, "ln2_low": 1.4286068203094173e-06,
        "farthest": 1e5, "border": 0.55,
    },
    "power": {"low": -104.0, "high": 89.0},
    "exp": {  # of sixteen lanes; reach is more than ln(2)/32
        "log2e": 1.4426950408889634, "shifter": 1.5 * 2**19, "reach": 0.022,
        "poly": Polynomial("r", (0.5000098, 0.1666696)),
        "roots": ", ".join(f"{2.0 ** (i / 16)!r}f" for i in range(16)),
    },
    "scale": {"shifter": 1.5 * 2**23 + 254},
    "raise": {
        "log2e": 1.4426950408889634, "shifter": 1.5 * 2**23 + 254,
        "poly": Polynomial("r", (0.5, 0.16666578, 0.041666556, 0.008363173, 0.0013926176)),
    },
    "exponent": {"shifter": 1.5 * 2**23 + 127, "shifter_bits": "0x4b400000u"},
    "log": {
        "poly": Polynomial("f", (
            0.33333334, -0.24999945, 0.19999948, -0.16673316, 0.14291868, -0.12288722, 0.10915655,
            -0.124222, 0.11330617)),
    },
    "turn": {
        "two_over_pi": 0.6366197723675814, "shifter": 1.5 * 2**23,
        "half_pi_high": "0x1.921fb544p+0", "half_pi_low": "0x1.0b4611a626331p-34",
        "sine": Polynomial("z", (-0.16666664, 0.008332725, -0.00019582831)),
        "cosine": Polynomial("z", (0.041666664, -0.0013888279, 2.4542871e-05)),
    },
    "tanh": {"poly": Polynomial("z", (-0.3333333, 0.13333113, -0.05390943, 0.021309389, -0.0066102277))},
    "erf": {
        "border": 0.9, "last": 3.92,
        "near": Polynomial("z", (
            0.12837915, -0.37612528, 0.112821944, -0.026780719, 0.0050144843, -0.0006102687)),
        "far": Polynomial("x", (
            0.00032551517, -1.1302625, -0.63176423, -0.110149294, 0.026466524, -0.0047776294, 0.00060107757,
            -4.6613055e-05, 1.6675768e-06)),
    },
    "pow": {
        "low": -104.0, "high": 89.0, "ln2": "0.6931471805599453",
        "poly": Polynomial("f", (
            0.333333333333, -0.250000017167, 0.20000001606, -0.166663591649, 0.142854266216, -0.125153038951,
            0.111254262757, -0.0969306464929, 0.0880386201592, -0.109471862715, 0.101357001716), "float64"),
    },
    "gelu": {"sqrt_half": 0.7071067811865476},
    # -2 sqrt(2/pi), and 0.044715 times it (Hendrycks and Gimpel 2016)
    "gelu_tanh": {"first": -1.5957691216057308, "third": -1.5957691216057308 * 0.044715},
}

FLOAT64: dict[str, dict[str, Number]] = {
    "": {
        "f": "", "infinity": math.inf, "nan": math.nan, "half": 0.5, "sign": "0x8000000000000000u",
        "fraction": "52", "mantissa": "0xfffffffffffffu", "one": "0x3ff0000000000000u",
        "two_thirds": "0x3fe5555555555555u", "smallest": 2.0**-1022, "rescale": 2.0**52,
        "ln2_high": 0.6931471805598903, "ln2_low": 5.497923018708371e-14, "border": 0.55,
    },
    "power": {"low": -746.0, "high": 710.0},
    "scale": {"shifter": 1.5 * 2**52 + 2046},
    "raise": {
        "log2e": 1.4426950408889634, "shifter": 1.5 * 2**52 + 2046,
        "poly": Polynomial("r", (
            0.5000000000000001, 0.16666666666666669, 0.041666666666624164, 0.008333333333330065,
            0.0013888888917196719, 0.00019841269863040545, 2.4801521322368692e-05, 2.7557268480310024e-06,
            2.7620075879983367e-07, 2.5100375832561234e-08)),
    },
    "exponent": {"shifter": 1.5 * 2**52 + 1023, "shifter_bits": "0x4338000000000000u"},
    "log": {
        "poly": Polynomial("f", (
            0.3333333333333333, -0.24999999999999997, 0.20000000000007292, -0.16666666666673666,
            0.1428571428355438, -0.12499999997926427, 0.11111111358713932, -0.10000000237702213,
            0.09090894718066429, -0.08333319535532796, 0.07692785032479312, -0.07143315368653184,
            0.06657072104827468, -0.0624079013522121, 0.06000536404795356, -0.056689908563992544,
            0.04400369243072337, -0.041719942791435476, 0.08082022805971766, -0.07730769181911153)),
    },
    "tanh": {
        "poly": Polynomial("z", (
            -0.3333333333333333, 0.13333333333332714, -0.053968253967434016, 0.021869488493666944,
            -0.008863234397814355, 0.003592110378689024, -0.001455661830100716, 0.0005889360520074057,
            -0.0002346347410887237, 8.511313685577672e-05, -2.060276537636634e-05)),
    },
    "gelu": FLOAT32["gelu"],
    "gelu_tanh": FLOAT32["gelu_tanh"],
}
# fmt: on


def numbers(op: str, dtype: str) -> dict[str, str]:
    """The numbers that the text of an operation may name, as C; empty for integers."""
    table = {"float32": FLOAT32, "float64": FLOAT64}.get(dtype, {})
    return {name: _text(value, dtype) for name, value in (table.get("", {}) | table.get(op, {})).items()}


def _text(value: Number, dtype: str) -> str:
    match value:
        case Polynomial():
            return value.text(dtype)
        case str():
            return value
        case _:
            return _decimal(value, dtype) if math.isfinite(value) else literal(value, dtype)


def _decimal(value: float, dtype: str) -> str:
    """The shortest decimal that the compiler reads as the value."""
    return f"{value!r}{'f' if dtype == 'float32' else ''}"
