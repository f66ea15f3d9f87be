"""A C function that kernels call, and how its text is written.

Texts are C with `$names`. `$T` is the type that the function works on, `$S` its element, `$M` the integer
type of its comparisons, `$U` the unsigned one, `$B` bools, `$i32` and the like another type of as many lanes,
`$N` the lanes. `$self` is the function; any other name is one of `coefficients`, or a helper that it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from string import Template

from ansord.emit.coefficients import numbers
from ansord.emit.ctype import CTYPES, SCALARS, short


@dataclass(frozen=True, slots=True)
class Helper:
    """A static C function; `lanes` says which vector types its text names, `needs` what it calls."""

    name: str
    text: str
    lanes: int = 1
    needs: tuple[Helper, ...] = ()


class _Names(dict[str, str]):
    def __init__(self, given: Mapping[str, str], find: Callable[[str], Helper]) -> None:
        super().__init__(given)
        self.find = find
        self.needs: dict[str, Helper] = {}

    def __missing__(self, name: str) -> str:
        self.needs[name] = self.find(name)
        return self.needs[name].name


def ctype(key: str, lanes: int) -> str:
    """The C type of `lanes` elements with the short name `key`."""
    return f"{key}x{lanes}" if lanes > 1 else SCALARS[key]


def write(
    op: str, text: str, dtype: str, lanes: int, find: Callable[[str], Helper], elementary: bool = False
) -> Helper:
    """The function `op` over `lanes` elements of `dtype`; `find` gives the helpers that the text names.

    Elementary functions are not called inline: gcc decides, by their size and the number of calls.
    """
    own = CTYPES[dtype]
    given = {key: ctype(key, lanes) for key in SCALARS} | {
        "self": f"{op}_{short(dtype, lanes)}",
        "N": str(lanes),
        "S": own.name,
        "T": ctype(own.short, lanes),
        "M": ctype(own.mask, lanes) if lanes > 1 else "int",
        "U": ctype(own.unsigned, lanes),
        "B": ctype("u8", lanes),
    }
    names = _Names(given | numbers(op, dtype), find)
    written = Template(text.strip()).substitute(names)
    kind = "static" if elementary else "static inline"
    return Helper(given["self"], f"{kind} {written}", lanes, tuple(names.needs.values()))
