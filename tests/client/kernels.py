"""Small real kernels for the tests: C text, compiled with gcc once per session, and entries for them."""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from ansord_client.entry import Entry
from ansord_client.host import Host, host

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
