"""The functions of `ops` as functions on arrays: compiled into a library of loops, called by their case."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ansord.build import find_compiler
from ansord.emit.ctype import CTYPES
from ansord.emit.unit import Unit
from ansord_client.expr import COMPARISONS, LOGIC

Array = NDArray[Any]
FLOATS = ("float32", "float64")
NUMBERS = (*FLOATS, "int8", "uint8", "int32", "int64")
TYPES = (*NUMBERS, "bool")
ELEMENTARY = (
    *("exp", "log", "sin", "cos", "tanh", "erf", "sqrt", "rsqrt", "sigmoid", "silu", "gelu", "gelu_tanh"),
    "hard_swish",
)


@dataclass(frozen=True)
class Case:
    """An operation from `source` to `dtype`."""

    op: str
    dtype: str
    source: str
    arity: int

    @property
    def sources(self) -> tuple[str, ...]:
        """The types of the arguments."""
        first = "bool" if self.op == "where" else self.source
        return (first, *(self.source,) * (self.arity - 1))

    def __str__(self) -> str:
        return f"{self.op}_{self.dtype}_{self.source}"


def _family(ops: Iterable[str], types: Iterable[str], arity: int) -> list[Case]:
    return [Case(op, dtype, dtype, arity) for op in ops for dtype in types]


EXACT = (
    *(Case(op, "bool", source, 2) for op in sorted(COMPARISONS) for source in TYPES),
    *(Case(op, "bool", "bool", 1 if op == "logical_not" else 2) for op in sorted(LOGIC)),
    *_family(("add", "sub", "mul", "maximum", "minimum"), NUMBERS, 2),
    *_family(("relu", "neg", "abs", "floor"), NUMBERS, 1),
    *_family(("div", "leaky_relu"), FLOATS, 2),
    *_family(("clip",), NUMBERS, 3),
    *_family(("where",), TYPES, 3),
    *(Case("cast", dtype, source, 1) for dtype in TYPES for source in TYPES),
)
"""Every operation that has one right answer, with every type that the contract allows."""
ROUNDED = (*_family(ELEMENTARY, FLOATS, 1), *_family(("pow",), FLOATS, 2))
"""The rest."""


class Elements:
    """A library of loops over vectors of `lanes`, made of a kernel's own helpers with a kernel's own flags.

    `flags` come after those of the kernels.
    """

    def __init__(self, cases: Iterable[Case], lanes: int, directory: Path, *flags: str) -> None:
        self.lanes = lanes
        unit, body = Unit(), []
        for case in cases:
            body.append(_loop(unit, case, lanes))
        text, path = directory / "elements.c", directory / "elements.so"
        text.write_text(unit.text(body))
        compiler = find_compiler()
        command = compiler.command(str(text), str(path), final=False, math=True, careful=True)
        subprocess.run([*command, *flags], check=True)
        self.library = ctypes.CDLL(str(path))

    def __call__(self, case: Case, *args: Array) -> Array:
        """The operation over arrays of one length."""
        count = -(-len(args[0]) // self.lanes) * self.lanes
        padded = [np.resize(arg, count) for arg in args]
        result = np.empty(count, case.dtype)
        function = self.library[str(case)]
        function(*(ctypes.c_void_p(array.ctypes.data) for array in (*padded, result)), ctypes.c_long(count))
        return result[: len(args[0])]


def _loop(unit: Unit, case: Case, lanes: int) -> str:
    name = unit.call(case.op, case.dtype, case.source, case.arity, lanes)
    dtypes = (*case.sources, case.dtype)
    elements = [CTYPES[dtype].name for dtype in dtypes]
    kinds = [unit.vector(dtype, lanes) for dtype in dtypes] if lanes > 1 else elements
    names = "abc"[: case.arity]
    params = ", ".join(f"const {kind} *{arg}" for kind, arg in zip(elements, names, strict=False))
    args = ", ".join(f"*(const {kind} *)({arg} + i)" for kind, arg in zip(kinds, names, strict=False))
    return (
        f"void {case}({params}, {elements[-1]} *y, long n) {{\n"
        f"  for (long i = 0; i < n; i += {lanes}) *({kinds[-1]} *)(y + i) = {name}({args});\n}}"
    )
