"""For every op, a strategy of small subgraphs with that op: shapes, types and attributes at random."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import strategies as st

from ansord_client.dtypes import ALL, FLOATS, NUMBERS
from ansord_client.subgraph import Subgraph
from tests.dag.graphs import node, subgraph

Shape = tuple[int, ...]
Draw = st.DrawFn

EXTENT = st.integers(1, 5)


def dtype_of(draw: Draw, among: frozenset[str]) -> str:
    return draw(st.sampled_from(sorted(among)))


def shape_of(draw: Draw, low: int = 0, high: int = 4) -> Shape:
    return tuple(draw(st.lists(EXTENT, min_size=low, max_size=high)))


def one(op: str, dtype: str, inputs: dict[str, Shape], /, *args: str | float, **attrs: Any) -> Subgraph:
    """A subgraph of one node; all inputs have `dtype`."""
    return subgraph(inputs, node("y", op, *(args or inputs), **attrs), dtypes=dict.fromkeys(inputs, dtype))


def each(draw: Draw, rank: int, low: int, high: int) -> list[int]:
    return [draw(st.integers(low, high)) for _ in range(rank)]


def sides(draw: Draw, rank: int, high: int) -> list[list[int]]:
    return [each(draw, 2, 0, high) for _ in range(rank)]


def convolution(draw: Draw, op: str) -> Subgraph:
    rank = int(op[4])
    kernel, dilation = each(draw, rank, 1, 3), each(draw, rank, 1, 2)
    padding, stride = sides(draw, rank, 2), each(draw, rank, 1, 3)
    groups, inner, outer = each(draw, 3, 1, 3)
    extents = [
        max(1, d * (k - 1) + 1 - before - after) + draw(st.integers(0, 4))
        for k, d, (before, after) in zip(kernel, dilation, padding, strict=True)
    ]
    inputs = {
        "x": (draw(st.integers(1, 2)), *extents, groups * inner),
        "w": (*kernel, inner, groups * outer),
    }
    attrs = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return one(op, dtype_of(draw, NUMBERS), inputs, **attrs)


def transposed(draw: Draw, op: str) -> Subgraph:
    rank = int(op[4])
    kernel, dilation, stride = each(draw, rank, 1, 4), each(draw, rank, 1, 3), each(draw, rank, 1, 4)
    extents = each(draw, rank, 1, 4)
    extra = [draw(st.integers(0, max(s, d) - 1)) for s, d in zip(stride, dilation, strict=True)]
    padding = []
    for extent, s, d, k, more in zip(extents, stride, dilation, kernel, extra, strict=True):
        room = (extent - 1) * s + d * (k - 1) + more
        before = draw(st.integers(0, min(room, 4)))
        padding.append([before, draw(st.integers(0, min(room - before, 4)))])
    inner, outer = each(draw, 2, 1, 3)
    inputs = {"x": (draw(st.integers(1, 2)), *extents, inner), "w": (*kernel, inner, outer)}
    attrs = {"stride": stride, "padding": padding, "dilation": dilation, "output_padding": extra}
    return one(op, dtype_of(draw, NUMBERS), inputs, **attrs)


def matmul(draw: Draw, op: str) -> Subgraph:
    i, j, k = each(draw, 3, 1, 4)
    batch = shape_of(draw, 0, 3)
    flip_a, flip_b = draw(st.booleans()), draw(st.booleans())
    left: Shape = (*part(draw, batch), *((k, i) if flip_a else (i, k)))
    right: Shape = (*part(draw, batch), *((j, k) if flip_b else (k, j)))
    if draw(st.integers(0, 5)) == 0:
        left, flip_a = (k,), False
    if draw(st.integers(0, 5)) == 0:
        right, flip_b = (k,), False
    inputs = {"a": left, "b": right}
    return one(op, dtype_of(draw, NUMBERS), inputs, transpose_a=flip_a, transpose_b=flip_b)


def part(draw: Draw, shape: Shape) -> Shape:
    """A shape that broadcasts to `shape`."""
    kept = shape[draw(st.integers(0, len(shape))) :]
    return tuple(draw(st.sampled_from([extent, 1])) for extent in kept)


def pool(draw: Draw, op: str) -> Subgraph:
    rank = draw(st.integers(1, 3))
    kernel, stride = each(draw, rank, 1, 4), each(draw, rank, 1, 3)
    padding = [each(draw, 2, 0, k // 2) for k in kernel]
    extents = [
        max(1, k - before - after) + draw(st.integers(0, 4))
        for k, (before, after) in zip(kernel, padding, strict=True)
    ]
    attrs: dict[str, Any] = {"kernel": kernel, "stride": stride, "padding": padding}
    attrs["ceil_mode"] = draw(st.booleans())
    if op == "avg_pool":
        attrs["count_include_pad"] = draw(st.booleans())
    inputs = {"x": (draw(st.integers(1, 2)), *extents, draw(st.integers(1, 3)))}
    return one(op, dtype_of(draw, FLOATS if op == "avg_pool" else NUMBERS), inputs, **attrs)


def axes_of(draw: Draw, rank: int) -> list[int]:
    return draw(st.lists(st.integers(0, rank - 1), min_size=1, max_size=rank, unique=True))


def reduction(draw: Draw, op: str) -> Subgraph:
    shape = shape_of(draw)
    attrs: dict[str, Any] = {"keepdims": draw(st.booleans())}
    if shape and draw(st.booleans()):
        attrs["axes"] = axes_of(draw, len(shape))
    return one(op, dtype_of(draw, FLOATS if op == "reduce_mean" else NUMBERS), {"x": shape}, **attrs)


def rows(draw: Draw, op: str) -> Subgraph:
    shape = shape_of(draw, 1)
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    return one(op, dtype_of(draw, FLOATS), {"x": shape}, axis=axis)


def layer_norm(draw: Draw, op: str) -> Subgraph:
    shape = shape_of(draw, 1)
    axes = sorted(axes_of(draw, len(shape)))
    over = tuple(shape[axis] for axis in axes)
    return one(op, dtype_of(draw, FLOATS), {"x": shape, "s": over, "b": over}, axis=axes, epsilon=0.1)


def batch_norm(draw: Draw, op: str) -> Subgraph:
    shape = shape_of(draw, 1)
    vectors = dict.fromkeys(("s", "b", "m", "v"), shape[-1:])
    return one(op, dtype_of(draw, FLOATS), {"x": shape, **vectors})


def binary(among: frozenset[str]) -> Callable[[Draw, str], Subgraph]:
    def case(draw: Draw, op: str) -> Subgraph:
        dtype = dtype_of(draw, among)
        shape = shape_of(draw)
        kind = draw(st.integers(0, 3))
        if kind > 1 or dtype == "bool":
            return one(op, dtype, {"a": part(draw, shape), "b": shape})
        number: float = draw(st.integers(0, 5)) * (0.5 if dtype in FLOATS else 1)
        return one(op, dtype, {"a": shape}, *((number, "a") if kind else ("a", number)))

    return case


def unary(among: frozenset[str]) -> Callable[[Draw, str], Subgraph]:
    def case(draw: Draw, op: str) -> Subgraph:
        return one(op, dtype_of(draw, among), {"x": shape_of(draw)})

    return case


def leaky_relu(draw: Draw, op: str) -> Subgraph:
    return one(op, dtype_of(draw, FLOATS), {"x": shape_of(draw)}, alpha=draw(st.sampled_from([0.01, 0.5])))


def gelu(draw: Draw, op: str) -> Subgraph:
    return one(op, dtype_of(draw, FLOATS), {"x": shape_of(draw)}, approximate=draw(st.booleans()))


def clip(draw: Draw, op: str) -> Subgraph:
    bounds = draw(st.sampled_from([{"min": 1}, {"max": 2}, {"min": 1, "max": 2}]))
    return one(op, dtype_of(draw, NUMBERS), {"x": shape_of(draw)}, **bounds)


def where(draw: Draw, op: str) -> Subgraph:
    shape, dtype = shape_of(draw), dtype_of(draw, ALL)
    inputs = {"c": part(draw, shape), "a": part(draw, shape), "b": shape}
    return subgraph(inputs, node("y", op, *inputs), dtypes={"c": "bool", "a": dtype, "b": dtype})


def cast(draw: Draw, op: str) -> Subgraph:
    return one(op, dtype_of(draw, ALL), {"x": shape_of(draw)}, dtype=dtype_of(draw, ALL))


def transpose(draw: Draw, op: str) -> Subgraph:
    shape = shape_of(draw)
    return one(op, dtype_of(draw, ALL), {"x": shape}, perm=draw(st.permutations(range(len(shape)))))


def reshape(draw: Draw, op: str) -> Subgraph:
    factors = draw(st.lists(st.sampled_from([1, 2, 3, 4]), max_size=5))
    cuts = [sorted(draw(st.lists(st.integers(0, len(factors)), max_size=4))) for _ in range(2)]
    first, second = (products(factors, cut) for cut in cuts)
    return one(op, dtype_of(draw, ALL), {"x": first}, shape=list(second))


def products(factors: list[int], cuts: list[int]) -> Shape:
    """The factors multiplied up between the cuts."""
    shape = [1] * (len(cuts) + 1)
    for place, factor in enumerate(factors):
        shape[sum(cut <= place for cut in cuts)] *= factor
    return tuple(shape)


def pad(draw: Draw, op: str) -> Subgraph:
    shape, dtype = shape_of(draw), dtype_of(draw, ALL)
    value = draw(st.integers(0, 1)) if dtype == "bool" else draw(st.integers(0, 3))
    return one(op, dtype, {"x": shape}, pads=sides(draw, len(shape), 2), value=value)


def cut(draw: Draw, op: str) -> Subgraph:
    shape = shape_of(draw)
    bounds: list[tuple[int | None, int | None, int]] = []
    for extent in shape:
        near = st.none() | st.integers(-extent - 1, extent + 1)
        slices = st.tuples(near, near, st.sampled_from([1, 2, 3, -1, -2]))
        bounds.append(draw(slices.filter(lambda s, extent=extent: bool(range(extent)[slice(*s)]))))
    starts, ends, steps = ([bound[place] for bound in bounds] for place in range(3))
    return one(op, dtype_of(draw, ALL), {"x": shape}, starts=starts, ends=ends, steps=steps)


def concat(draw: Draw, op: str) -> Subgraph:
    shape = shape_of(draw, 1)
    axis = draw(st.integers(0, len(shape) - 1))
    count = draw(st.integers(1, 5))
    inputs = {
        f"x{place}": tuple(draw(EXTENT) if at == axis else extent for at, extent in enumerate(shape))
        for place in range(count)
    }
    return one(op, dtype_of(draw, ALL), inputs, axis=axis)


def expand_dims(draw: Draw, op: str) -> Subgraph:
    shape = shape_of(draw, 0, 3)
    return one(op, dtype_of(draw, ALL), {"x": shape}, axes=axes_of(draw, len(shape) + 1)[:1])


def squeeze(draw: Draw, op: str) -> Subgraph:
    shape = tuple(draw(st.lists(st.integers(1, 2), max_size=4)))
    return one(op, dtype_of(draw, ALL), {"x": shape})


DEFINITIONS: tuple[tuple[str, dict[str, Shape], Shape, dict[str, int]], ...] = (
    ("y[i,j] = x[j,i] * 2 - x[0,i]", {"x": (3, 4)}, (4, 3), {}),
    ("y[i] += x[i,j] * x[i,j]", {"x": (3, 4)}, (3,), {}),
    ("y[] max= x[i,j]", {"x": (3, 4)}, (), {}),
    ("y[i] min= x[i*2+u, v]", {"x": (5, 4)}, (2,), {"u": 2}),
    ("y[n,h,o] += p[n, h*2+u, c] * w[u,c,o]", {"p": (2, 7, 2), "w": (3, 2, 4)}, (2, 3, 4), {}),
    ("y[i,j] = select(i <= j and not (j == 2), x[i,j], max(x[j,i], 0))", {"x": (4, 4)}, (4, 4), {}),
    ("y[i] *= select(j < i, x[j], 1)", {"x": (4,)}, (4,), {}),
    ("y[i,j,k] = x[i//2, (j*3+k)%4, (i+j)//3]", {"x": (2, 4, 3)}, (4, 3, 2), {}),
    ("y[i] += x[i] + 0 * w[k]", {"x": (3,), "w": (1,)}, (3,), {}),
    (
        "y[n,h,w,i,j,o] += p[n, h*2+u, w*2+v, i, k, c] * w[u,v,k,j,c,o]",
        {"p": (1, 4, 4, 2, 2, 2), "w": (2, 2, 2, 2, 2, 3)},
        (1, 2, 2, 2, 2, 3),
        {},
    ),
)


def compute(draw: Draw, op: str) -> Subgraph:
    expr, inputs, shape, ranges = draw(st.sampled_from(DEFINITIONS))
    return one(op, dtype_of(draw, NUMBERS), inputs, expr=expr, shape=list(shape), ranges=ranges)


FAMILIES: Mapping[str, Callable[[Draw, str], Subgraph]] = {
    **dict.fromkeys(("conv1d", "conv2d", "conv3d"), convolution),
    **dict.fromkeys(("conv1d_transpose", "conv2d_transpose", "conv3d_transpose"), transposed),
    "matmul": matmul,
    **dict.fromkeys(("max_pool", "avg_pool"), pool),
    **dict.fromkeys(("reduce_sum", "reduce_mean", "reduce_max", "reduce_min", "reduce_prod"), reduction),
    **dict.fromkeys(("softmax", "log_softmax"), rows),
    "layer_norm": layer_norm,
    "batch_norm": batch_norm,
    **dict.fromkeys(("add", "sub", "mul", "maximum", "minimum"), binary(NUMBERS)),
    **dict.fromkeys(("div", "pow"), binary(FLOATS)),
    **dict.fromkeys(("equal", "less", "greater"), binary(ALL)),
    **dict.fromkeys(("logical_and", "logical_or"), binary(frozenset({"bool"}))),
    "logical_not": unary(frozenset({"bool"})),
    **dict.fromkeys(("relu", "neg", "abs", "floor"), unary(NUMBERS)),
    **dict.fromkeys(("sigmoid", "tanh", "erf", "silu", "hard_swish", "exp", "log"), unary(FLOATS)),
    **dict.fromkeys(("sin", "cos", "sqrt", "rsqrt"), unary(FLOATS)),
    "leaky_relu": leaky_relu,
    "gelu": gelu,
    "clip": clip,
    "where": where,
    "cast": cast,
    "transpose": transpose,
    "reshape": reshape,
    "pad": pad,
    "slice": cut,
    "concat": concat,
    "expand_dims": expand_dims,
    "squeeze": squeeze,
    "compute": compute,
}


def cases(op: str) -> st.SearchStrategy[Subgraph]:
    """Subgraphs of one node with this op."""

    @st.composite
    def strategy(draw: Draw) -> Subgraph:
        return FAMILIES[op](draw, op)

    return strategy()
