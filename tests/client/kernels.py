"""Small real kernels for the tests: C text, compiled with gcc once per session, and entries for them."""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from ansord.store import Store
from ansord_client import Client, Kernel
from ansord_client.entry import Entry
from ansord_client.host import Host, host
from ansord_client.subgraph import Subgraph

HEAD = """
#include <stdint.h>
#include <string.h>
#define RUN int32_t ansord_run(void *const *args, const void *packed, void *scratch)
#define PACK int32_t ansord_pack(const void *const *constants, void *packed)
"""

FLAGS = ("-O2", "-shared", "-fPIC", "-nostartfiles", "-Wl,-z,now", "-Wl,-z,relro", "-Wl,-z,noexecstack")


@cache
def compiled(text: str, *more: str, flags: tuple[str, ...] = FLAGS) -> bytes:
    """The bytes of a shared object."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "k.c"), Path(folder, "k.so")
        source.write_text(HEAD + text)
        subprocess.run(["gcc", *flags, *more, "-o", target, source, "-lm"], check=True)
        return target.read_bytes()


def add(constant: float, n: int = 16) -> str:
    """y = x + constant."""
    return f"RUN {{ const float *x = args[0]; float *y = args[1]; \
        for (int i = 0; i < {n}; i++) y[i] = x[i] + {float(constant)}f; return 0; }}"


def entry(code: bytes, key: str | None = None, at: Host | None = None, **more: Any) -> Entry:
    """An entry of a kernel of one float32 input and output of 16 elements, unless told otherwise."""
    at = at or host()
    fields: dict[str, Any] = {
        "key": key or "ab" + "0" * 62,
        "host_key": at.key,
        "arch": at.arch,
        "isa": at.isa,
        "threads": at.threads,
        "object": hashlib.sha256(code).hexdigest(),
        "size": len(code),
        "inputs": (((16,), "float32", False),),
        "outputs": (((16,), "float32"),),
        "latency_us": 1.5,
        "latency_ci_us": (1.4, 1.6),
        "program": "nothing",
        "provenance": {"compiler": "gcc"},
        "finished": 1.0,
    }
    return Entry(**{**fields, **more})


def subgraph(*inputs: tuple[str, list[int], str] | tuple[str, list[int], str, bool], **more: Any) -> Subgraph:
    """A chain of adds over the inputs (name, shape, dtype, constant), all of one dtype, to the output `y`."""
    names = [one[0] for one in inputs]
    nodes: list[dict[str, Any]] = []
    for number, name in enumerate(names[1:], 1):
        before = names[0] if number == 1 else nodes[-1]["name"]
        nodes.append({"name": f"n{number}", "op": "add", "args": [before, name]})
    if not nodes:
        nodes.append({"name": "n1", "op": "relu", "args": names})
    nodes[-1]["name"] = "y"
    described = [
        {"name": name, "shape": shape, "dtype": dtype, "constant": bool(constant)}
        for name, shape, dtype, *constant in inputs
    ]
    return Subgraph.from_dict({"ansord": 1, "inputs": described, "nodes": nodes, "outputs": ["y"], **more})


def entry_of(sg: Subgraph, code: bytes, **more: Any) -> Entry:
    """An entry of a kernel for `sg`."""
    return entry(
        code,
        sg.key,
        **{
            "inputs": tuple((one.shape, one.dtype, one.constant) for one in sg.inputs),
            "outputs": tuple((sg.tensor(name).shape, sg.tensor(name).dtype) for name in sg.outputs),
            **more,
        },
    )


def publish(root: Path, sg: Subgraph, code: bytes, **more: Any) -> None:
    with Store.open(root) as store:
        store.publish(entry_of(sg, code, **more), code)


N = 16
SG = subgraph(("x", [N], "float32"), name="relu")
XW = subgraph(("x", [N], "float32"), ("w", [N], "float32", True))
LOOP = f"for (int i = 0; i < {N}; i++)"
SUM_XW = f"""RUN {{ const float *x = args[0], *w = args[1]; float *y = args[2];
    {LOOP} y[i] = x[i] + w[i]; return 0; }}"""


def scaled(factor: float) -> str:
    """y = x + factor * w, the multiplication being done in `ansord_pack`."""
    return f"""
PACK {{ const float *w = constants[0]; float *p = packed; {LOOP} p[i] = {float(factor)}f * w[i]; return 0; }}
RUN {{ const float *x = args[0], *p = packed; float *y = args[2]; {LOOP} y[i] = x[i] + p[i]; return 0; }}"""


def kernel(folder: Path, sg: Subgraph, text: str, **more: Any) -> Kernel:
    publish(folder, sg, compiled(text), **more)
    return Client(cache=folder).get_kernel(sg)


def until(done: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.01)
