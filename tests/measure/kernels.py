"""The task and the C that the tests of this room share."""

from __future__ import annotations

from pathlib import Path

from ansord_client.subgraph import Subgraph

HEAD = """
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
enum { N = 1000 };
static void add(void *const *args) {
  const float *a = args[0], *b = args[1]; float *y = args[2];
  for (int i = 0; i < N; i++) y[i] = a[i] + b[i];
}
"""
RUN = "int32_t ansord_run(void *const *args, const void *packed, void *scratch) { %s }\n"
SUM = Subgraph.from_dict(
    {
        "ansord": 1,
        "name": "sum",
        "inputs": [
            {"name": "a", "shape": [1000], "dtype": "float32"},
            {"name": "b", "shape": [1000], "dtype": "float32", "constant": True},
        ],
        "nodes": [{"name": "y", "op": "add", "args": ["a", "b"]}],
        "outputs": ["y"],
    }
)


def children_of(pid: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(word) for task in tasks for word in (task / "children").read_text().split()]
    except OSError:
        return []
