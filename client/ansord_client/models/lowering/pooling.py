"""Pools, over windows and over whole pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansord_client.models.building import NotCovered, channels_last
from ansord_client.models.lowering.at import At
from ansord_client.models.lowering.contraction import pads_of, spread


def pool(at: At) -> None:
    """MaxPool and AveragePool over [N, C, *S]."""
    at.only(1)
    rank = len(at.shape(0))
    kernel = [int(one) for one in at.attr("kernel_shape", [])]
    if any(one != 1 for one in spread(at, "dilations", rank - 2)):
        raise NotCovered("dilations")
    stride = spread(at, "strides", rank - 2)
    spatial = at.shape(0)[2:]
    pads = pads_of(at, spatial, kernel, stride, [1] * (rank - 2))
    last = channels_last(rank)
    x = at.builder.held(at.laid(0), last)
    attrs: dict[str, Any] = {"kernel": kernel, "stride": stride, "ceil_mode": bool(at.attr("ceil_mode", 0))}
    if at.op == "AveragePool":
        at.floats()
        counted = bool(at.attr("count_include_pad", 0))
        attrs["count_include_pad"] = counted
        if (
            counted
            and not attrs["ceil_mode"]
            and any(2 * max(pair) > k for pair, k in zip(pads, kernel, strict=True))
        ):
            x, pads = at.emit("pad", x, pads=[[0, 0], *pads, [0, 0]]), [[0, 0] for _ in pads]
    y = at.emit("avg_pool" if at.op == "AveragePool" else "max_pool", x, padding=pads, **attrs)
    at.give(y, last)


def whole(at: At) -> None:
    """GlobalAveragePool and GlobalMaxPool: a reduction over all spatial axes, which stay with extent 1."""
    laid, rank = at.laid(0), len(at.shape(0))
    axes = [laid.perm[axis] for axis in range(2, rank)]
    op = "reduce_mean" if at.op == "GlobalAveragePool" else "reduce_max"
    at.give(at.emit(op, laid.name, axes=axes, keepdims=True) if axes else laid.name, laid.perm)


LOWER: Mapping[str, Callable[[At], None]] = {
    "MaxPool": pool,
    "AveragePool": pool,
    "GlobalAveragePool": whole,
    "GlobalMaxPool": whole,
}
