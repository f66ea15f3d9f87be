"""The lanes of one vector, combined, against NumPy: every combiner, type and width."""

from __future__ import annotations

import ctypes
import subprocess
from itertools import product
from pathlib import Path

import numpy as np

from ansord.build import find_compiler
from ansord.emit.ctype import CTYPES
from ansord.emit.unit import Unit
from tests.emit.elements import NUMBERS

COMBINERS = {"add": np.add, "mul": np.multiply, "maximum": np.maximum, "minimum": np.minimum}
LANES = (2, 4, 8, 16, 64)


def test_lanes_are_combined(tmp_path: Path) -> None:
    unit, body = Unit(), []
    cases = list(product(COMBINERS, NUMBERS, LANES))
    for combiner, dtype, lanes in cases:
        kind, name = CTYPES[dtype].name, unit.fold(combiner, dtype, lanes)
        vector = unit.vector(dtype, lanes)
        body.append(f"void run_{name}(const {kind} *a, {kind} *y) {{ *y = {name}(*(const {vector} *)a); }}")
    (tmp_path / "fold.c").write_text(unit.text(body))
    compiler = find_compiler()
    command = [compiler.path, *compiler.flags(final=False), "-shared", "-o", "fold.so", "fold.c"]
    subprocess.run(command, cwd=tmp_path, check=True)
    library, rng = ctypes.CDLL(str(tmp_path / "fold.so")), np.random.default_rng(7)
    for combiner, dtype, lanes in cases:
        given = rng.integers(-3, 4, lanes).astype(dtype)
        given[rng.integers(lanes)] = 7
        tries = [given]
        if CTYPES[dtype].kind == "float":  # a NaN in any lane is the result
            tries += [np.where(lane, np.nan, given).astype(dtype) for lane in np.eye(lanes)]
        for x in tries:
            y = np.empty((), dtype)
            run = getattr(library, f"run_{unit.fold(combiner, dtype, lanes)}")
            run(ctypes.c_void_p(x.ctypes.data), ctypes.c_void_p(y.ctypes.data))
            with np.errstate(all="ignore"):
                right = COMBINERS[combiner].reduce(x, dtype=dtype)
            np.testing.assert_array_equal(y, right, f"{combiner} {dtype} {lanes}")
