"""The same subgraph in PyTorch, eager, for `bench` to compare with. Used only where torch is installed.

Tensors stay channels-last in memory, which is how PyTorch is fastest here; weights are laid out before the
first call. What PyTorch has no function for (an expression, an odd padding of a pool) is not compared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ansord_client.graph import Node
from ansord_client.subgraph import Subgraph

Rule = Callable[[Any, Node, Sequence[Any]], Any]
"""(the torch module, the node, its args) to its result."""


class NoPeer(Exception):
    """PyTorch has nothing to compare with."""


def torch_call(
    subgraph: Subgraph, arrays: Sequence[np.ndarray], threads: int | None
) -> Callable[[], Any] | None:
    """A call of no arguments that gives the outputs as tensors; None where there is no torch or no peer."""
    try:
        import torch
    except ImportError:
        return None
    if threads is not None:
        torch.set_num_threads(threads)
    given = {
        one.name: torch.from_numpy(np.array(array))
        for one, array in zip(subgraph.inputs, arrays, strict=True)
    }
    weights = {node.args[1]: node for node in subgraph.live if node.op.startswith("conv")}
    prepared = {name: _kernel_layout(given[name], node) for name, node in weights.items() if name in given}

    def call() -> Any:
        with torch.inference_mode():
            known = dict(given)
            for node in subgraph.live:
                args = [known[arg] if isinstance(arg, str) else arg for arg in node.args]
                if node.args[1:2] and node.args[1] in prepared and node.op.startswith("conv"):
                    args[1] = prepared[str(node.args[1])]
                elif node.op.startswith("conv"):
                    args[1] = _kernel_layout(args[1], node)
                known[node.name] = RULES[node.op](torch, node, args)
            return [known[name] for name in subgraph.outputs]

    try:
        call()
    except (NoPeer, KeyError, RuntimeError, TypeError, NotImplementedError, IndexError):
        return None
    return call


def _kernel_layout(w: Any, node: Node) -> Any:
    """[*K, C, O] as PyTorch wants it: [O, C, *K], or [C, O, *K] of a transposed convolution."""
    rank = w.dim() - 2
    last = (rank, rank + 1) if node.op.endswith("transpose") else (rank + 1, rank)
    return _last(w.permute(*last, *range(rank)).contiguous())


def _last(x: Any) -> Any:
    import torch

    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    return x.contiguous(memory_format=formats[x.dim()]) if x.dim() in formats else x


def _first(x: Any) -> Any:
    """[N, *S, C] as [N, C, *S], without moving anything."""
    return x.movedim(-1, 1)


def _padded(
    torch: Any, x: Any, padding: Sequence[tuple[int, int]], value: float = 0.0
) -> tuple[Any, list[int]]:
    """`x` (channels first) and the padding that its function can do itself: the same on both sides."""
    if all(before == after for before, after in padding):
        return x, [before for before, _ in padding]
    flat = [side for pair in reversed(padding) for side in pair]
    return torch.nn.functional.pad(x, flat, value=value), [0] * len(padding)


def _conv(torch: Any, node: Node, args: Sequence[Any]) -> Any:
    a = node.attrs
    x, padding = _padded(torch, _first(args[0]), a["padding"])
    function = getattr(torch.nn.functional, node.op)
    return function(x, args[1], None, a["stride"], padding, a["dilation"], a["groups"]).movedim(1, -1)


def _conv_transpose(torch: Any, node: Node, args: Sequence[Any]) -> Any:
    a = node.attrs
    if any(before != after for before, after in a["padding"]):
        raise NoPeer(node.op)
    function = getattr(torch.nn.functional, f"conv_transpose{args[0].dim() - 2}d")
    padding = [before for before, _ in a["padding"]]
    y = function(_first(args[0]), args[1], None, a["stride"], padding, a["output_padding"], 1, a["dilation"])
    return y.movedim(1, -1)


def _matmul(torch: Any, node: Node, args: Sequence[Any]) -> Any:
    left, right = (
        arg.mT if node.attrs[flag] else arg
        for arg, flag in zip(args, ("transpose_a", "transpose_b"), strict=True)
    )
    return torch.matmul(left, right)


def _pool(torch: Any, node: Node, args: Sequence[Any]) -> Any:
    a, kind = node.attrs, node.op.removesuffix("_pool")
    if any(before != after for before, after in a["padding"]):
        raise NoPeer(node.op)
    rank, padding = args[0].dim() - 2, [before for before, _ in a["padding"]]
    function = getattr(torch.nn.functional, f"{kind}_pool{rank}d")
    more = {"count_include_pad": a["count_include_pad"]} if kind == "avg" else {}
    pooled = function(_first(args[0]), a["kernel"], a["stride"], padding, ceil_mode=a["ceil_mode"], **more)
    return pooled.movedim(1, -1)


def _reduce(torch: Any, node: Node, args: Sequence[Any]) -> Any:
    axes, keepdims = node.attrs["axes"], node.attrs["keepdims"]
    x, kind = args[0], node.op.removeprefix("reduce_")
    if not axes:
        return x
    if kind == "prod":
        for axis in sorted(axes, reverse=True):
            x = torch.prod(x, axis, keepdim=keepdims, dtype=args[0].dtype)
        return x
    name = {"sum": "sum", "mean": "mean", "max": "amax", "min": "amin"}[kind]
    more = {"dtype": x.dtype} if kind == "sum" else {}
    return getattr(torch, name)(x, axes, keepdim=keepdims, **more)


def _layer_norm(torch: Any, node: Node, args: Sequence[Any]) -> Any:
    x, scale, bias = args
    axes = node.attrs["axis"]
    if tuple(axes) != tuple(range(x.dim() - len(axes), x.dim())):
        raise NoPeer(node.op)
    return torch.nn.functional.layer_norm(x, scale.shape, scale, bias, node.attrs["epsilon"])


def _batch_norm(torch: Any, node: Node, args: Sequence[Any]) -> Any:
    x, scale, bias, mean, var = args
    normed = torch.nn.functional.batch_norm(
        _first(x) if x.dim() > 1 else x, mean, var, scale, bias, eps=node.attrs["epsilon"]
    )
    return normed.movedim(1, -1)


def _binary(name: str) -> Rule:
    def rule(torch: Any, node: Node, args: Sequence[Any]) -> Any:
        known = next(arg for arg in args if hasattr(arg, "dtype"))
        left, right = (
            arg if hasattr(arg, "dtype") else torch.as_tensor(arg, dtype=known.dtype) for arg in args
        )
        return getattr(torch, name)(left, right)

    return rule


def _unary(name: str, module: str = "") -> Rule:
    def rule(torch: Any, node: Node, args: Sequence[Any]) -> Any:
        return getattr(torch.nn.functional if module else torch, name)(args[0])

    return rule


def _clip(torch: Any, node: Node, args: Sequence[Any]) -> Any:
    return torch.clamp(args[0], node.attrs["min"], node.attrs["max"])


def _gelu(torch: Any, node: Node, args: Sequence[Any]) -> Any:
    how = "tanh" if node.attrs["approximate"] else "none"
    return torch.nn.functional.gelu(args[0], approximate=how)


def _where(torch: Any, node: Node, args: Sequence[Any]) -> Any:
    dtype = getattr(torch, node.dtype)
    left, right = (arg if hasattr(arg, "dtype") else torch.as_tensor(arg, dtype=dtype) for arg in args[1:])
    return torch.where(args[0], left, right)


def _pad(torch: Any, node: Node, args: Sequence[Any]) -> Any:
    flat = [side for pair in reversed(node.attrs["pads"]) for side in pair]
    return torch.nn.functional.pad(args[0], flat, value=node.attrs["value"])


def _slice(torch: Any, node: Node, args: Sequence[Any]) -> Any:
    if any(step < 0 for _, _, step in node.attrs["bounds"]):
        raise NoPeer(node.op)
    return args[0][
        tuple(slice(start, start + count * step, step) for start, count, step in node.attrs["bounds"])
    ]


RULES: Mapping[str, Rule] = {
    **{f"conv{rank}d": _conv for rank in (1, 2, 3)},
    **{f"conv{rank}d_transpose": _conv_transpose for rank in (1, 2, 3)},
    **{f"reduce_{kind}": _reduce for kind in ("sum", "mean", "max", "min", "prod")},
    **{name: _binary(name) for name in ("add", "sub", "mul", "div", "maximum", "minimum", "pow")},
    **{ours: _binary(theirs) for ours, theirs in (("equal", "eq"), ("less", "lt"), ("greater", "gt"))},
    **{name: _binary(name) for name in ("logical_and", "logical_or")},
    **{
        name: _unary(name)
        for name in ("relu", "sigmoid", "tanh", "erf", "exp", "log", "sin", "cos", "sqrt", "rsqrt")
    },
    **{name: _unary(name) for name in ("neg", "abs", "floor", "logical_not")},
    **{
        ours: _unary(theirs, "functional") for ours, theirs in (("silu", "silu"), ("hard_swish", "hardswish"))
    },
    "matmul": _matmul,
    "max_pool": _pool,
    "avg_pool": _pool,
    "softmax": lambda torch, node, args: torch.softmax(args[0], node.attrs["axis"]),
    "log_softmax": lambda torch, node, args: torch.log_softmax(args[0], node.attrs["axis"]),
    "layer_norm": _layer_norm,
    "batch_norm": _batch_norm,
    "leaky_relu": lambda torch, node, args: torch.nn.functional.leaky_relu(args[0], node.attrs["alpha"]),
    "clip": _clip,
    "gelu": _gelu,
    "where": _where,
    "cast": lambda torch, node, args: args[0].to(getattr(torch, node.dtype)),
    "transpose": lambda torch, node, args: args[0].permute(node.attrs["perm"]),
    "reshape": lambda torch, node, args: args[0].reshape(node.shape),
    "expand_dims": lambda torch, node, args: args[0].reshape(node.shape),
    "squeeze": lambda torch, node, args: args[0].reshape(node.shape),
    "pad": _pad,
    "slice": _slice,
    "concat": lambda torch, node, args: torch.cat(list(args), node.attrs["axis"]),
}
"""All ops but `compute`."""
