"""PyTorch as it stands: the fastest of the ways in which an attentive user would write it.

Batch norm is folded into the weights, and weights are laid out beforehand where a layout is a matter of
strides. Inputs come channels last; a network that keeps them channels first is a way, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch.nn import functional

Calls = dict[str, Any]


def ways(told: dict[str, Any], arrays: Sequence[np.ndarray], threads: int) -> Calls:
    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    attrs = told["subgraph"]["nodes"][0].get("attrs", {})
    return WAYS[told["operator"]](attrs, told, *map(torch.from_numpy, arrays))


def first(x: torch.Tensor) -> torch.Tensor:
    """[N, *S, C] as [N, C, *S], without moving anything."""
    return x.movedim(-1, 1)


def outer(w: torch.Tensor) -> torch.Tensor:
    """[*K, C, O] as [O, C, *K]."""
    return w.movedim(-1, 0).movedim(-1, 1)


def last(x: torch.Tensor) -> torch.Tensor:
    """The same tensor, its channels last in memory."""
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    return x.contiguous(memory_format=formats[x.dim()]) if x.dim() in formats else x.contiguous()


def conv(attrs: dict[str, Any], told: dict[str, Any], x: Any, w: Any, *affine: Any) -> Calls:
    """Of any rank; with a scale and a shift also a bias and relu."""
    x, w, bias = first(x), outer(w), None
    if affine:
        w, bias = w * affine[0].reshape(-1, *[1] * (w.dim() - 1)), affine[1]
    function = getattr(functional, f"conv{x.dim() - 2}d")
    rest = [attrs.get(name, default) for name, default in DEFAULTS]

    def called(x: Any, w: Any) -> Any:
        if bias is None:
            return lambda: function(x, w, None, *rest).movedim(1, -1)
        return lambda: function(x, w, bias, *rest).relu_().movedim(1, -1)

    calls = {"last": called(x, last(w)), "first": called(x.contiguous(), w.contiguous())}
    if x.dim() == 3:  # PyTorch knows no channels-last memory in one dimension
        stride, padding, dilation, groups = rest
        wide, kernel = x.unsqueeze(2), last(w.unsqueeze(2))
        where = ((1, stride), (0, padding), (1, dilation), groups)
        calls["flat"] = lambda: functional.conv2d(wide, kernel, None, *where).squeeze(2).movedim(1, -1)
    return calls


DEFAULTS = (("stride", 1), ("padding", 0), ("dilation", 1), ("groups", 1))


def transposed(attrs: dict[str, Any], told: dict[str, Any], x: Any, w: Any) -> Calls:
    """[*K, C, O] is [C, O, *K] here."""
    x, w = first(x), w.movedim(-1, 0).movedim(-1, 0)

    def called(x: Any, w: Any) -> Any:
        where = (attrs["stride"], attrs["padding"])
        return lambda: functional.conv_transpose2d(x, w, None, *where).movedim(1, -1)

    return {"last": called(x, last(w)), "first": called(x.contiguous(), w.contiguous())}


def capsule(attrs: dict[str, Any], told: dict[str, Any], x: Any, w: Any) -> Calls:
    """The rows of a capsule are independent: groups of one convolution, or more images of a smaller one."""
    height, width, c, o, kernel, stride, padding = told["shape"]
    n = told["batch"]
    grouped, kernels = capsule_groups(x, w)
    # w[u, v, k, j, c, o]: from (k, c) to (j, o)
    small = last(w.permute(3, 5, 2, 4, 0, 1).reshape(4 * o, 4 * c, kernel, kernel))

    def groups() -> Any:
        y = functional.conv2d(grouped, kernels, None, stride, padding, 1, 4)
        return y.movedim(1, -1).unflatten(-1, (4, 4, o))

    def images() -> Any:
        rows = x.permute(0, 3, 1, 2, 4, 5).reshape(4 * n, height, width, 4 * c)
        y = functional.conv2d(first(rows), small, None, stride, padding)
        return y.movedim(1, -1).unflatten(0, (n, 4)).unflatten(-1, (4, o)).permute(0, 2, 3, 1, 4, 5)

    return {"groups": groups, "images": images}


def capsule_groups(x: Any, w: Any) -> tuple[Any, Any]:
    """x[n, h, w, i, k, c] and w[u, v, k, j, c, o] for a convolution of four groups i."""
    u, v, _, _, c, o = w.shape
    kernels = w.permute(3, 5, 2, 4, 0, 1).reshape(4 * o, 4 * c, u, v).repeat(4, 1, 1, 1)
    return first(x.flatten(3)), last(kernels)


def product(attrs: dict[str, Any], told: dict[str, Any], a: Any, b: Any) -> Calls:
    calls: Calls = {"bmm": lambda: torch.bmm(a, b)}
    if told["batch"] == 1:
        left, right = a[0], b[0]
        calls["mm"] = lambda: torch.mm(left, right).unsqueeze(0)
    return calls


def norm(attrs: dict[str, Any], told: dict[str, Any], x: Any) -> Calls:
    flat = x.flatten(1)
    row, column = flat.unsqueeze(1), flat.unsqueeze(2)
    return {
        "vector_norm": lambda: torch.linalg.vector_norm(flat, dim=1),
        "dot": lambda: torch.bmm(row, column).sqrt_().flatten(),
        "sum": lambda: (flat * flat).sum(1).sqrt_(),
    }


def softmax(attrs: dict[str, Any], told: dict[str, Any], x: Any) -> Calls:
    return {"softmax": lambda: torch.softmax(x, -1)}


def scores(attrs: dict[str, Any], told: dict[str, Any], q: Any, k: Any) -> Calls:
    left, right = q.permute(0, 2, 1, 3), k.permute(0, 2, 3, 1)
    return {
        "matmul": lambda: torch.matmul(left, right),
        "einsum": lambda: torch.einsum("bqhd,bkhd->bhqk", q, k),
    }


WAYS: dict[str, Callable[..., Calls]] = {
    **dict.fromkeys(("C1D", "C2D", "C3D", "GRP", "DIL", "DEP", "CBR"), conv),
    "T2D": transposed,
    "CAP": capsule,
    "GMM": product,
    "GMM-const": product,
    "NRM": norm,
    "SFM": softmax,
    "TBG": scores,
}
