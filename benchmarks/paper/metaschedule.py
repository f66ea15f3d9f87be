"""Tunes one case with TVM's MetaSchedule: `python -m benchmarks.paper.metaschedule`, a case on stdin.

Runs in a Python that has `apache-tvm`. Trials that were made before are in the folder and count. What it may
compute is written as TVM's own benchmarks write it: padding as a stage, transposed convolution over an input
with zeros between.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tvm
from tvm import te, topi
from tvm.s_tir import meta_schedule
from tvm.target.codegen import llvm_get_system_cpu

PER_ROUND = 64


def main() -> None:
    """Leaves FOLDER/NAME.so behind."""
    order = json.load(sys.stdin)
    told, folder = order["told"], Path(order["folder"])
    name = told["subgraph"]["name"]
    target = tvm.target.Target({"kind": "llvm", "mcpu": llvm_get_system_cpu(), "num-cores": order["threads"]})
    function = te.create_prim_func(definition(told))
    module = tvm.IRModule({"main": function.with_attr("global_symbol", "main")})
    database = meta_schedule.tir_integration.tune_tir(
        module,
        target,
        work_dir=str(folder / name),
        max_trials_global=order["trials"],
        num_trials_per_iter=min(PER_ROUND, order["trials"]),
        num_tuning_cores=order["threads"],
        seed=0,
    )
    schedule = meta_schedule.tir_integration.compile_tir(database, module, target)
    if schedule is None:
        raise SystemExit(f"{name}: no program was measured")
    tvm.compile(schedule.mod, target=target).export_library(str(folder / f"{name}.so"))


def definition(told: dict[str, Any]) -> list[Any]:
    """The inputs in the subgraph's order, then the output."""
    subgraph = told["subgraph"]
    inputs = [te.placeholder(one["shape"], name=one["name"]) for one in subgraph["inputs"]]
    attrs = subgraph["nodes"][0].get("attrs", {})
    return [*inputs, DEFINITIONS[told["operator"]](attrs, told, *inputs)]


def conv(attrs: dict[str, Any], told: dict[str, Any], x: Any, w: Any, *affine: Any) -> Any:
    stride, padding, dilation, groups = (
        attrs.get(name, default)
        for name, default in (("stride", 1), ("padding", 0), ("dilation", 1), ("groups", 1))
    )
    kernel, out = w.shape[:-2], w.shape[-1]
    edge = [0, *[padding] * len(kernel), 0]
    padded = topi.nn.pad(x, edge, name="padded") if padding else x
    taps = [te.reduce_axis((0, extent)) for extent in kernel]
    c = te.reduce_axis((0, w.shape[-2]))

    def value(n: Any, *rest: Any) -> Any:
        *space, o = rest
        at = [place * stride + tap * dilation for place, tap in zip(space, taps, strict=True)]
        channel = c if groups == 1 else o // (out // groups) * w.shape[-2] + c
        return te.sum(padded[(n, *at, channel)] * w[(*taps, c, o)], axis=[*taps, c])

    y = te.compute(told["result"], value, name="conv")
    if not affine:
        return y
    scale, shift = affine

    def tail(*at: Any) -> Any:
        return te.max(y[at] * scale[at[-1]] + shift[at[-1]], tvm.tirx.const(0, "float32"))

    return te.compute(told["result"], tail, name="relu")


def transposed(attrs: dict[str, Any], told: dict[str, Any], x: Any, w: Any) -> Any:
    stride, kernel = attrs["stride"], int(w.shape[0])
    edge = kernel - 1 - attrs["padding"]
    spread = topi.nn.dilate(x, [1, stride, stride, 1], name="spread")
    padded = topi.nn.pad(spread, [0, edge, edge, 0], name="padded")
    u, v, c = (te.reduce_axis((0, extent)) for extent in w.shape[:3])
    return te.compute(
        told["result"],
        lambda n, h, b, o: te.sum(
            padded[n, h + u, b + v, c] * w[kernel - 1 - u, kernel - 1 - v, c, o], axis=[u, v, c]
        ),
        name="transposed",
    )


def capsule(attrs: dict[str, Any], told: dict[str, Any], x: Any, w: Any) -> Any:
    stride, padding = told["shape"][-2:]
    padded = topi.nn.pad(x, [0, padding, padding, 0, 0, 0], name="padded")
    u, v, k, c = (te.reduce_axis((0, w.shape[axis])) for axis in (0, 1, 2, 4))
    return te.compute(
        told["result"],
        lambda n, h, b, i, j, o: te.sum(
            padded[n, h * stride + u, b * stride + v, i, k, c] * w[u, v, k, j, c, o], axis=[u, v, k, c]
        ),
        name="capsule",
    )


def product(attrs: dict[str, Any], told: dict[str, Any], a: Any, b: Any) -> Any:
    k = te.reduce_axis((0, a.shape[2]))
    return te.compute(
        told["result"], lambda n, i, j: te.sum(a[n, i, k] * b[n, k, j], axis=[k]), name="product"
    )


def norm(attrs: dict[str, Any], told: dict[str, Any], x: Any) -> Any:
    i, j = (te.reduce_axis((0, extent)) for extent in x.shape[1:])
    squares = te.compute(
        told["result"], lambda n: te.sum(x[n, i, j] * x[n, i, j], axis=[i, j]), name="squares"
    )
    return te.compute(told["result"], lambda n: te.sqrt(squares[n]), name="norm")


def softmax(attrs: dict[str, Any], told: dict[str, Any], x: Any) -> Any:
    return topi.nn.softmax(x)


def scores(attrs: dict[str, Any], told: dict[str, Any], q: Any, k: Any) -> Any:
    left = te.compute([q.shape[axis] for axis in (0, 2, 1, 3)], lambda n, h, i, d: q[n, i, h, d], name="left")
    right = te.compute(
        [k.shape[axis] for axis in (0, 2, 3, 1)], lambda n, h, d, i: k[n, i, h, d], name="right"
    )
    d = te.reduce_axis((0, q.shape[3]))
    return te.compute(
        told["result"],
        lambda n, h, i, j: te.sum(left[n, h, i, d] * right[n, h, d, j], axis=[d]),
        name="scores",
    )


DEFINITIONS: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(("C1D", "C2D", "C3D", "GRP", "DIL", "DEP", "CBR"), conv),
    "T2D": transposed,
    "CAP": capsule,
    "GMM": product,
    "GMM-const": product,
    "NRM": norm,
    "SFM": softmax,
    "TBG": scores,
}

if __name__ == "__main__":
    main()
