"""Normalisations: folded into the convolution before where the statistics are weights, else one unit each."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from ansord_client.models.building import NotCovered, channels_last, identity
from ansord_client.models.graph import Op
from ansord_client.models.lowering.at import At

_CONVS = tuple(f"conv{rank}d{kind}" for rank in (1, 2, 3) for kind in ("", "_transpose"))


def batch_norm(at: At) -> None:
    """y = x*s + t per channel, s and t from the statistics; s goes into the weights of a convolution before.

    Whether it does never depends on the weights' values, so that a model without them is cut the same. One
    that trains, which files before operator set 14 say by naming more results, takes the batch's statistics.
    """
    at.only(1)
    at.floats()
    if len({at.dtype(place) for place in range(5)}) > 1:
        raise NotCovered("several types")
    if at.attr("training_mode", 0) or (at.opset < 14 and any(at.node.output[1:])):
        _per_channel(at, 0)
        return
    epsilon = float(at.attr("epsilon", 1e-5))
    scale, bias, mean, var = (at.name(place) for place in range(1, 5))
    s = at.emit("mul", scale, at.emit("rsqrt", at.emit("add", var, epsilon)))
    rank = len(at.shape(0))
    last = channels_last(rank) if rank > 1 else identity(rank)
    x = at.builder.held(at.laid(0), last)
    folded = _folded(at, x, s) if at.sole(0) and s in at.builder.known else None
    if folded is None:
        shift = at.emit("sub", bias, at.emit("mul", mean, s))
        at.give(at.emit("add", at.emit("mul", x, s), shift), last)
        return
    conv, before = folded
    mean = at.emit("sub", before, mean) if before else at.emit("neg", mean)
    at.give(at.emit("add", conv, at.emit("add", at.emit("mul", mean, s), bias)), last)


def _folded(at: At, x: str, s: str) -> tuple[str, str | None] | None:
    """The convolution with scaled weights, and its former bias; None where x is no convolution's result."""
    build = at.builder
    op: Op | None = build.producer(x)
    bias: str | None = None
    if op is not None and op.op == "add" and isinstance(before := op.args[1], str) and before in build.known:
        bias = before if build.shape(before) == build.shape(s) else None
    if op is not None and bias is not None:
        op = _of(at, op.args[0])
    if op is None or op.op not in _CONVS or not all(isinstance(arg, str) for arg in op.args):
        return None
    data, weights = str(op.args[0]), str(op.args[1])
    if weights not in build.known:
        return None
    return at.emit(op.op, data, at.emit("mul", weights, s), **op.attrs), bias


def _of(at: At, name: object) -> Op | None:
    return at.builder.producer(name) if isinstance(name, str) else None


def layer_norm(at: At) -> None:
    """Over the axes from `axis` on; a missing bias is zeros. Statistics too, where somebody reads them."""
    at.floats()
    shape = at.shape(0)
    first = at.integer("axis", -1) % len(shape)
    axes = list(range(first, len(shape)))
    laid = at.laid(0)
    if len(axes) == 1 or laid.perm == identity(len(shape)):
        x, perm = laid.name, laid.perm
    else:
        x, perm = at.name(0), identity(len(shape))
    wanted = shape[first:]
    scale, bias = (_spread(at, place, wanted) for place in (1, 2))
    places = [perm[axis] for axis in axes]
    epsilon = float(at.attr("epsilon", 1e-5))
    at.give(at.emit("layer_norm", x, scale, bias, axis=places, epsilon=epsilon), perm)
    if at.wants(1) or at.wants(2):
        mean = at.emit("reduce_mean", x, axes=places, keepdims=True)
        centred = at.emit("sub", x, mean)
        var = at.emit("reduce_mean", at.emit("mul", centred, centred), axes=places, keepdims=True)
        at.give(mean, perm, 1)
        at.give(at.emit("rsqrt", at.emit("add", var, epsilon)), perm, 2)


def _spread(at: At, place: int, wanted: tuple[int, ...]) -> str:
    """A scale or bias of exactly this shape; without one, ones or zeros."""
    if not at.has(place):
        return at.builder.constant(np.full(wanted, float(place == 1), at.dtype(0)))
    name = at.name(place)
    if math.prod(at.builder.shape(name)) == math.prod(wanted):
        return at.builder.reshaped(name, wanted)
    return at.emit("add", at.builder.constant(np.zeros(wanted, at.dtype(0))), name)


def _normalised(at: At, x: str, axes: list[int], epsilon: float, unit: str, centred: bool = True) -> str:
    """(x - mean) / sqrt(variance + epsilon) over some axes, as one unit."""
    if centred:
        x = at.emit("sub", x, at.emit("reduce_mean", x, axes=axes, keepdims=True, unit=unit), unit=unit)
    squares = at.emit("mul", x, x, unit=unit)
    var = at.emit("reduce_mean", squares, axes=axes, keepdims=True, unit=unit)
    deviation = at.emit("rsqrt", at.emit("add", var, epsilon, unit=unit), unit=unit)
    return at.emit("mul", x, deviation, unit=unit)


def instance_norm(at: At) -> None:
    """Over the spatial axes of [N, C, *S]; scale and bias per channel."""
    at.floats()
    _per_channel(at, 1)


def _per_channel(at: At, first: int) -> None:
    """Over the axes from `first` on of [N, *S, C], but for the channels; scale and bias for each of these."""
    rank = len(at.shape(0))
    last, unit = channels_last(rank) if rank > 1 else identity(rank), at.builder.fresh("unit")
    x = at.builder.held(at.laid(0), last)
    y = _normalised(at, x, list(range(first, rank - 1)), float(at.attr("epsilon", 1e-5)), unit)
    y = at.emit("mul", y, at.name(1), unit=unit)
    at.give(at.emit("add", y, at.name(2), unit=unit), last)


def group_norm(at: At) -> None:
    """Over the spatial axes and a group's channels; scale and bias per channel (before 21: per group)."""
    at.floats()
    shape, groups = at.shape(0), at.integer("num_groups", 1)
    rank, channels = len(shape), shape[1]
    last, unit = channels_last(rank), at.builder.fresh("unit")
    x = at.builder.held(at.laid(0), last)
    split = (shape[0], *shape[2:], groups, channels // groups)
    y = at.emit("reshape", x, shape=list(split), unit=unit)
    y = _normalised(at, y, [*range(1, rank - 1), rank], float(at.attr("epsilon", 1e-5)), unit)
    for place, op in ((1, "mul"), (2, "add")):
        name = at.name(place)
        per_group = at.builder.shape(name) == (groups,) and groups != channels
        y = at.emit(
            op, y, at.builder.reshaped(name, (groups, 1 if per_group else channels // groups)), unit=unit
        )
    at.give(at.emit("reshape", y, shape=[shape[0], *shape[2:], channels], unit=unit), last)


def rms_norm(at: At) -> None:
    """x / sqrt(mean of squares + epsilon) * scale over the axes from `axis` on."""
    at.floats()
    shape = at.shape(0)
    first = at.integer("axis", -1) % len(shape)
    unit = at.builder.fresh("unit")
    axes = list(range(first, len(shape)))
    y = _normalised(at, at.name(0), axes, float(at.attr("epsilon", 1e-5)), unit, centred=False)
    at.give(at.emit("mul", y, at.name(1), unit=unit))


def lp_norm(at: At) -> None:
    """x over its norm along one axis; zeros stay zeros."""
    at.floats()
    laid = at.laid(0)
    axes = [laid.perm[at.integer("axis", -1) % len(laid.perm)]]
    if at.integer("p", 2) not in (1, 2):
        raise NotCovered("p")
    unit = at.builder.fresh("unit")
    x = laid.name
    square = at.integer("p", 2) == 2
    parts = at.emit("mul", x, x, unit=unit) if square else at.emit("abs", x, unit=unit)
    norm = at.emit("reduce_sum", parts, axes=axes, keepdims=True, unit=unit)
    norm = at.emit("sqrt", norm, unit=unit) if square else norm
    none = at.emit("equal", norm, 0.0, unit=unit)
    at.give(at.emit("div", x, at.emit("where", none, 1.0, norm, unit=unit), unit=unit), laid.perm)


def local_norm(at: At) -> None:
    """LRN: x over a power of the mean of squares in a window of neighbouring channels, zeros beyond them."""
    at.floats()
    rank, size = len(at.shape(0)), at.integer("size", 1)
    if rank < 2:
        raise NotCovered("rank")
    last = channels_last(rank)
    x = at.builder.held(at.laid(0), last)
    around = [*[[0, 0]] * (rank - 1), [(size - 1) // 2, size // 2]]
    squares = at.emit("pad", at.emit("mul", x, x), pads=around, value=0)
    axes = ",".join(f"a{axis}" for axis in range(rank))
    text = f"{{y}}[{axes}] += {{0}}[{axes}+u]"
    total = at.emit("compute", squares, expr=text, shape=list(at.builder.shape(x)), ranges={"u": size})
    scaled = at.emit("mul", total, float(at.attr("alpha", 1e-4)) / size)
    root = at.emit("pow", at.emit("add", scaled, float(at.attr("bias", 1.0))), float(at.attr("beta", 0.75)))
    at.give(at.emit("div", x, root), last)


LOWER: Mapping[str, Callable[[At], None]] = {
    "BatchNormalization": batch_norm,
    "LayerNormalization": layer_norm,
    "InstanceNormalization": instance_norm,
    "GroupNormalization": group_norm,
    "RMSNormalization": rms_norm,
    "LpNormalization": lp_norm,
    "LRN": local_norm,
}
