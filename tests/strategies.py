"""Hypothesis strategies of valid subgraphs, for every room that must cope with whatever the format allows.

`subgraphs()` gives dicts as a file would hold them: small odd and prime extents, diamonds, several outputs,
dead nodes, every op and dtype, nodes in any order. Each tensor has at most 4000 elements.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from ansord_client.dtypes import ALL, FLOATS, NUMBERS
from ansord_client.ops import TABLE
from ansord_client.subgraph import Subgraph

Draw = Callable[[st.SearchStrategy[Any]], Any]
Shape = tuple[int, ...]
Obj = dict[str, Any]

ELEMENTS = 4000
_EXTENTS = (1, 2, 3, 4, 5, 7, 8, 11, 13, 16, 17)
_TYPES = ("float32",) * 6 + tuple(sorted(ALL))


@dataclass
class _Graph:
    """What was drawn so far; `known` has shape and dtype of every tensor."""

    draw: Draw
    dtypes: tuple[str, ...]
    inputs: list[Obj] = field(default_factory=list)
    nodes: list[Obj] = field(default_factory=list)
    known: dict[str, tuple[Shape, str]] = field(default_factory=dict)

    def one(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def chance(self) -> bool:
        return bool(self.draw(st.booleans()))

    def dtype(self, accepts: frozenset[str]) -> str:
        usual = [name for name in self.dtypes if name in accepts]
        return str(self.one(*(usual or sorted(accepts))))

    def extents(self, rank: int, limit: int = ELEMENTS) -> Shape:
        shape: list[int] = []
        for left in range(rank, 0, -1):
            room = limit // math.prod(shape)
            fitting = [extent for extent in _EXTENTS if extent**left <= room] or [1]
            shape.append(self.one(*fitting))
        return tuple(shape)

    def new(self, shape: Shape, dtype: str) -> str:
        name = f"x{len(self.inputs)}"
        self.inputs.append({"name": name, "shape": list(shape), "dtype": dtype, "constant": self.chance()})
        self.known[name] = shape, dtype
        return name

    def of(self, shape: Shape, dtype: str) -> str:
        """A tensor of exactly this kind: one that is there, or a new input."""
        there = [name for name, kind in self.known.items() if kind == (shape, dtype)]
        return str(self.one(*there)) if there and self.chance() else self.new(shape, dtype)

    def any(self, accepts: frozenset[str], low: int = 0, high: int = 5) -> tuple[str, Shape, str]:
        """Some tensor of a rank and type, rather one that is there."""
        there = [
            name
            for name, (shape, dtype) in self.known.items()
            if dtype in accepts and low <= len(shape) <= high
        ]
        if there and self.one(True, True, True, False):
            name = str(self.one(*there[-3:]))
        else:
            name = self.new(self.extents(self.draw(st.integers(low, high)), 600), self.dtype(accepts))
        return name, *self.known[name]

    def number(self, dtype: str) -> Any:
        if dtype == "bool":
            return self.chance()
        if dtype in FLOATS:
            return self.one(0, 1, -1, 0.5, 2.5, -0.1, 3.0, 1e-3)
        return self.one(0, 1, 2, 3, 7) if dtype == "uint8" else self.one(0, 1, -1, 2, -3, 7)


def _broadcastable(g: _Graph, shape: Shape) -> Shape:
    """A shape that broadcasts into `shape`, of the same or a lower rank."""
    kept = shape[g.draw(st.integers(0, len(shape))) :]
    return tuple(extent if g.one(True, True, False) else 1 for extent in kept)


def _binary(g: _Graph, op: str) -> Obj:
    x, shape, dtype = g.any(TABLE[op].accepts)
    other = g.number(dtype) if g.one(True, False, False) else g.of(_broadcastable(g, shape), dtype)
    args = [x, other] if g.chance() else [other, x]
    return {"args": args}


def _unary(g: _Graph, op: str) -> Obj:
    x, _, dtype = g.any(TABLE[op].accepts)
    attrs: Obj = {}
    if op == "clip":
        low, high = sorted([g.number(dtype), g.number(dtype)])
        attrs = g.one({"min": low}, {"max": high}, {"min": low, "max": high})
    if op == "leaky_relu":
        attrs = g.one({}, {"alpha": 0.25})
    if op == "gelu":
        attrs = g.one({}, {"approximate": True})
    if op == "cast":
        attrs = {"dtype": g.dtype(ALL)}
    return {"args": [x], "attrs": attrs}


def _where(g: _Graph, op: str) -> Obj:
    a, shape, dtype = g.any(ALL)
    b = g.number(dtype) if g.chance() else g.of(_broadcastable(g, shape), dtype)
    condition = g.of(_broadcastable(g, shape), "bool")
    return {"args": [condition, *((a, b) if g.chance() else (b, a))]}


def _window(
    g: _Graph, extents: Shape, largest: int = 3
) -> tuple[list[int], list[int], list[list[int]], list[int]]:
    """(kernel, stride, padding, dilation) that fit."""
    kernel, stride, padding, dilation = [], [], [], []
    for extent in extents:
        k, d, pad = g.one(*range(1, largest + 1)), g.one(1, 1, 2), [g.one(0, 1), g.one(0, 1, 2)]
        if extent + sum(pad) < d * (k - 1) + 1:
            k = d = 1
        kernel.append(k)
        dilation.append(d)
        stride.append(g.one(1, 1, 2, 3))
        padding.append(pad)
    return kernel, stride, padding, dilation


def _conv(g: _Graph, op: str) -> Obj:
    spatial = int(op[4])
    x, shape, dtype = g.any(NUMBERS, spatial + 2, spatial + 2)
    kernel, stride, padding, dilation = _window(g, shape[1:-1])
    attrs: Obj = {"stride": stride, "padding": padding, "dilation": dilation}
    channels = g.one(1, 2, 3, 5)
    if "transpose" in op:
        attrs["output_padding"] = [g.one(0, max(s, d) - 1) for s, d in zip(stride, dilation, strict=True)]
        for axis, (extent, k) in enumerate(zip(shape[1:-1], kernel, strict=True)):
            size = (extent - 1) * stride[axis] + dilation[axis] * (k - 1) + 1
            if sum(padding[axis]) >= size:
                padding[axis] = [0, 0]
        w = g.of((*kernel, shape[-1], channels), dtype)
        return {"args": [x, w], "attrs": attrs}
    groups = g.one(*(n for n in range(1, shape[-1] + 1) if shape[-1] % n == 0))
    w = g.of((*kernel, shape[-1] // groups, groups * channels), dtype)
    return {"args": [x, w], "attrs": attrs | {"groups": groups}}


def _matmul(g: _Graph, op: str) -> Obj:
    x, shape, dtype = g.any(NUMBERS, 1, 4)
    swap_a, swap_b = len(shape) > 1 and g.chance(), g.chance()
    inner, columns = shape[-2] if swap_a else shape[-1], g.one(1, 3, 4, 7)
    batch = _broadcastable(g, shape[:-2])
    matrix = g.one((inner,), (*batch, inner, columns)) if not swap_b else (*batch, columns, inner)
    other = g.of(matrix, dtype)
    return {"args": [x, other], "attrs": {"transpose_a": swap_a, "transpose_b": swap_b}}


def _pool(g: _Graph, op: str) -> Obj:
    x, shape, _ = g.any(TABLE[op].accepts, 3, 5)
    kernel = [g.one(*range(1, min(extent, 3) + 1)) for extent in shape[1:-1]]
    padding = [[g.one(0, k // 2), g.one(0, k // 2)] for k in kernel]
    attrs = {"kernel": kernel, "padding": padding, "ceil_mode": g.chance(), "count_include_pad": g.chance()}
    return {"args": [x], "attrs": g.one(attrs, attrs | {"stride": [g.one(1, 2, 3) for _ in kernel]})}


def _axes(g: _Graph, rank: int) -> list[int]:
    axes = g.draw(st.lists(st.sampled_from(range(rank)), min_size=1, max_size=rank, unique=True))
    return [axis - rank if g.chance() else axis for axis in axes]


def _reduce(g: _Graph, op: str) -> Obj:
    x, shape, _ = g.any(TABLE[op].accepts, 0, 4)
    attrs: Obj = {"keepdims": g.chance()}
    if shape and g.chance():
        attrs["axes"] = _axes(g, len(shape))
    return {"args": [x], "attrs": attrs}


def _norm(g: _Graph, op: str) -> Obj:
    x, shape, dtype = g.any(FLOATS, 1, 4)
    if op == "batch_norm":
        return {"args": [x, *(g.of(shape[-1:], dtype) for _ in range(4))]}
    if op == "layer_norm":
        axes = _axes(g, len(shape))
        normalised = tuple(shape[axis] for axis in sorted(axis % len(shape) for axis in axes))
        return {"args": [x, g.of(normalised, dtype), g.of(normalised, dtype)], "attrs": {"axis": axes}}
    return {"args": [x], "attrs": {"axis": g.draw(st.integers(-len(shape), len(shape) - 1))}}


def _structure(g: _Graph, op: str) -> Obj:
    x, shape, dtype = g.any(ALL, 0, 4)
    rank = len(shape)
    attrs: Obj = {}
    if op == "transpose":
        attrs = {"perm": g.draw(st.permutations(range(rank)))}
    elif op == "reshape":
        factors = [p for p in (2, 3, 5, 7) if math.prod(shape) % p == 0]
        attrs = {
            "shape": g.one([-1], list(shape), *([p, -1] for p in factors), *([-1, p, 1] for p in factors))
        }
    elif op == "pad":
        pads = [[g.one(0, 1, 2), g.one(0, 1, 3)] for _ in shape]
        attrs = {"pads": pads, "value": g.number(dtype)}
    elif op == "slice":
        attrs = _slice(g, shape)
    elif op == "concat":
        if not shape:
            return _structure(g, "reshape") | {"op": "reshape"}
        axis = g.draw(st.integers(0, rank - 1))
        others = [
            g.of((*shape[:axis], g.one(1, 2, 3), *shape[axis + 1 :]), dtype) for _ in range(g.one(0, 1, 2))
        ]
        return {
            "args": g.draw(st.permutations([x, *others])),
            "attrs": {"axis": axis - rank if g.chance() else axis},
        }
    elif op == "expand_dims":
        attrs = {"axes": g.one([0], [-1], [rank], [0, -1])}
    elif op == "squeeze":
        attrs = g.one({}, {"axes": [axis for axis, extent in enumerate(shape) if extent == 1]})
    return {"args": [x], "attrs": attrs}


def _slice(g: _Graph, shape: Shape) -> Obj:
    starts: list[int | None] = []
    ends: list[int | None] = []
    steps: list[int | None] = []
    for extent in shape:
        first = g.draw(st.integers(0, extent - 1))
        last = g.draw(st.integers(first, extent - 1))
        if g.one(True, True, False):
            start, end, step = first, last + 1, g.one(1, 1, 2, 3)
        else:
            start, end, step = last, first - 1 if first else None, g.one(-1, -2)
        starts.append(g.one(start, start - extent, start))
        ends.append(end)
        steps.append(g.one(None, 1) if step == 1 else step)
    return {"starts": starts, "ends": ends, "steps": steps}


def _compute(g: _Graph, op: str) -> Obj:
    maker = g.one(
        _map_expression, _map_expression, _reduce_expression, _contraction_expression, _window_expression
    )
    return maker(g)  # type: ignore[no-any-return]


def _map_expression(g: _Graph) -> Obj:
    """An element-wise or gathering expression over a tensor: shifts, flips, divisions, conditions."""
    x, shape, dtype = g.any(NUMBERS, 1, 3)
    extent, axes = shape[0], ", ".join("ijk"[: len(shape)])
    rest = "".join(f", {axis}" for axis in "jk"[: len(shape) - 1])
    index = g.one(
        "i", f"{extent - 1}-i", f"(i*{extent + 1})%{extent}", "i//2", "i//3*3 + i%3 - (i//3*3 + i%3) + i"
    )
    value = f"{x}[{index}{rest}]"
    number = abs(g.number(dtype))
    value = g.one(
        value, f"max({value}, {number})", f"-{value}", f"{value}*{value} + {number}", f"relu({value})"
    )
    if dtype in FLOATS:
        value = g.one(value, f"tanh({value})", f"{value}/({number} + 2)", f"sigmoid({value} - {number})")
    condition = g.one(
        f"i < {extent // 2 + 1}", "i % 2 == 0", f"{x}[{axes}] > {number}", "i >= 1 and not i == 2"
    )
    value = g.one(value, f"select({condition}, {value}, {number})", condition)
    args = [x] if f"{x}[" in value else []
    return {"args": args, "attrs": {"expr": f"y[{axes}] = {value}", "shape": list(shape)}}


def _reduce_expression(g: _Graph) -> Obj:
    x, shape, dtype = g.any(NUMBERS, 2, 3)
    names = "ijk"[: len(shape)]
    kept = g.one("", *names, names[:2], names[1::-1]) if len(shape) > 2 else g.one("", *names)
    assign = g.one("+=", "max=", "min=", "*=")
    value = f"{x}[{','.join(names)}]"
    value = g.one(value, f"{value}*{value}", f"abs({value})", f"select({names[-1]} < 2, {value}, 1)")
    attrs = {
        "expr": f"y[{','.join(kept)}] {assign} {value}",
        "shape": [shape[names.index(axis)] for axis in kept],
    }
    return {"args": [x], "attrs": attrs}


def _contraction_expression(g: _Graph) -> Obj:
    x, shape, dtype = g.any(NUMBERS, 2, 2)
    w = g.of((shape[1], g.one(1, 3, 5)), dtype)
    columns = g.known[w][0][1]
    left, form = g.one(("i,j", (shape[0], columns)), ("j,i", (columns, shape[0])), ("j", (columns,)))
    attrs = {"expr": f"out[{left}] += {x}[i, k] * {w}[k, j]", "shape": list(form)}
    return {"args": [x, w] if x != w else [x], "attrs": attrs}


def _window_expression(g: _Graph) -> Obj:
    """A strided window along one axis, as in a convolution."""
    x, shape, dtype = g.any(NUMBERS, 2, 2)
    size = min(g.one(1, 2, 3), shape[0])
    stride = g.one(1, 2)
    count = (shape[0] - size) // stride + 1
    w = g.of((size, shape[1]), dtype)
    text = (
        f"y[h, c] += {x}[h*{stride} + u, c] * {w}[u, c]" if x != w else f"y[h, c] += {x}[h*{stride} + u, c]"
    )
    attrs: Obj = {"expr": text, "shape": [count, shape[1]]}
    if x == w:
        attrs["ranges"] = {"u": size}
    return {"args": [x, w] if x != w else [x], "attrs": attrs}


_MAKERS: dict[str, Callable[[_Graph, str], Obj]] = {
    **{op: _unary for op, row in TABLE.items() if row.args == ("x",)},
    **{op: _binary for op, row in TABLE.items() if row.args == ("a", "b")},
    **{op: _structure for op in ("transpose", "reshape", "pad", "slice", "concat", "expand_dims", "squeeze")},
    **{op: _reduce for op in TABLE if op.startswith("reduce_")},
    **{op: _conv for op in TABLE if op.startswith("conv")},
    **dict.fromkeys(("max_pool", "avg_pool"), _pool),
    **dict.fromkeys(("softmax", "log_softmax", "layer_norm", "batch_norm"), _norm),
    "matmul": _matmul,
    "where": _where,
    "compute": _compute,
}
_HEAVY = (
    "conv2d",
    "matmul",
    "compute",
    "add",
    "relu",
    "reduce_sum",
    "softmax",
    "conv2d_transpose",
    "transpose",
)


@st.composite
def subgraphs(
    draw: Draw, max_nodes: int = 5, dtypes: Sequence[str] = _TYPES, ops: Sequence[str] | None = None
) -> Obj:
    """A valid subgraph as a dict, of 1 to `max_nodes` nodes, rather of these dtypes, of these ops (all)."""
    g = _Graph(draw, tuple(dtypes))
    allowed = [op for op in (*TABLE, *_HEAVY) if ops is None or op in ops]
    for number in range(draw(st.integers(1, max_nodes))):
        op = str(g.one(*allowed))
        node = {"name": f"n{number}", "op": op} | _MAKERS[op](g, op)
        obj = {"ansord": 1, "inputs": g.inputs, "nodes": [*g.nodes, node], "outputs": [node["name"]]}
        made = Subgraph.from_dict(obj).tensor(node["name"])
        if math.prod(made.shape) <= ELEMENTS and len(made.shape) <= 6:
            g.nodes.append(node)
            g.known[node["name"]] = made.shape, made.dtype
    if not g.nodes:
        g.nodes.append({"name": "n", "op": "neg", "args": [g.of((3,), "float32")]})
    read = {arg for node in g.nodes for arg in node["args"] if isinstance(arg, str)}
    names = [node["name"] for node in g.nodes]
    outputs = [name for name in names if name not in read or g.one(True, False, False, False)]
    return {
        "ansord": 1,
        "inputs": g.inputs,
        "nodes": draw(st.permutations(g.nodes)),
        "outputs": outputs[: draw(st.integers(1, len(outputs)))],
        "numerics": g.one("fast", "strict"),
    }
