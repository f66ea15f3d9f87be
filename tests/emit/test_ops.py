"""Every operation of the expression language in C, by value, for every type and for vectors of any length."""

from __future__ import annotations

import platform
import subprocess
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from ansord.emit.ops import helper
from ansord.emit.unit import Unit
from ansord_client.expr import OPERATIONS
from ansord_client.reference.scalar import SCALAR, cast
from tests.emit.elements import EXACT, FLOATS, ROUNDED, Array, Case, Elements

x86 = pytest.mark.skipif(platform.machine() != "x86_64", reason="names instruction sets of x86")
LIBRARIES = [
    pytest.param(1, (), id="scalar"),
    pytest.param(2, (), id="2"),
    pytest.param(16, (), id="16"),
    pytest.param(64, (), id="64"),
    pytest.param(4, ("-march=x86-64",), id="sse2", marks=x86),
    pytest.param(8, ("-march=haswell",), id="avx2", marks=x86),
    pytest.param(1, ("-O1", "-fsanitize=undefined"), id="sanitized"),
    pytest.param(16, ("-O1", "-fsanitize=undefined"), id="sanitized16"),
]
WHOLE = (0, 1, 2, 77, 127, 128, 254, 255, 2**31 - 1, 2**63 - 1, -1, -2, -77, -127, -128, -(2**31), -(2**63))
REAL = (
    *(0.0, 0.5, 1.0, 1.5, 2.0, 126.9, 127.0, 127.5, 128.0, 255.0, 255.9, 256.0, 1e-45, 1e-310, 3e38, 1e300),
    *(2.0**31 - 128, 2.0**31 - 0.5, 2.0**31, 2.0**31 + 256, 2.0**63, 2.0**63 - 2.0**39, 2.0**64, np.inf),
)


def special(dtype: str) -> Array:
    """Values at which implementations differ."""
    if dtype == "bool":
        return np.array([False, True])
    if dtype in FLOATS:
        return np.array([*REAL, *(-value for value in REAL), np.nan]).astype(dtype)
    row = np.iinfo(dtype)
    return np.array([value for value in WHOLE if row.min <= value <= row.max], dtype)


def arguments(case: Case) -> list[Array]:
    """Every combination of special values, and as many random ones."""
    values = [special(dtype)[:: 1 if case.arity < 3 else 2] for dtype in case.sources]
    combined = list(np.array(list(product(*map(range, map(len, values))))).T)
    rng = np.random.default_rng(7)
    draws = [_draw(rng, dtype, len(combined[0])) for dtype in case.sources]
    return [np.concatenate([v[at], draw]) for v, at, draw in zip(values, combined, draws, strict=True)]


def _draw(rng: np.random.Generator, dtype: str, count: int) -> Array:
    if dtype in FLOATS:
        return (rng.standard_normal(count) * 100).astype(dtype)
    return rng.integers(-128, 128, count).astype(dtype) if dtype != "bool" else rng.random(count) < 0.5


def expected(case: Case, args: list[Array]) -> Array:
    """What the client's reference says."""
    return cast(args[0], case.dtype) if case.op == "cast" else SCALAR[case.op](*args)


def test_every_operation_is_tried() -> None:
    assert {case.op for case in (*EXACT, *ROUNDED)} == OPERATIONS


@pytest.mark.parametrize(("lanes", "flags"), LIBRARIES)
def test_operations_are_those_of_the_reference(
    lanes: int, flags: tuple[str, ...], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    elements = Elements(EXACT, lanes, tmp_path, *flags)
    with np.errstate(all="ignore"):
        for case in EXACT:
            args = arguments(case)
            np.testing.assert_array_equal(elements(case, *args), expected(case, args), err_msg=str(case))
    assert "runtime error" not in capfd.readouterr().err


@pytest.mark.parametrize("op", ["exp", "sqrt", "div", "logical_and", "sin", "unheard_of"])
def test_an_operation_without_meaning_is_refused(op: str) -> None:
    with pytest.raises(KeyError):
        helper(op, "int32", "int32", 1, 16)


def test_a_function_stands_once_and_after_what_it_calls() -> None:
    unit = Unit()
    for op in ("gelu", "exp", "tanh", "gelu", "sigmoid"):
        unit.call(op, "float32", "float32", 1, 16)
    text = unit.text([])
    names = list(unit.helpers)
    assert all(text.count(f" {name}(") >= 1 and text.count(f"static {name}(") <= 1 for name in names)
    for name in names:
        made = text.index(f" {name}(")
        assert all(text.index(f" {need}(") < made for need in names[: names.index(name)])
    assert names.index("power_f32x16") < names.index("erf_f32x16") < names.index("gelu_f32x16")


def test_only_what_is_used_is_emitted() -> None:
    unit = Unit()
    unit.call("maximum", "float32", "float32", 2, 16)
    assert set(unit.helpers) == {"maximum_f32x16", "pick_f32x16"}
    assert unit.lanes == {16}


@x86
@pytest.mark.parametrize("op", ["sqrt", "floor", "abs"])
@pytest.mark.parametrize(("march", "lanes"), [("haswell", 8), ("skylake-avx512", 16)])
def test_one_instruction_where_the_machine_has_it(op: str, march: str, lanes: int) -> None:
    unit = Unit()
    name = unit.call(op, "float32", "float32", 1, lanes)
    kind = unit.vector("float32", lanes)
    text = unit.text([f"void f({kind} *a) {{ *a = {name}(*a); }}"])
    command = ["gcc", "-O2", "-fno-math-errno", f"-march={march}", "-w", "-S", "-x", "c", "-", "-o", "-"]
    listing = subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout
    body = listing[listing.index("f:\n") : listing.index(".size\tf")]
    lines = [line.split()[0] for line in body.splitlines() if line.startswith("\tv")]
    # a load, the instruction, a store; of abs the mask too
    assert len([name for name in lines if name != "vzeroupper"]) <= (4 if op == "abs" else 3), lines
