from __future__ import annotations

import math
import shutil
from pathlib import Path

import cffi
import pytest

from ansord.build import Artifact, Builder, Compiler, NoCompiler, find_compiler
from ansord.build.compiler import QUICK, needs_math

CLANG = next(filter(None, map(shutil.which, ("clang", "clang-14", "clang-16", "clang-18"))), None)
NAMES = ["gcc", pytest.param(CLANG, marks=pytest.mark.skipif(CLANG is None, reason="no clang here"))]

SEMANTICS = r"""
#include <math.h>
typedef float v __attribute__((vector_size(16), aligned(4), may_alias));
typedef int m __attribute__((vector_size(16)));
static v pick(m c, v a, v b) { return (v)(((m)a & c) | ((m)b & ~c)); }
void relu(float *x) { v a = *(v *)x, z = {0}; *(v *)x = pick(a < z, z, a); }
void clip(float *x) { v a = *(v *)x, l = {-1, -1, -1, -1}, h = {1, 1, 1, 1};
  a = pick(a < l, l, a); *(v *)x = pick(a > h, h, a); }
void maxv(float *x) { float r = -INFINITY;
  for (int i = 0; i < 4; i++) r = (x[i] > r || x[i] != x[i]) ? x[i] : r;
  x[0] = r; }
double add(double a, double b) { return a + b; }
double mul(double a, double b) { return a * b; }
double self(double a) { return a - a; }
double zero(double a) { return a * 0.0; }
double plus(double a) { return a + 0.0; }
double root(double a) { return sqrt(a); }
double power(double a, double b) { return pow(a, b); }
int same(double a) { return a == a; }
int sign(double a) { return signbit(a) != 0; }
"""


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("final", [False, True])
@pytest.mark.asyncio
async def test_arithmetic_stays_ieee(name: str, final: bool, tmp_path: Path) -> None:
    async with Builder(find_compiler(name), workers=1, directory=tmp_path) as builder:
        built = await builder.build(SEMANTICS, final=final)
        assert isinstance(built, Artifact), built
        ffi = cffi.FFI()
        ffi.cdef(
            "void relu(float *); void clip(float *); void maxv(float *); double add(double, double);"
            "double mul(double, double); double self(double); double zero(double); double plus(double);"
            "double root(double); double power(double, double); int same(double); int sign(double);"
        )
        lib = ffi.dlopen(str(built.path))
        inf, nan = math.inf, math.nan

        def through(function: object, *values: float) -> list[float]:
            array = ffi.new("float[4]", list(values))
            function(array)  # type: ignore[operator]
            return list(array)

        kept = through(lib.relu, nan, -inf, inf, -2.0)
        assert math.isnan(kept[0]) and kept[1:] == [0.0, inf, 0.0]
        kept = through(lib.clip, nan, -inf, inf, 0.5)
        assert math.isnan(kept[0]) and kept[1:] == [-1.0, 1.0, 0.5]
        assert through(lib.maxv, 1.0, 3.0, 2.0, -inf)[0] == 3.0
        assert math.isnan(through(lib.maxv, 1.0, nan, 3.0, 2.0)[0])
        assert math.isnan(lib.self(inf)) and math.isnan(lib.self(nan)) and lib.self(1.0) == 0
        assert math.isnan(lib.zero(inf)) and lib.sign(lib.zero(-1.0)) == 1
        assert lib.sign(lib.plus(-0.0)) == 0 and lib.sign(lib.mul(-0.0, 1.0)) == 1
        assert lib.same(nan) == 0 and math.isnan(lib.add(inf, -inf))
        assert math.isnan(lib.root(-1.0)) and lib.root(4.0) == 2.0 and lib.power(2.0, 10.0) == 1024.0
        assert lib.mul(5e-324, 1.0) == 5e-324  # denormals are kept


@pytest.mark.parametrize("name", NAMES)
def test_a_compiler_is_fingerprinted(name: str) -> None:
    compiler = find_compiler(name)
    assert compiler == find_compiler(name)
    assert compiler.kind in name and len(compiler.digest) == 64 and compiler.version[0].isdigit()
    assert compiler.target and "native" not in compiler.target
    assert set(compiler.provenance(True)) == {"compiler", "compiler_digest", "flags", "target"}
    assert compiler.kind in str(compiler)


def test_the_search_builds_cheaper_than_the_final_kernel() -> None:
    compiler = find_compiler()
    quick = compiler.command("a.c", "a.so", final=False, math=False, careful=False)
    final = compiler.command("a.c", "a.so", final=True, math=False, careful=False)
    less = [flag for flag, kinds, _ in QUICK if compiler.kind in kinds.split()]
    assert quick[1] == "-O2" and final[1] == "-O3"
    assert [word for word in quick[2:] if word not in less] == final[2:]
    assert all(flag in quick for flag in less)
    assert not any("libm.so" in part for part in quick)
    math = compiler.command("a.c", "a.so", final=True, math=True, careful=False)
    assert any("libm.so" in part for part in math)


@pytest.mark.parametrize(
    ("text", "math"),
    [
        *[("x = expf(y);", True), ("tanh (x)", True), ("powf(x)", True), ("__builtin_sinf(x)", True)],
        *[("max(a, b)", False), ("exp = 3", False), ("exp_f32x16(x)", False)],
    ],
)
def test_libm_is_linked_where_it_is_called(text: str, math: bool) -> None:
    assert needs_math(text) is math


def test_what_is_no_compiler_is_refused_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(NoCompiler, match="hint"):
        find_compiler(str(tmp_path / "nothing"))
    with pytest.raises(NoCompiler, match="hint"):
        find_compiler("/bin/false")
    fake = tmp_path / "cc"
    fake.write_text("#!/bin/sh\necho gcc 99\n")
    fake.chmod(0o755)
    with pytest.raises(NoCompiler, match="libgomp"):
        find_compiler(str(fake))


def test_a_compiler_is_a_value() -> None:
    one = Compiler("/usr/bin/cc", "gcc", "1.0", "00", "march=x", ())
    assert hash(one) == hash(Compiler("/usr/bin/cc", "gcc", "1.0", "00", "march=x", ()))
