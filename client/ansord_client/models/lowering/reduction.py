"""Reductions over axes, softmax."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ansord_client.models.building import NotCovered, Perm
from ansord_client.models.lowering.at import At

_OPS = {
    "ReduceSum": "reduce_sum",
    "ReduceMean": "reduce_mean",
    "ReduceMax": "reduce_max",
    "ReduceMin": "reduce_min",
    "ReduceProd": "reduce_prod",
    "ReduceL1": "reduce_sum",
    "ReduceL2": "reduce_sum",
    "ReduceSumSquare": "reduce_sum",
    "ReduceLogSum": "reduce_sum",
    "ReduceLogSumExp": "reduce_sum",
}


def without(perm: Perm, axes: list[int]) -> Perm:
    """The order that is left when axes (of the file) disappear."""
    places = sorted(place for axis, place in enumerate(perm) if axis not in axes)
    return tuple(places.index(place) for axis, place in enumerate(perm) if axis not in axes)


def reduce(at: At) -> None:
    """The family of ReduceSum: some map the elements before, some the sums after."""
    laid, rank = at.laid(0), len(at.shape(0))
    axes = at.ints(1, "axes")
    if not axes and bool(at.attr("noop_with_empty_axes", 0)):
        raise NotCovered("a reduction over nothing")
    axes = sorted(axis % rank for axis in axes) if axes else list(range(rank))
    keep = bool(at.attr("keepdims", 1))
    if not axes:
        raise NotCovered("rank 0")
    x = laid.name
    places = [laid.perm[axis] for axis in axes]
    if at.op == "ReduceLogSumExp":
        y = _log_sum_exp(at, x, places, keep)
    else:
        if at.op == "ReduceL1":
            x = at.emit("abs", x)
        if at.op in ("ReduceL2", "ReduceSumSquare"):
            x = at.emit("mul", x, x)
        y = at.emit(_OPS[at.op], x, axes=places, keepdims=keep)
        if at.op == "ReduceL2":
            y = at.emit("sqrt", y)
        if at.op == "ReduceLogSum":
            y = at.emit("log", y)
    at.give(y, laid.perm if keep else without(laid.perm, axes))


def _log_sum_exp(at: At, x: str, axes: list[int], keep: bool) -> str:
    """With the maximum taken out, so that nothing overflows."""
    unit = at.builder.fresh("unit")
    top = at.emit("reduce_max", x, axes=axes, keepdims=True, unit=unit)
    summed = at.emit("exp", at.emit("sub", x, top, unit=unit), unit=unit)
    y = at.emit("log", at.emit("reduce_sum", summed, axes=axes, keepdims=True, unit=unit), unit=unit)
    y = at.emit("add", y, top, unit=unit)
    return y if keep else at.emit("squeeze", y, axes=axes)


def softmax(at: At) -> None:
    """Softmax and LogSoftmax over one axis."""
    laid = at.laid(0)
    axis = at.integer("axis", -1) % len(laid.perm)
    op = "softmax" if at.op == "Softmax" else "log_softmax"
    at.give(at.emit(op, laid.name, axis=laid.perm[axis]), laid.perm)


LOWER: Mapping[str, Callable[[At], None]] = {
    **dict.fromkeys(_OPS, reduce),
    "Softmax": softmax,
    "LogSoftmax": softmax,
}
