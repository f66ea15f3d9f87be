"""Random small graphs of what networks are made of: cut, laid out and run, they answer what ONNX says."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import helper

from tests.client.models.networks import check, model, planned


@dataclass
class Graph:
    """What was drawn so far: nodes, weights, and the shape of every value."""

    draw: Any
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    held: dict[str, Any] = field(default_factory=dict)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def one(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def some(self, rank: int = 0) -> str:
        fitting = [name for name, shape in self.shapes.items() if len(shape) == rank or not rank]
        return str(self.one(*(fitting or list(self.shapes))))

    def weight(self, *shape: int) -> str:
        rng = np.random.default_rng(len(self.held))
        return self.hold(0.5 * rng.standard_normal(shape).astype(np.float32))

    def hold(self, array: Any) -> str:
        name = f"w{len(self.held)}"
        self.held[name] = array
        return name

    def ints(self, *values: int) -> str:
        return self.hold(np.array(values, np.int64))

    def add(self, op: str, shape: Any, *args: str, **attrs: Any) -> None:
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(args), [name], **attrs))
        self.shapes[name] = tuple(int(extent) for extent in shape)


def conv(g: Graph) -> None:
    x = g.some(4)
    n, c, h, w = g.shapes[x] if len(g.shapes[x]) == 4 else (0, 0, 0, 0)
    if not n or h < 3 or w < 3:
        return
    out, groups = g.one(2, 4), g.one(1, c) if c in (2, 4) else 1
    stride = g.one(1, 2)
    shape = (n, out * groups, (h - 1) // stride + 1, (w - 1) // stride + 1)
    args = [x, g.weight(out * groups, c // groups, 3, 3)]
    args += [g.weight(out * groups)] if g.draw(st.booleans()) else []
    g.add("Conv", shape, *args, pads=[1] * 4, strides=[stride] * 2, group=groups)
    if g.draw(st.booleans()):
        norm(g, f"v{len(g.nodes) - 1}")


def norm(g: Graph, x: str = "") -> None:
    x = x or g.some(4)
    channels = g.shapes[x][1] if len(g.shapes[x]) > 1 else 0
    if channels:
        var = g.hold(np.linspace(0.5, 1.5, channels, dtype=np.float32))
        args = (g.weight(channels), g.weight(channels), g.weight(channels), var)
        g.add("BatchNormalization", g.shapes[x], x, *args)


def elementwise(g: Graph) -> None:
    x = g.some()
    g.add(g.one("Relu", "Sigmoid", "Tanh", "Neg", "Erf", "HardSigmoid", "Softplus"), g.shapes[x], x)


def both(g: Graph) -> None:
    x = g.some()
    shape = g.shapes[x]
    same = [name for name, other in g.shapes.items() if other == shape]
    narrow = tuple(g.one(extent, 1) for extent in shape[g.draw(st.integers(0, len(shape))) :])
    other = g.one(g.one(*same), g.weight(*narrow), g.hold(np.float32(0.5)))
    g.add(g.one("Add", "Mul", "Sub", "Max"), shape, *g.one((x, other), (other, x)))


def transpose(g: Graph) -> None:
    x = g.some()
    perm = g.draw(st.permutations(range(len(g.shapes[x]))))
    g.add("Transpose", [g.shapes[x][axis] for axis in perm], x, perm=perm)


def reshape(g: Graph) -> None:
    x = g.some()
    shape = g.shapes[x]
    cut = g.draw(st.integers(0, len(shape)))
    left, right = int(np.prod(shape[:cut])), int(np.prod(shape[cut:]))
    halves = (left // 2, 2, right) if left % 2 == 0 else (left, right)
    wanted = g.one((left, right), (1, left, right, 1), halves, shape)
    g.add("Reshape", wanted, x, g.ints(*wanted))


def reduce(g: Graph) -> None:
    x = g.some()
    rank = len(g.shapes[x])
    axes = g.draw(st.lists(st.integers(0, rank - 1), min_size=1, max_size=2, unique=True)) if rank else []
    if not axes or rank - len(axes) < 1:
        return
    keep = g.one(0, 1)
    kept = [
        1 if axis in axes else extent for axis, extent in enumerate(g.shapes[x]) if keep or axis not in axes
    ]
    g.add(g.one("ReduceMean", "ReduceMax", "ReduceSum"), kept, x, g.ints(*axes), keepdims=keep)


def softmax(g: Graph) -> None:
    x = g.some()
    g.add("Softmax", g.shapes[x], x, axis=g.draw(st.integers(0, len(g.shapes[x]) - 1)))


def pool(g: Graph) -> None:
    x = g.some(4)
    shape = g.shapes[x]
    if len(shape) == 4 and min(shape[2:]) >= 2:
        out = (*shape[:2], shape[2] // 2, shape[3] // 2)
        g.add(g.one("MaxPool", "AveragePool"), out, x, kernel_shape=[2, 2], strides=[2, 2])


def group_norm(g: Graph) -> None:
    x = g.some(4)
    shape = g.shapes[x]
    if len(shape) == 4 and shape[1] % 2 == 0:
        g.add("InstanceNormalization", shape, x, g.weight(shape[1]), g.weight(shape[1]))


def layer_norm(g: Graph) -> None:
    x = g.some()
    last = g.shapes[x][-1]
    if last > 1:
        g.add("LayerNormalization", g.shapes[x], x, g.weight(last), g.weight(last))


def matmul(g: Graph) -> None:
    x = g.some()
    shape = g.shapes[x]
    if len(shape) >= 2:
        g.add("MatMul", (*shape[:-1], 3), x, g.weight(shape[-1], 3))


def attention(g: Graph) -> None:
    """A product of a value with its own transpose."""
    x = g.some()
    rank = len(g.shapes[x])
    if rank >= 2 and g.shapes[x][-2] <= 32:
        perm = [*range(rank - 2), rank - 1, rank - 2]
        g.add("Transpose", (*g.shapes[x][:-2], g.shapes[x][-1], g.shapes[x][-2]), x, perm=perm)
        g.add("MatMul", (*g.shapes[x][:-1], g.shapes[x][-2]), x, f"v{len(g.nodes) - 1}")


def concat(g: Graph) -> None:
    x = g.some()
    shape = g.shapes[x]
    axis = g.draw(st.integers(0, len(shape) - 1))
    if np.prod(shape) < 2000:
        wide = [extent * (2 if place == axis else 1) for place, extent in enumerate(shape)]
        g.add("Concat", wide, x, g.one(x, g.weight(*shape)), axis=axis)


def cut(g: Graph) -> None:
    x = g.some()
    shape = g.shapes[x]
    axis = g.draw(st.integers(0, len(shape) - 1))
    if shape[axis] > 1:
        kept = [extent - 1 if place == axis else extent for place, extent in enumerate(shape)]
        if g.draw(st.booleans()):
            g.add("Slice", kept, x, g.ints(1), g.ints(shape[axis]), g.ints(axis))
        else:
            g.add("Slice", kept, x, g.ints(-2), g.ints(-(2**40)), g.ints(axis), g.ints(-1))


def pad(g: Graph) -> None:
    x = g.some()
    shape = g.shapes[x]
    pads = g.draw(st.lists(st.integers(0, 1), min_size=2 * len(shape), max_size=2 * len(shape)))
    wide = [extent + pads[axis] + pads[axis + len(shape)] for axis, extent in enumerate(shape)]
    if np.prod(wide) < 4000:
        g.add("Pad", wide, x, g.ints(*pads))


STEPS = (conv, conv, norm, elementwise, both, both, transpose, reshape, reduce, softmax, pool, group_norm)
MORE = (layer_norm, matmul, attention, concat, cut, pad)


@st.composite
def graphs(draw: Any) -> onnx.ModelProto:
    g = Graph(draw)
    g.shapes["x"] = draw(st.sampled_from([(1, 3, 6, 5), (2, 2, 4, 4), (1, 4, 7, 3), (2, 4, 5), (3, 8)]))
    for step in draw(st.lists(st.sampled_from((*STEPS, *MORE)), min_size=1, max_size=9)):
        step(g)
    made = [name for name in g.shapes if name != "x"] or ["x"]
    outputs = [made[-1], *draw(st.lists(st.sampled_from(made), max_size=2))]
    if made == ["x"]:
        g.add("Relu", g.shapes["x"], "x")
        outputs = ["v0"]
    return model(g.nodes, {"x": (list(g.shapes.values()))[0]}, tuple(dict.fromkeys(outputs)), g.held)


@settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(graphs())
def test_a_random_graph_answers_as_onnx_does(proto: onnx.ModelProto) -> None:
    with tempfile.TemporaryDirectory() as folder:
        plan, path = planned(proto, Path(folder))
        assert not plan.foreign, plan.foreign
        check(plan, path, 2e-4)
