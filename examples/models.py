"""Writes the paper's five networks as ONNX files: `python examples/models.py DIR [--small] [--batch N]`.

ResNet-50, MobileNet-V2, 3D-ResNet-18, DCGAN's generator and BERT, in the ways in which exporters write them:
batch norms apart or folded, ReLU6 as Clip, GELU and layer norms spelled out or as one op, heads split by
shapes computed in the graph. Weights are random, nothing is downloaded; a seed gives the same file. Needs the
package onnx.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Writer:
    """Grows a graph; every method adds a node and gives the name of its result."""

    def __init__(self, name: str, opset: int, seed: int) -> None:
        self.name, self.opset = name, opset
        self.rng = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.inputs: list[onnx.ValueInfoProto] = []

    def input(self, name: str, shape: list[Any], dtype: int = TensorProto.FLOAT) -> str:
        self.inputs.append(helper.make_tensor_value_info(name, dtype, shape))
        return name

    def hold(self, array: Any, name: str = "") -> str:
        name = name or f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def random(self, *shape: int, scale: float | None = None, mean: float = 0.0) -> str:
        fan_in = math.prod(shape[1:]) if len(shape) > 1 else 1
        scale = 1 / math.sqrt(fan_in) if scale is None else scale
        return self.hold((mean + scale * self.rng.standard_normal(shape)).astype(np.float32))

    def add(self, op: str, *args: str, **attrs: Any) -> str:
        result = f"{op.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(args), [result], name=f"{op}_{len(self.nodes)}", **attrs))
        return result

    def number(self, value: float) -> str:
        return self.add("Constant", value=numpy_helper.from_array(np.array(value, np.float32)))

    def ints(self, *values: int) -> str:
        return self.add("Constant", value=numpy_helper.from_array(np.array(values, np.int64)))

    def model(self, *outputs: tuple[str, list[Any]]) -> onnx.ModelProto:
        ends = []
        for value, shape in outputs:
            self.nodes.append(helper.make_node("Identity", [value], [f"{value}_out"]))
            ends.append(helper.make_tensor_value_info(f"{value}_out", TensorProto.FLOAT, shape))
        graph = helper.make_graph(self.nodes, self.name, self.inputs, ends, self.weights)
        opset = helper.make_opsetid("", self.opset)
        model = helper.make_model(graph, opset_imports=[opset], producer_name="ansord examples")
        model.ir_version = 8
        return model

    # Layers

    def conv(
        self,
        x: str,
        channels: tuple[int, int],
        kernel: tuple[int, ...],
        stride: int | tuple[int, ...] = 1,
        groups: int = 1,
        bias: bool = False,
    ) -> str:
        steps = [stride] * len(kernel) if isinstance(stride, int) else list(stride)
        w = self.random(channels[1], channels[0] // groups, *kernel, scale=None)
        args = [x, w] + ([self.random(channels[1], scale=0.1)] if bias else [])
        return self.add(
            "Conv",
            *args,
            kernel_shape=list(kernel),
            strides=steps,
            pads=[size // 2 for size in kernel] * 2,
            group=groups,
        )

    def norm(self, x: str, channels: int) -> str:
        """A batch norm with statistics of its own."""
        scale, mean = self.random(channels, scale=0.1, mean=1.0), self.random(channels, scale=0.1)
        bias = self.random(channels, scale=0.1)
        var = self.hold(self.rng.uniform(0.5, 1.5, channels).astype(np.float32))
        return self.add("BatchNormalization", x, scale, bias, mean, var, epsilon=1e-5)

    def linear(self, x: str, sizes: tuple[int, int]) -> str:
        return self.add(
            "Gemm", x, self.random(sizes[1], sizes[0]), self.random(sizes[1], scale=0.1), transB=1
        )

    def dense(self, x: str, sizes: tuple[int, int]) -> str:
        """As PyTorch writes a linear layer of rank 3: the weight transposed beforehand, the bias first."""
        w = self.hold((self.rng.standard_normal(sizes) / math.sqrt(sizes[0])).astype(np.float32))
        return self.add("Add", self.random(sizes[1], scale=0.1), self.add("MatMul", x, w))


def resnet50(small: bool, batch: int) -> onnx.ModelProto:
    """Bottlenecks with batch norms apart, as the model zoo has them."""
    w = Writer("resnet50", 14, 50)
    side, base, blocks, classes = (32, 8, (1, 2, 1, 1), 10) if small else (224, 64, (3, 4, 6, 3), 1000)
    x = w.input("data", [batch, 3, side, side])
    x = w.add("Relu", w.norm(w.conv(x, (3, base), (7, 7), 2), base))
    x = w.add("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    channels = base
    for stage, count in enumerate(blocks):
        inner, outer = base * 2**stage, 4 * base * 2**stage
        for block in range(count):
            stride = 2 if block == 0 and stage > 0 else 1
            y = w.add("Relu", w.norm(w.conv(x, (channels, inner), (1, 1)), inner))
            y = w.add("Relu", w.norm(w.conv(y, (inner, inner), (3, 3), stride), inner))
            y = w.norm(w.conv(y, (inner, outer), (1, 1)), outer)
            if block == 0:
                x = w.norm(w.conv(x, (channels, outer), (1, 1), stride), outer)
            x, channels = w.add("Relu", w.add("Add", y, x)), outer
    x = w.add("Flatten", w.add("GlobalAveragePool", x), axis=1)
    return w.model((w.linear(x, (channels, classes)), [batch, classes]))


def mobilenetv2(small: bool, batch: int) -> onnx.ModelProto:
    """Inverted residuals, norms folded, ReLU6 as Clip with constant bounds: as PyTorch exports them."""
    w = Writer("mobilenetv2", 17, 2)
    side, classes = (32, 10) if small else (224, 1000)
    # expansion, channels, blocks, stride
    table = [(1, 8, 1, 1), (6, 12, 2, 2), (6, 16, 1, 2)] if small else [
        *((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2)),
        *((6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)),
    ]  # fmt: skip
    channels, last = (8, 40) if small else (32, 1280)

    def relu6(x: str) -> str:
        return w.add("Clip", x, w.number(0.0), w.number(6.0))

    x = w.input("input", [batch, 3, side, side])
    x = relu6(w.conv(x, (3, channels), (3, 3), 2, bias=True))
    for expansion, outer, count, first in table:
        for block in range(count):
            inner, stride = channels * expansion, first if block == 0 else 1
            y = relu6(w.conv(x, (channels, inner), (1, 1), bias=True)) if expansion > 1 else x
            y = relu6(w.conv(y, (inner, inner), (3, 3), stride, inner, bias=True))
            y = w.conv(y, (inner, outer), (1, 1), bias=True)
            x = w.add("Add", x, y) if stride == 1 and channels == outer else y
            channels = outer
    x = relu6(w.conv(x, (channels, last), (1, 1), bias=True))
    x = w.add("Flatten", w.add("GlobalAveragePool", x), axis=1)
    return w.model((w.linear(x, (last, classes)), [batch, classes]))


def resnet3d18(small: bool, batch: int) -> onnx.ModelProto:
    """Basic blocks of 3-d convolutions over clips, means over space and time by ReduceMean."""
    w = Writer("resnet3d18", 18, 318)
    frames, side, base, classes = (4, 16, 8, 10) if small else (16, 112, 64, 400)
    x = w.input("clip", [batch, 3, frames, side, side])
    x = w.add("Relu", w.norm(w.conv(x, (3, base), (3, 7, 7), (1, 2, 2)), base))
    channels = base
    for stage in range(4):
        outer = base * 2**stage
        for block in range(1 if small else 2):
            stride = 2 if block == 0 and stage > 0 else 1
            y = w.add("Relu", w.norm(w.conv(x, (channels, outer), (3, 3, 3), stride), outer))
            y = w.norm(w.conv(y, (outer, outer), (3, 3, 3)), outer)
            if stride > 1 or channels != outer:
                x = w.norm(w.conv(x, (channels, outer), (1, 1, 1), stride), outer)
            x, channels = w.add("Relu", w.add("Add", y, x)), outer
    x = w.add("ReduceMean", x, w.ints(2, 3, 4), keepdims=1)
    x = w.add("Reshape", x, w.ints(0, -1))
    return w.model((w.linear(x, (channels, classes)), [batch, classes]))


def dcgan(small: bool, batch: int) -> onnx.ModelProto:
    """The generator: noise to pictures by transposed convolutions."""
    w = Writer("dcgan", 14, 64)
    noise, base = (16, 4) if small else (100, 64)
    x, channels = w.input("noise", [batch, noise, 1, 1]), noise
    sizes = (4 * base, 2 * base, base) if small else (8 * base, 4 * base, 2 * base, base)
    for layer, outer in enumerate((*sizes, 3)):
        stride, pad = (1, 0) if layer == 0 else (2, 1)
        kernel = w.random(channels, outer, 4, 4, scale=1 / math.sqrt(4 * channels))
        x = w.add(
            "ConvTranspose", x, kernel, kernel_shape=[4, 4], strides=[stride] * 2, pads=[pad] * 4, group=1
        )
        x = w.add("Relu", w.norm(x, outer)) if outer != 3 else w.add("Tanh", x)
        channels = outer
    side = 4 * 2 ** len(sizes)
    return w.model((x, [batch, 3, side, side]))


def bert(small: bool, batch: int, spelled: bool = True) -> onnx.ModelProto:
    """An encoder over `batch` x `sequence` tokens, both named dimensions.

    `spelled`: layer norms and GELU in single steps, as exporters before operator set 17 and 20 write them.
    """
    w = Writer("bert", 14 if spelled else 20, 512)
    width, heads, layers, words, places = (32, 4, 2, 50, 16) if small else (768, 12, 12, 30522, 512)
    tokens = [w.input(name, ["batch", "sequence"], TensorProto.INT64) for name in ("ids", "mask", "types")]
    ids, mask, types = tokens

    def scaled(*shape: int) -> str:
        return w.random(*shape, scale=0.5)

    def layer_norm(x: str) -> str:
        scale, bias = w.random(width, scale=0.1, mean=1.0), w.random(width, scale=0.1)
        if not spelled:
            return w.add("LayerNormalization", x, scale, bias, axis=-1, epsilon=1e-12)
        centred = w.add("Sub", x, w.add("ReduceMean", x, axes=[-1]))
        var = w.add("ReduceMean", w.add("Pow", centred, w.number(2.0)), axes=[-1])
        deviation = w.add("Sqrt", w.add("Add", var, w.number(1e-12)))
        return w.add("Add", w.add("Mul", w.add("Div", centred, deviation), scale), bias)

    def gelu(x: str) -> str:
        if not spelled:
            return w.add("Gelu", x)
        erf = w.add("Erf", w.add("Div", x, w.number(math.sqrt(2))))
        return w.add("Mul", w.add("Mul", x, w.add("Add", erf, w.number(1.0))), w.number(0.5))

    def extent(x: str, axis: int) -> str:
        return w.add(
            "Unsqueeze", w.add("Gather", w.add("Shape", x), w.hold(np.array(axis)), axis=0), w.ints(0)
        )

    def split(x: str) -> str:
        shape = w.add("Concat", extent(x, 0), extent(x, 1), w.ints(heads), w.ints(width // heads), axis=0)
        return w.add("Reshape", x, shape)

    def attention(x: str, bias: str) -> str:
        q = w.add("Transpose", split(w.dense(x, (width, width))), perm=[0, 2, 1, 3])
        k = w.add("Transpose", split(w.dense(x, (width, width))), perm=[0, 2, 3, 1])
        v = w.add("Transpose", split(w.dense(x, (width, width))), perm=[0, 2, 1, 3])
        scores = w.add("Div", w.add("MatMul", q, k), w.number(math.sqrt(width // heads)))
        mixed = w.add("MatMul", w.add("Softmax", w.add("Add", scores, bias), axis=-1), v)
        mixed = w.add("Transpose", mixed, perm=[0, 2, 1, 3])
        shape = w.add("Concat", extent(mixed, 0), extent(mixed, 1), w.ints(width), axis=0)
        return w.dense(w.add("Reshape", mixed, shape), (width, width))

    wide = w.add("Cast", w.add("Unsqueeze", mask, w.ints(1, 2)), to=TensorProto.FLOAT)
    bias = w.add("Mul", w.add("Sub", w.number(1.0), wide), w.number(-10000.0))
    positions = w.add(
        "Slice", w.hold(np.arange(places)[None]), w.ints(0), extent(ids, 1), w.ints(1), w.ints(1)
    )
    x = w.add("Add", w.add("Gather", scaled(words, width), ids), w.add("Gather", scaled(2, width), types))
    x = layer_norm(w.add("Add", x, w.add("Gather", scaled(places, width), positions)))
    for _ in range(layers):
        x = layer_norm(w.add("Add", attention(x, bias), x))
        hidden = gelu(w.dense(x, (width, 4 * width)))
        x = layer_norm(w.add("Add", w.dense(hidden, (4 * width, width)), x))
    pooled = w.add("Tanh", w.linear(w.add("Gather", x, w.hold(np.array(0)), axis=1), (width, width)))
    return w.model((x, ["batch", "sequence", width]), (pooled, ["batch", width]))


NETWORKS: dict[str, Callable[[bool, int], onnx.ModelProto]] = {
    "resnet50": resnet50,
    "mobilenetv2": mobilenetv2,
    "resnet3d18": resnet3d18,
    "dcgan": dcgan,
    "bert": bert,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--small", action="store_true", help="a few layers each, as the tests use them")
    parser.add_argument("--batch", type=int, default=1, metavar="N", help="BERT leaves it open")
    parser.add_argument("--only", choices=sorted(NETWORKS), action="append")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    for name in options.only or NETWORKS:
        path = options.folder / f"{name}.onnx"
        onnx.save_model(NETWORKS[name](options.small, options.batch), path)
        print(f"{path}: {path.stat().st_size / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
