"""An ONNX graph as a module of PyTorch: what no input reaches is computed once, the rest is torch's own.

Only what the five networks need. A layer norm or GELU that the file spells in single steps stays so: eager
PyTorch pays for each, `torch.compile` fuses them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch.nn import functional

CONV = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}


class Graph(torch.nn.Module):
    """Called with the file's inputs in their order, of the shapes of `arrays`; gives all outputs."""

    def __init__(self, path: str, arrays: Sequence[np.ndarray]) -> None:
        super().__init__()
        graph = onnx.load(path).graph
        known = {one.name: torch.tensor(numpy_helper.to_array(one)) for one in graph.initializer}
        self.names = [one.name for one in graph.input]
        values = {**known, **dict(zip(self.names, map(torch.from_numpy, arrays), strict=True))}
        self.steps: list[tuple[Callable[..., torch.Tensor], list[str], str]] = []
        for node in graph.node:
            attrs = {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}
            args = [name for name in node.input if name]
            step = OPS[node.op_type](attrs, [known.get(name) for name in args])
            result = values[node.output[0]] = step(*(values[name] for name in args))
            if node.op_type == "Shape" or all(name in known for name in args):
                known[node.output[0]] = result
            else:
                self.steps.append((step, args, node.output[0]))
        self.results = [one.name for one in graph.output]
        read = {name for _, args, _ in self.steps for name in args} | set(self.results)
        self.places = {name: f"known_{place}" for place, name in enumerate(sorted(read & set(known)))}
        for name, place in self.places.items():
            self.register_buffer(place, known[name])

    def forward(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        values = dict(zip(self.names, inputs, strict=True))
        for name, place in self.places.items():
            values[name] = getattr(self, place)
        for step, args, result in self.steps:
            values[result] = step(*[values[name] for name in args])
        return tuple(values[name] for name in self.results)

    def channels_last(self) -> Graph:
        """Weights of convolutions in the order that oneDNN wants."""
        formats = {4: torch.channels_last, 5: torch.channels_last_3d}
        for place in self.places.values():
            held = getattr(self, place)
            if held.dim() in formats:
                setattr(self, place, held.contiguous(memory_format=formats[held.dim()]))
        return self


def ints(value: torch.Tensor | None) -> list[int]:
    assert value is not None, "computed from an input"
    return [int(one) for one in value.flatten()]


def plain(function: Callable[..., torch.Tensor]) -> Callable[..., Callable[..., torch.Tensor]]:
    return lambda attrs, known: function


def conv(attrs: dict[str, Any], known: Sequence[torch.Tensor | None]) -> Callable[..., torch.Tensor]:
    rank = len(attrs["kernel_shape"])
    pads = attrs.get("pads", [0] * 2 * rank)
    assert pads[:rank] == pads[rank:], pads
    settings = (attrs.get("strides", 1), pads[:rank], attrs.get("dilations", 1), attrs.get("group", 1))

    def run(x: torch.Tensor, w: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
        return CONV[rank](x, w, bias, *settings)

    return run


def transposed(attrs: dict[str, Any], known: Sequence[torch.Tensor | None]) -> Callable[..., torch.Tensor]:
    rank = len(attrs["kernel_shape"])
    strides, pads = attrs["strides"], attrs["pads"][:rank]
    return lambda x, w: functional.conv_transpose2d(x, w, None, strides, pads)


def norm(attrs: dict[str, Any], known: Sequence[torch.Tensor | None]) -> Callable[..., torch.Tensor]:
    eps = attrs["epsilon"]
    return lambda x, scale, bias, mean, var: functional.batch_norm(x, mean, var, scale, bias, False, 0.0, eps)


def pool(attrs: dict[str, Any], known: Sequence[torch.Tensor | None]) -> Callable[..., torch.Tensor]:
    kernel, strides, pads = attrs["kernel_shape"], attrs["strides"], attrs["pads"][:2]
    return lambda x: functional.max_pool2d(x, kernel, strides, pads)


def gemm(attrs: dict[str, Any], known: Sequence[torch.Tensor | None]) -> Callable[..., torch.Tensor]:
    assert attrs.get("transB") == 1, attrs
    return lambda x, w, bias: functional.linear(x, w, bias)


def mean(attrs: dict[str, Any], known: Sequence[torch.Tensor | None]) -> Callable[..., torch.Tensor]:
    axes = attrs["axes"] if "axes" in attrs else ints(known[1])
    keep = bool(attrs.get("keepdims", 1))
    return lambda x, *_: x.mean(axes, keepdim=keep)


def reshape(attrs: dict[str, Any], known: Sequence[torch.Tensor | None]) -> Callable[..., torch.Tensor]:
    wanted = ints(known[1])

    def run(x: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
        return x.reshape([x.shape[axis] if size == 0 else size for axis, size in enumerate(wanted)])

    return run


def unsqueeze(attrs: dict[str, Any], known: Sequence[torch.Tensor | None]) -> Callable[..., torch.Tensor]:
    axes = ints(known[1])

    def run(x: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
        for axis in axes:
            x = x.unsqueeze(axis)
        return x

    return run


def gather(attrs: dict[str, Any], known: Sequence[torch.Tensor | None]) -> Callable[..., torch.Tensor]:
    axis = attrs.get("axis", 0)
    index = known[1]
    if index is not None and index.dim() == 0:
        place = int(index)
        return lambda x, _: x.select(axis, place)
    return lambda x, rows: functional.embedding(rows, x)


def part(attrs: dict[str, Any], known: Sequence[torch.Tensor | None]) -> Callable[..., torch.Tensor]:
    (start,), (end,), (axis,) = (ints(one) for one in known[1:4])
    return lambda x, *_: x.narrow(axis, start, end - start)


def clip(attrs: dict[str, Any], known: Sequence[torch.Tensor | None]) -> Callable[..., torch.Tensor]:
    low, high = (float(one) for one in known[1:3] if one is not None)
    return lambda x, *_: torch.clamp(x, low, high)


def cast(attrs: dict[str, Any], known: Sequence[torch.Tensor | None]) -> Callable[..., torch.Tensor]:
    assert attrs["to"] == onnx.TensorProto.FLOAT, attrs
    return lambda x: x.float()


OPS: dict[str, Callable[[dict[str, Any], Sequence[torch.Tensor | None]], Callable[..., torch.Tensor]]] = {
    "Add": plain(torch.add),
    "BatchNormalization": norm,
    "Cast": cast,
    "Clip": clip,
    "Concat": lambda attrs, known: lambda *parts: torch.cat(parts, attrs["axis"]),
    "Constant": lambda attrs, known: lambda: torch.tensor(numpy_helper.to_array(attrs["value"])),
    "Conv": conv,
    "ConvTranspose": transposed,
    "Div": plain(torch.div),
    "Erf": plain(torch.erf),
    "Flatten": plain(lambda x: x.flatten(1)),
    "Gather": gather,
    "Gemm": gemm,
    "GlobalAveragePool": plain(lambda x: functional.adaptive_avg_pool2d(x, 1)),
    "Identity": plain(lambda x: x),
    "MatMul": plain(torch.matmul),
    "MaxPool": pool,
    "Mul": plain(torch.mul),
    "Pow": plain(torch.pow),
    "ReduceMean": mean,
    "Relu": plain(torch.relu),
    "Reshape": reshape,
    "Shape": plain(lambda x: torch.tensor(x.shape)),
    "Slice": part,
    "Softmax": lambda attrs, known: lambda x: torch.softmax(x, attrs.get("axis", -1)),
    "Sqrt": plain(torch.sqrt),
    "Sub": plain(torch.sub),
    "Tanh": plain(torch.tanh),
    "Transpose": lambda attrs, known: lambda x: x.permute(attrs["perm"]),
    "Unsqueeze": unsqueeze,
}
"""ONNX op to what makes its function, told its attributes and the arguments that no input reaches."""
