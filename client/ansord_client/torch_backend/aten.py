"""What each ATen op is in ONNX's words: one table of functions of its arguments, as PyTorch declares them.

`s` is where a graph is said, `to` the node's name, which the result gets. What is missing stays eager.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from ansord_client.models.building import NotCovered
from ansord_client.torch_backend.say import Say, tensor_of

aten = torch.ops.aten
Ints = Sequence[int]


def _convolution(
    s: Say,
    to: str,
    x: Any,
    w: Any,
    bias: Any,
    stride: Ints,
    padding: Ints,
    dilation: Ints,
    transposed: bool,
    output_padding: Ints,
    groups: int,
) -> None:
    rank = len(s.shape(x)) - 2
    if len(s.shape(w)) != rank + 2:
        raise NotCovered("a picture without a batch")
    attrs: dict[str, Any] = {
        "strides": _per(stride, rank),
        "pads": _per(padding, rank) * 2,
        "dilations": _per(dilation, rank),
        "group": groups,
        "kernel_shape": list(s.shape(w)[2:]),
    }
    if transposed:
        attrs["output_padding"] = _per(output_padding, rank)
    inputs = [s.name(x), s.name(w), *([s.name(bias)] if bias is not None else [])]
    s.say("ConvTranspose" if transposed else "Conv", *inputs, to=to, **attrs)


def _per(values: Ints | int, rank: int) -> list[int]:
    """One per spatial dimension."""
    items = [values] if isinstance(values, int) else list(values)
    return items * rank if len(items) == 1 else items


def _batch_norm(
    s: Say, to: str, x: Any, w: Any, b: Any, mean: Any, var: Any, momentum: float, eps: float
) -> None:
    shape, dtype = s.shape(mean), tensor_of(mean).dtype
    scale = s.name(w) if w is not None else s.constant(np.ones(shape, dtype))
    shift = s.name(b) if b is not None else s.constant(np.zeros(shape, dtype))
    s.say("BatchNormalization", s.name(x), scale, shift, s.name(mean), s.name(var), to=to, epsilon=eps)


def _layer_norm(s: Say, to: str, x: Any, shape: Ints, w: Any, b: Any, eps: float) -> None:
    scale = s.name(w) if w is not None else s.constant(np.ones(list(shape), tensor_of(x).dtype))
    more = [s.name(b)] if b is not None else []
    s.say("LayerNormalization", s.name(x), scale, *more, to=to, axis=-len(shape), epsilon=eps)


def _binary(op: str) -> Callable[..., None]:
    """Both args are tensors, or one is a number in the type of the other."""

    def say(s: Say, to: str, a: Any, b: Any, alpha: float = 1) -> None:
        other = s.name(b, a)
        if alpha != 1:
            other = s.say("Mul", other, s.name(alpha, a))
        s.say(op, s.name(a, b), other, to=to)

    return say


def _unary(op: str, **attrs: Any) -> Callable[..., None]:
    def say(s: Say, to: str, x: Any) -> None:
        s.say(op, s.name(x), to=to, **attrs)

    return say


def _same(s: Say, to: str, x: Any, **ignored: Any) -> None:
    s.say("Identity", s.name(x), to=to)


def _gelu(s: Say, to: str, x: Any, approximate: str = "none") -> None:
    s.say("Gelu", s.name(x), to=to, approximate=approximate)


def _rsqrt(s: Say, to: str, x: Any) -> None:
    s.say("Reciprocal", s.say("Sqrt", s.name(x)), to=to)


def _leaky_relu(s: Say, to: str, x: Any, slope: float = 0.01) -> None:
    s.say("LeakyRelu", s.name(x), to=to, alpha=slope)


def _elu(s: Say, to: str, x: Any, alpha: float = 1.0, scale: float = 1.0, input_scale: float = 1.0) -> None:
    if (scale, input_scale) != (1.0, 1.0):
        raise NotCovered("scales")
    s.say("Elu", s.name(x), to=to, alpha=float(alpha))


def _hard_sigmoid(s: Say, to: str, x: Any) -> None:
    s.say("HardSigmoid", s.name(x), to=to, alpha=1 / 6, beta=0.5)


def _clip(s: Say, to: str, x: Any, low: Any = None, high: Any = None) -> None:
    s.say("Clip", s.name(x), s.name(low, x), s.name(high, x), to=to)


def _hardtanh(s: Say, to: str, x: Any, low: float = -1.0, high: float = 1.0) -> None:
    _clip(s, to, x, low, high)


def _power(s: Say, to: str, x: Any, exponent: Any) -> None:
    s.say("Pow", s.name(x), s.name(exponent, x), to=to)


def _where(s: Say, to: str, cond: Any, a: Any, b: Any) -> None:
    s.say("Where", s.name(cond), s.name(a), s.name(b), to=to)


def _matmul(s: Say, to: str, a: Any, b: Any) -> None:
    s.say("MatMul", s.name(a), s.name(b), to=to)


def _addmm(s: Say, to: str, c: Any, a: Any, b: Any, beta: float = 1, alpha: float = 1) -> None:
    s.say("Gemm", s.name(a), s.name(b), s.name(c), to=to, alpha=float(alpha), beta=float(beta))


def _softmax(op: str) -> Callable[..., None]:
    def say(s: Say, to: str, x: Any, dim: int, half_to_float: bool) -> None:
        if half_to_float:
            raise NotCovered("half")
        s.say(op, s.name(x), to=to, axis=dim)

    return say


def _attention(
    s: Say,
    to: str,
    q: Any,
    k: Any,
    v: Any,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    attn_mask: Any = None,
    scale: float | None = None,
) -> None:
    """softmax(q @ k.T * scale + mask) @ v."""
    if dropout_p or is_causal:
        raise NotCovered("dropout or a causal mask")
    width = s.shape(q)[-1]
    turned = s.say("Transpose", s.name(k), perm=[*range(len(s.shape(k)) - 2), -1, -2])
    scores = s.say("MatMul", s.name(q), turned)
    scores = s.say("Mul", scores, s.name(float(scale or 1 / math.sqrt(width)), q))
    if attn_mask is not None:
        scores = s.say("Add", scores, s.name(attn_mask))
    s.say("MatMul", s.say("Softmax", scores, axis=-1), s.name(v), to=to)


def _max_pool(
    s: Say,
    to: str,
    x: Any,
    kernel: Ints,
    stride: Ints = (),
    padding: Ints = (0,),
    dilation: Ints = (1,),
    ceil_mode: bool = False,
) -> None:
    _pool(s, "MaxPool", to, x, kernel, stride, padding, ceil_mode, dilations=dilation)


def _avg_pool(
    s: Say,
    to: str,
    x: Any,
    kernel: Ints,
    stride: Ints = (),
    padding: Ints = (0,),
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> None:
    if divisor_override is not None:
        raise NotCovered("another divisor")
    _pool(s, "AveragePool", to, x, kernel, stride, padding, ceil_mode, count=int(count_include_pad))


def _pool(
    s: Say,
    op: str,
    to: str,
    x: Any,
    kernel: Ints,
    stride: Ints,
    padding: Ints,
    ceil_mode: bool,
    dilations: Ints | None = None,
    count: int | None = None,
) -> None:
    rank = len(kernel)
    if len(s.shape(x)) != rank + 2:
        raise NotCovered("a picture without a batch")
    s.say(
        op,
        s.name(x),
        to=to,
        kernel_shape=list(kernel),
        strides=_per(stride or kernel, rank),
        pads=_per(padding, rank) * 2,
        ceil_mode=int(ceil_mode),
        dilations=None if dilations is None else _per(dilations, rank),
        count_include_pad=count,
    )


def _reduce(op: str) -> Callable[..., None]:
    def say(
        s: Say, to: str, x: Any, dim: Ints | int | None = None, keepdim: bool = False, *, dtype: Any = None
    ) -> None:
        if dtype is not None or not s.shape(x):
            raise NotCovered("a reduction into another type")
        axes = [dim] if isinstance(dim, int) else list(dim or range(len(s.shape(x))))
        s.say(op, s.name(x), s.ints(*axes), to=to, keepdims=int(keepdim))

    return say


def _view(s: Say, to: str, x: Any, shape: Ints, **ignored: Any) -> None:
    count = math.prod(s.shape(x))
    known = math.prod(extent for extent in shape if extent >= 0)
    full = [count // max(known, 1) if extent == -1 else extent for extent in shape]
    s.say("Reshape", s.name(x), s.ints(*full), to=to, allowzero=1)


def _permute(s: Say, to: str, x: Any, dims: Ints) -> None:
    rank = len(dims)
    s.say("Transpose", s.name(x), to=to, perm=[dim % rank for dim in dims])


def _transpose(s: Say, to: str, x: Any, one: int = 0, other: int = 1) -> None:
    perm = list(range(len(s.shape(x))))
    if len(perm) < 2:
        _same(s, to, x)
        return
    perm[one], perm[other] = perm[other], perm[one]
    s.say("Transpose", s.name(x), to=to, perm=perm)


def _unsqueeze(s: Say, to: str, x: Any, dim: int) -> None:
    s.say("Unsqueeze", s.name(x), s.ints(dim), to=to)


def _squeeze(s: Say, to: str, x: Any, dim: Ints | int) -> None:
    shape = s.shape(x)
    dims = [one for one in ([dim] if isinstance(dim, int) else dim) if shape[one] == 1]
    if dims:
        s.say("Squeeze", s.name(x), s.ints(*dims), to=to)
    else:
        _same(s, to, x)


def _expand(s: Say, to: str, x: Any, sizes: Ints, **ignored: Any) -> None:
    old = (1,) * (len(sizes) - len(s.shape(x))) + s.shape(x)
    full = [before if size == -1 else size for before, size in zip(old, sizes, strict=True)]
    s.say("Expand", s.name(x), s.ints(*full), to=to)


def _slice(
    s: Say, to: str, x: Any, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> None:
    last = 2**62 if end is None else end
    s.say("Slice", s.name(x), s.ints(start or 0), s.ints(last), s.ints(dim), s.ints(step), to=to)


def _select(s: Say, to: str, x: Any, dim: int, index: int) -> None:
    s.say("Gather", s.name(x), s.constant(np.array(index, np.int64)), to=to, axis=dim)


def _cat(s: Say, to: str, parts: Sequence[Any], dim: int = 0) -> None:
    s.say("Concat", *(s.name(one) for one in parts), to=to, axis=dim)


def _split(s: Say, to: str, x: Any, sizes: Ints | int, dim: int = 0) -> None:
    extent = s.shape(x)[dim]
    if isinstance(sizes, int):
        sizes = [min(sizes, extent - start) for start in range(0, extent, sizes)]
    s.say("Split", s.name(x), s.ints(*sizes), to=to, outputs=len(sizes), axis=dim)


def _unbind(s: Say, to: str, x: Any, dim: int = 0) -> None:
    for index in range(s.shape(x)[dim]):
        _select(s, f"{to}.{index}" if index else to, x, dim, index)


def _pad(s: Say, to: str, x: Any, amounts: Ints, value: float = 0) -> None:
    """PyTorch's pairs begin at the last axis."""
    rank = len(s.shape(x))
    pads = [0] * 2 * rank
    for pair in range(len(amounts) // 2):
        axis = rank - 1 - pair
        pads[axis], pads[axis + rank] = amounts[2 * pair], amounts[2 * pair + 1]
    s.say("Pad", s.name(x), s.ints(*pads), s.name(value, x), to=to)


SAID: Mapping[Any, Callable[..., None]] = {
    aten.convolution.default: _convolution,
    aten._native_batch_norm_legit_no_training.default: _batch_norm,
    aten.native_layer_norm.default: _layer_norm,
    aten.max_pool2d_with_indices.default: _max_pool,
    aten.max_pool3d_with_indices.default: _max_pool,
    aten.avg_pool1d.default: _avg_pool,
    aten.avg_pool2d.default: _avg_pool,
    aten.avg_pool3d.default: _avg_pool,
    aten.mean.default: _reduce("ReduceMean"),
    aten.mean.dim: _reduce("ReduceMean"),
    aten.sum.default: _reduce("ReduceSum"),
    aten.sum.dim_IntList: _reduce("ReduceSum"),
    aten.amax.default: _reduce("ReduceMax"),
    aten.amin.default: _reduce("ReduceMin"),
    aten.mm.default: _matmul,
    aten.bmm.default: _matmul,
    aten.addmm.default: _addmm,
    aten._softmax.default: _softmax("Softmax"),
    aten._log_softmax.default: _softmax("LogSoftmax"),
    aten._scaled_dot_product_flash_attention_for_cpu.default: _attention,
    aten.add.Tensor: _binary("Add"),
    aten.sub.Tensor: _binary("Sub"),
    aten.mul.Tensor: _binary("Mul"),
    aten.div.Tensor: _binary("Div"),
    aten.maximum.default: _binary("Max"),
    aten.minimum.default: _binary("Min"),
    aten.pow.Tensor_Scalar: _power,
    aten.where.self: _where,
    aten.relu.default: _unary("Relu"),
    aten.sigmoid.default: _unary("Sigmoid"),
    aten.tanh.default: _unary("Tanh"),
    aten.erf.default: _unary("Erf"),
    aten.exp.default: _unary("Exp"),
    aten.log.default: _unary("Log"),
    aten.sin.default: _unary("Sin"),
    aten.cos.default: _unary("Cos"),
    aten.sqrt.default: _unary("Sqrt"),
    aten.rsqrt.default: _rsqrt,
    aten.neg.default: _unary("Neg"),
    aten.abs.default: _unary("Abs"),
    aten.floor.default: _unary("Floor"),
    aten.hardswish.default: _unary("HardSwish"),
    aten.hardsigmoid.default: _hard_sigmoid,
    aten.silu.default: _unary("Swish"),
    aten.gelu.default: _gelu,
    aten.leaky_relu.default: _leaky_relu,
    aten.elu.default: _elu,
    aten.clamp.default: _clip,
    aten.hardtanh.default: _hardtanh,
    aten.view.default: _view,
    aten._unsafe_view.default: _view,
    aten.reshape.default: _view,
    aten.permute.default: _permute,
    aten.t.default: _transpose,
    aten.transpose.int: _transpose,
    aten.unsqueeze.default: _unsqueeze,
    aten.squeeze.dim: _squeeze,
    aten.squeeze.dims: _squeeze,
    aten.expand.default: _expand,
    aten.slice.Tensor: _slice,
    aten.select.int: _select,
    aten.cat.default: _cat,
    aten.split.Tensor: _split,
    aten.split_with_sizes.default: _split,
    aten.unbind.int: _unbind,
    aten.constant_pad_nd.default: _pad,
    aten.clone.default: _same,
    aten.alias.default: _same,
    aten.detach.default: _same,
}
"""By overload."""
