"""oneDNN as a frozen graph runs it: weights laid out beforehand in the order that the library asks for,
bias and activation fused, through PyTorch's own operators for that.

What has no weights (GMM, TBG, NRM, SFM) has nothing to lay out: eager PyTorch is its peer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from benchmarks.paper.peers.eager import DEFAULTS, Calls, capsule_groups, first, last, outer

ops = torch.ops.mkldnn


def ways(told: dict[str, Any], arrays: Sequence[np.ndarray], threads: int) -> Calls:
    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    made = WAYS.get(told["operator"])
    if made is None:
        return {}
    attrs = told["subgraph"]["nodes"][0].get("attrs", {})
    return made(attrs, told, *map(torch.from_numpy, arrays))


def prepacked(x: Any, w: Any, bias: Any, where: dict[str, Any], activation: str = "none") -> Any:
    """A call of no arguments; `where`: padding, stride, dilation (a list each) and groups."""
    reorder = getattr(torch._C._nn, f"mkldnn_reorder_conv{x.dim() - 2}d_weight")
    packed = reorder(w.to_mkldnn(), *where.values(), x.shape)
    return lambda: ops._convolution_pointwise(x, packed, bias, *where.values(), activation, [], "").movedim(
        1, -1
    )


def conv(attrs: dict[str, Any], told: dict[str, Any], x: Any, w: Any, *affine: Any) -> Calls:
    """Of any rank; in one dimension as two, the first of extent 1."""
    x, w, bias, activation = first(x), outer(w), None, "none"
    if affine:
        w, bias, activation = w * affine[0].reshape(-1, *[1] * (w.dim() - 1)), affine[1], "relu"
    stride, padding, dilation, groups = (attrs.get(name, default) for name, default in DEFAULTS)
    rank = x.dim() - 2
    where = {
        "padding": [padding] * rank,
        "stride": [stride] * rank,
        "dilation": [dilation] * rank,
        "groups": groups,
    }
    if rank > 1:
        calls = {
            "last": prepacked(last(x), w.contiguous(), bias, where, activation),
            "first": prepacked(x.contiguous(), w.contiguous(), bias, where, activation),
        }
        return calls
    flat = {"padding": [0, padding], "stride": [1, stride], "dilation": [1, dilation], "groups": groups}
    call = prepacked(last(x.unsqueeze(2)), w.unsqueeze(2).contiguous(), bias, flat)
    return {"flat": lambda: call().squeeze(1)}


def transposed(attrs: dict[str, Any], told: dict[str, Any], x: Any, w: Any) -> Calls:
    where = ([attrs["padding"]] * 2, [0, 0], [attrs["stride"]] * 2, [1, 1], 1)
    calls = {}
    for name, image in (("last", first(x)), ("first", first(x).contiguous())):
        kernel = w.movedim(-1, 0).movedim(-1, 0).contiguous()
        packed = ops._reorder_convolution_transpose_weight(kernel, *where, image.shape)

        def call(x: Any = image, packed: Any = packed) -> Any:
            y = ops._convolution_transpose_pointwise(x, packed, None, *where, "none", [], "")
            return y.movedim(1, -1)

        calls[name] = call
    return calls


def capsule(attrs: dict[str, Any], told: dict[str, Any], x: Any, w: Any) -> Calls:
    _, _, _, o, _, stride, padding = told["shape"]
    grouped, kernels = capsule_groups(x, w)
    where = {"padding": [padding] * 2, "stride": [stride] * 2, "dilation": [1, 1], "groups": 4}
    call = prepacked(grouped, kernels.contiguous(), None, where)
    return {"groups": lambda: call().unflatten(-1, (4, 4, o))}


def linear(attrs: dict[str, Any], told: dict[str, Any], a: Any, b: Any) -> Calls:
    """A constant for each element of the batch, each laid out for as many rows as it will meet."""
    rows = a.shape[1]
    weights = [ops._reorder_linear_weight(one.T.contiguous(), rows) for one in b.unbind(0)]
    if len(weights) == 1:
        left, packed = a[0], weights[0]
        return {"linear": lambda: ops._linear_pointwise(left, packed, None, "none", [], "").unsqueeze(0)}
    pairs = list(zip(a.unbind(0), weights, strict=True))

    def each() -> Any:
        return [ops._linear_pointwise(left, packed, None, "none", [], "") for left, packed in pairs]

    return {"linear": each}


WAYS: dict[str, Callable[..., Calls]] = {
    **dict.fromkeys(("C1D", "C2D", "C3D", "GRP", "DIL", "DEP", "CBR"), conv),
    "T2D": transposed,
    "CAP": capsule,
    "GMM-const": linear,
}
