"""What the client adds to a kernel's own time: `python benchmarks/client_overhead.py`. Needs gcc.

Medians of interleaved samples; a busy machine makes all of them larger, the bare C call included.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import statistics
import subprocess
import sys
import tempfile
import timeit
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from cffi import FFI

from ansord.store import Store
from ansord_client import Client, Subgraph
from ansord_client.entry import Entry
from ansord_client.host import host

SOURCE = """
#include <stdint.h>
int32_t ansord_run(void *const *args, const void *packed, void *scratch) { return 0; }
int32_t ansord_pack(const void *const *constants, void *packed) { return 0; }
"""
SHAPE = [64, 64]
SUBGRAPH = {
    "ansord": 1,
    "name": "nothing",
    "inputs": [
        {"name": "x", "shape": SHAPE, "dtype": "float32"},
        {"name": "w", "shape": SHAPE, "dtype": "float32", "constant": True},
        {"name": "b", "shape": SHAPE[:1], "dtype": "float32", "constant": True},
    ],
    "nodes": [
        {"name": "y", "op": "matmul", "args": ["x", "w"]},
        {"name": "z", "op": "add", "args": ["y", "b"]},
        {"name": "out", "op": "relu", "args": ["z"]},
    ],
    "outputs": ["out"],
}
FIRST = """
import sys, time, json
import ansord_client as client
start = time.perf_counter()
sg = client.load_subgraph(sys.argv[2])
read = time.perf_counter()
client.Client(cache=sys.argv[1]).get_kernel(sg)
print(json.dumps([read - start, time.perf_counter() - read]))
"""


def publish(root: Path, sg: Subgraph) -> None:
    """A kernel that does nothing, so that what is left is ours."""
    (root / "k.c").write_text(SOURCE)
    flags = ["-O2", "-shared", "-fPIC", "-nostartfiles", "-Wl,-z,noexecstack"]
    subprocess.run(["gcc", *flags, "-o", root / "k.so", root / "k.c"], check=True)
    code = (root / "k.so").read_bytes()
    here = host()
    entry = Entry(
        key=sg.key,
        host_key=here.key,
        arch=here.arch,
        isa=here.isa,
        threads=here.threads,
        object=hashlib.sha256(code).hexdigest(),
        size=len(code),
        inputs=tuple((one.shape, one.dtype, one.constant) for one in sg.inputs),  # type: ignore[misc]
        outputs=tuple((sg.tensor(name).shape, sg.tensor(name).dtype) for name in sg.outputs),  # type: ignore[misc]
        packed_bytes=64,
        scratch_bytes=64,
    )
    with Store.open(root / "cache") as store:
        store.publish(entry, code)


def race(
    cases: dict[str, Callable[[], object]], calls: int = 20, rounds: int = 1000
) -> dict[str, list[float]]:
    """Seconds of one call of each, sampled in turn: at each place the cases met the same machine."""
    timers = {name: timeit.Timer(call) for name, call in cases.items()}
    samples: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(rounds):
        for name, timer in timers.items():
            samples[name].append(timer.timeit(calls) / calls)
    return samples


def first(root: Path, sg: Subgraph, times: int = 15) -> tuple[list[float], list[float]]:
    """Seconds of reading the file, and of the first `get_kernel`, in fresh processes."""
    (root / "sg.json").write_text(json.dumps(sg.to_dict()))
    command = [sys.executable, "-c", FIRST, str(root / "cache"), str(root / "sg.json")]
    runs = [json.loads(subprocess.run(command, capture_output=True, check=True).stdout) for _ in range(times)]
    return [run[0] for run in runs], [run[1] for run in runs]


Row = tuple[str, tuple[float, float], str, float | None]
"""What it is, its median and its best in `unit`, the unit, and what is promised of it."""


def measure(rounds: int = 1000, times: int = 15) -> list[Row]:
    """All rows; `rounds` of calls, `times` fresh processes."""
    sg = Subgraph.from_dict(SUBGRAPH)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        publish(root, sg)
        client = Client(cache=root / "cache")
        kernel = client.get_kernel(sg)
        x, w, y = (np.ones(SHAPE, np.float32) for _ in range(3))
        others = [(np.ones(SHAPE, np.float32), np.ones(SHAPE, np.float32)) for _ in range(16)]
        bound = kernel.bind(w=w, b=w[0].copy())
        ffi = FFI()
        ffi.cdef("int32_t ansord_run(void *const *, const void *, void *);")
        run, null = ffi.dlopen(str(root / "k.so")).ansord_run, ffi.NULL
        args = ffi.new("void *[4]", [ffi.from_buffer(array) for array in (x, w, w, y)])

        def rotate() -> None:
            for one, two in others:
                bound(one, out=two)

        def same() -> None:
            for _ in others:
                bound(x, out=y)

        def bare() -> None:
            for _ in others:
                run(args, null, null)

        cases: dict[str, Callable[[], object]] = {"bare": bare, "same": same, "other": rotate}
        got = race({**cases, "get": lambda: client.get_kernel(sg)}, rounds=rounds)
        read, load = first(root, sg, times)
    each = {name: [value / len(others) for value in got[name]] for name in cases}

    def told(samples: list[float], less: Sequence[float] = (0.0,)) -> tuple[float, float]:
        """(median, best) seconds, over those of `less`."""
        return statistics.median(samples) - statistics.median(less), min(samples) - min(less)

    rows = [
        ("warm get_kernel(Subgraph)", told(got["get"]), "µs", 5.0),
        ("bound call over the bare C call, the same arrays", told(each["same"], each["bare"]), "µs", 0.5),
        ("bound call over the bare C call, other arrays", told(each["other"], each["bare"]), "µs", 2.5),
        ("first get_kernel in a fresh process", told(load), "ms", 5.0),
        ("(the bare C call through cffi)", told(each["bare"]), "µs", None),
        ("(reading the subgraph file in a fresh process)", told(read), "ms", None),
    ]
    scale = {"µs": 1e6, "ms": 1e3}
    return [
        (name, (middle * scale[unit], best * scale[unit]), unit, aim)
        for name, (middle, best), unit, aim in rows
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="the rows as JSON")
    parser.add_argument("--quick", action="store_true", help="a hundredth of the samples")
    options = parser.parse_args()
    rows = measure(10, 2) if options.quick else measure()
    if options.json:
        print(json.dumps(rows))
        return
    print(f"{'':50s} {'median':>8s} {'best':>8s}      aim")
    for name, (middle, best), unit, aim in rows:
        print(f"{name:50s} {middle:8.2f} {best:8.2f} {unit}   {f'< {aim:g}' if aim else ''}")


if __name__ == "__main__":
    main()
