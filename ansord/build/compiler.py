"""The compiler that is used: found, fingerprinted, and its command line for one kernel.

`tune` finds it once at start; the entry keeps what `provenance` says. Nothing here compiles anything.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ansord_client.errors import AnsordError

# (flag, which kinds take it, why it is here). What decides the code is the same for every kernel.
FLAGS: tuple[tuple[str, str, str], ...] = (
    ("-std=gnu11", "gcc clang", "vector types and statement expressions"),
    ("-march=native", "gcc clang", "the host key keeps the object off hosts that lack an instruction"),
    ("-fopenmp", "gcc clang", "parallel loops"),
    ("-fPIC", "gcc clang", "a shared object"),
    ("-fno-tree-vectorize", "gcc", "vectors are explicit; gcc's SLP pass takes register blocks apart again"),
    ("-fno-vectorize", "clang", "as above"),
    ("-fno-slp-vectorize", "clang", "as above"),
    ("-fno-predictive-commoning", "gcc", "-O3 keeps a window's last elements for the next step, and spills"),
    ("-fno-math-errno", "gcc clang", "sqrt, floor and the like become instructions; no result changes"),
    ("-fno-trapping-math", "gcc clang", "nobody reads the exception flags; selects become masked operations"),
    ("-ffp-contract=fast", "gcc clang", "a product and a sum round once; NaN, inf and -0 stay IEEE"),
    ("-fno-stack-protector", "gcc clang", "on by default in places; it costs time"),
    ("-w", "gcc clang", "nobody reads the warnings of generated text"),
    ("-fno-ident", "gcc", "nothing in the object but code: equal text gives equal bytes"),
    ("-fdiagnostics-color=never", "gcc clang", "messages are read by people and kept in records"),
    ("-fmax-errors=5", "gcc", "the first errors tell"),
    ("-ferror-limit=5", "clang", "as above"),
    ("-pipe", "gcc clang", "the assembler starts while the compiler runs; 2 to 4 ms"),
)
QUICK: tuple[tuple[str, str, str], ...] = (
    ("-fno-tree-pre", "gcc", "with the next: common values have names already; an eighth of the time"),
    ("-fno-code-hoisting", "gcc", "as above"),
    ("-fno-gcse", "gcc", "as above"),
    ("-fno-tree-vrp", "gcc", "with the next two: conditions are few, and in their place"),
    ("-fno-tree-dominator-opts", "gcc", "as above"),
    ("-fno-thread-jumps", "gcc", "as above"),
    ("-fno-tree-loop-ivcanon", "gcc", "loops have their shape"),
    ("-fno-tree-loop-distribute-patterns", "gcc", "nobody fills or copies memory in a scalar loop"),
    ("-fno-ipa-cp", "gcc", "with the next: one function, and small ones to inline"),
    ("-fno-ipa-sra", "gcc", "as above"),
    ("-fno-ipa-icf", "gcc", "as above"),
    ("-fno-asynchronous-unwind-tables", "gcc", "nobody unwinds a candidate"),
)
# What the compiler need not do for a candidate: together a fifth of its time, and no change in speed beyond
# 2.5% in the median of twelve programs of five kinds (gcc 12, AVX-512).
LINK: tuple[tuple[str, str, str], ...] = (
    ("-shared", "gcc clang", "the client opens it with dlopen"),
    ("-fno-use-linker-plugin", "gcc", "no link-time optimisation: 1 to 2 ms"),
    ("-nostdlib", "gcc clang", "no constructors; libraries are named by path, which saves 5 ms"),
    ("-Wl,-s", "gcc clang", "names of source files would make equal kernels differ"),
    ("-Wl,--build-id=none", "gcc clang", "the store names objects by their content"),
    ("-Wl,--hash-style=gnu", "gcc clang", "one symbol table is enough"),
    ("-Wl,-z,now", "gcc clang", "a missing function fails the load, not a call"),
    ("-Wl,-z,relro", "gcc clang", "the loader's tables are read-only after the load"),
    ("-Wl,-z,noexecstack", "gcc clang", "the client refuses an executable stack"),
    ("-Wl,-z,defs", "gcc clang", "a call to anything outside the three libraries fails the build"),
    ("-Wl,--as-needed", "gcc clang", "a serial kernel must load where OpenMP is missing"),
)
# The libraries that kernels are linked with, in the order of preference.
SONAMES: dict[str, dict[str, tuple[str, ...]]] = {
    "gcc": {"openmp": ("libgomp.so.1",), "m": ("libm.so.6",), "c": ("libc.so.6",)},
    "clang": {"openmp": ("libomp.so.5", "libomp.so"), "m": ("libm.so.6",), "c": ("libc.so.6",)},
}
_MATH = re.compile(
    r"\b(?:__builtin_)?(?:a?(?:sin|cos|tan)h?|exp[2m]?1?|log(?:2|10|1p)?|pow|erfc?|[lt]gamma|fmod|remainder|cbrt|hypot|sqrt|fma"
    r"|floor|ceil|trunc|round|rint|nearbyint|ldexp|frexp|atan2|fdim|fmin|fmax|copysign)f?\s*\("
)


class NoCompiler(AnsordError):
    """No usable C compiler on this machine; the text says what to install."""


@dataclass(frozen=True, slots=True)
class Compiler:
    """A C compiler of this machine. `digest`: sha256 over the driver and the compiler proper, hex."""

    path: str
    kind: str
    version: str
    digest: str
    target: str
    libraries: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return f"{self.kind} {self.version} ({self.path}, {self.digest[:12]})"

    def flags(self, final: bool) -> tuple[str, ...]:
        """What decides the code of a kernel; `final`: spend more on it, for 0.3 to 2% of speed."""
        level = "-O3" if final else "-O2"
        table = FLAGS if final else (*FLAGS, *QUICK)
        return (level, *(flag for flag, kinds, _ in table if self.kind in kinds.split()))

    def provenance(self, final: bool) -> Mapping[str, str]:
        """For the entry: what made the object, never part of a lookup."""
        return {
            "compiler": f"{self.kind} {self.version}",
            "compiler_digest": self.digest,
            "flags": " ".join(self.flags(final)),
            "target": self.target,
        }

    def command(self, source: str, output: str, *, final: bool, math: bool, careful: bool) -> list[str]:
        """The argument vector that makes `output` of `source`.

        `final`: as `flags` says. `math`: link libm. `careful`: link as the driver itself would, for a text
        that needs something else (the compiler's own support library, say).
        """
        link = [flag for flag, kinds, _ in LINK if self.kind in kinds.split()]
        libraries = dict(self.libraries)
        if careful:
            link.remove("-nostdlib")
            named = ["-lm"]
        else:
            named = [libraries[name] for name in ("openmp", "m", "c") if name != "m" or math]
        return [self.path, *self.flags(final), *link, "-o", output, source, *named]


def needs_math(text: str) -> bool:
    """Whether `text` may call libm; too often is harmless, too seldom costs a second link."""
    return _MATH.search(text) is not None


def find_compiler(wanted: str | None = None) -> Compiler:
    """The compiler `wanted` (a path or a name), else gcc, else clang.

    Raises NoCompiler when there is none or it cannot make a shared object with OpenMP.
    """
    names = [wanted] if wanted else ["gcc", "clang"]
    there = [found for name in names if (found := shutil.which(name))]
    if not there:
        raise NoCompiler(f"found no {' or '.join(names)}; hint: apt install gcc, or name one in ansord.toml")
    path = os.path.abspath(there[0])
    banner = _ask(path, "--version").splitlines()[0]
    kind = "clang" if "clang" in banner.lower() else "gcc"
    version = _ask(path, "-dumpfullversion" if kind == "gcc" else "-dumpversion").strip()
    libraries = {name: _library(path, sonames) for name, sonames in SONAMES[kind].items()}
    if not os.path.isabs(libraries["openmp"]):
        package = {"gcc": "libgomp1", "clang": "libomp-dev"}[kind]
        raise NoCompiler(f"{path} has no {SONAMES[kind]['openmp'][0]}; hint: apt install {package}")
    return Compiler(path, kind, version, _digest(path, kind), _target(path), tuple(libraries.items()))


def environment(compiler: Compiler, directory: str) -> dict[str, str]:
    """All that a compiler process sees of the environment; `directory` takes its temporary files."""
    return {"PATH": f"{os.path.dirname(compiler.path)}:/usr/bin:/bin", "LC_ALL": "C", "TMPDIR": directory}


def _ask(path: str, *args: str) -> str:
    try:
        done = subprocess.run(
            [path, *args],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=20,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise NoCompiler(f"{path} {' '.join(args)}: {error}; hint: is it a C compiler?") from error
    if done.returncode != 0:
        said = done.stderr.strip()[:300]
        raise NoCompiler(f"{path} {' '.join(args)}: {said}; hint: is it a working C compiler?")
    return done.stdout or done.stderr


def _library(path: str, sonames: tuple[str, ...]) -> str:
    """The file that one of `sonames` means to this compiler; "-lNAME" where it does not say."""
    for soname in sonames:
        where = _ask(path, f"-print-file-name={soname}").strip()
        if os.path.isabs(where) and os.path.exists(where):
            return os.path.realpath(where)
    return "-l" + sonames[0].removeprefix("lib").split(".")[0]


def _target(path: str) -> str:
    """What -march=native comes to here, as the compiler proper is told: two hosts are compared by it."""
    plan = _ask(path, "-march=native", "-###", "-x", "c", "-c", "/dev/null", "-o", "/dev/null")
    names = re.findall(r'-(march|mtune|mcpu|target-cpu)(?:=|"? "?)([\w.+-]+)', plan)
    return " ".join(dict.fromkeys(f"{name}={value}" for name, value in names if value != "native"))


def _digest(path: str, kind: str) -> str:
    """sha256 over the binaries that make code; a version string may stay while they change."""
    parts = [path] if kind == "clang" else [path, _ask(path, "-print-prog-name=cc1").strip()]
    total = hashlib.sha256()
    for part in parts:
        if os.path.isabs(part):
            total.update(hashlib.sha256(Path(part).read_bytes()).digest())
    return total.hexdigest()
