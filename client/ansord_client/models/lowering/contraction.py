"""Convolutions, transposed convolutions, matrix products."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from string import ascii_letters
from typing import Any

from ansord_client.dtypes import FLOATS
from ansord_client.models.building import Builder, Laid, NotCovered, channels_last
from ansord_client.models.graph import Op
from ansord_client.models.lowering.at import At
from ansord_client.ops import Shape

Pads = list[list[int]]


def pads_of(at: At, spatial: Shape, kernel: list[int], stride: list[int], dilation: list[int]) -> Pads:
    """[before, after] per spatial dimension, from `pads` or `auto_pad`."""
    auto = at.attr("auto_pad", "NOTSET")
    if auto == "VALID":
        return [[0, 0] for _ in spatial]
    if auto.startswith("SAME"):
        pads = []
        for extent, taps, step, spread in zip(spatial, kernel, stride, dilation, strict=True):
            total = max((-(-extent // step) - 1) * step + (taps - 1) * spread + 1 - extent, 0)
            small = total // 2
            pads.append([small, total - small] if auto == "SAME_UPPER" else [total - small, small])
        return pads
    flat = [int(one) for one in at.attr("pads", [0] * 2 * len(spatial))]
    return [[flat[axis], flat[axis + len(spatial)]] for axis in range(len(spatial))]


def spread(at: At, name: str, spatial: int) -> list[int]:
    """An attribute with one integer per spatial dimension, 1 each where it is left out."""
    return [int(one) for one in at.attr(name, [1] * spatial)]


def conv(at: At) -> None:
    """x [N, C, *S], w [O, C/groups, *K]."""
    rank = len(at.shape(0))
    kernel = list(at.shape(1)[2:])
    stride, dilation = spread(at, "strides", rank - 2), spread(at, "dilations", rank - 2)
    if not 3 <= rank <= 5:
        raise NotCovered("rank")
    last = channels_last(rank)
    w = at.builder.transposed(at.name(1), (*range(2, rank), 1, 0))
    x = at.builder.held(at.laid(0), last)
    y = at.emit(
        f"conv{rank - 2}d",
        x,
        w,
        stride=stride,
        padding=pads_of(at, at.shape(0)[2:], kernel, stride, dilation),
        dilation=dilation,
        groups=at.integer("group", 1),
    )
    at.give(at.emit("add", y, at.name(2)) if at.has(2) else y, last)


def conv_transpose(at: At) -> None:
    """x [N, C, *S], w [C, O/groups, *K]; our op has no groups: each is an op of its own."""
    rank, groups = len(at.shape(0)), at.integer("group", 1)
    if not 3 <= rank <= 5:
        raise NotCovered("rank")
    spatial = rank - 2
    kernel = list(at.shape(1)[2:])
    stride, dilation = spread(at, "strides", spatial), spread(at, "dilations", spatial)
    extra = [int(one) for one in at.attr("output_padding", [0] * spatial)]
    padding, extra = _transposed_pads(at, kernel, stride, dilation, extra)
    last = channels_last(rank)
    x, w = at.builder.held(at.laid(0), last), at.builder.transposed(at.name(1), (*range(2, rank), 0, 1))
    parts = []
    for group in range(groups):
        one, other = _part(at, x, rank - 1, group, groups), _part(at, w, rank - 2, group, groups)
        attrs: dict[str, Any] = {
            "stride": stride,
            "padding": padding,
            "output_padding": extra,
            "dilation": dilation,
        }
        parts.append(at.emit(f"conv{spatial}d_transpose", one, other, **attrs))
    y = parts[0] if groups == 1 else at.emit("concat", *parts, axis=rank - 1)
    at.give(at.emit("add", y, at.name(2)) if at.has(2) else y, last)


def _part(at: At, name: str, axis: int, group: int, groups: int) -> str:
    """One of `groups` equal parts along an axis."""
    if groups == 1:
        return name
    shape = at.builder.shape(name)
    size = shape[axis] // groups
    starts: list[int | None] = [None] * len(shape)
    ends: list[int | None] = [None] * len(shape)
    starts[axis], ends[axis] = group * size, (group + 1) * size
    return at.emit("slice", name, starts=starts, ends=ends)


def _transposed_pads(
    at: At, kernel: list[int], stride: list[int], dilation: list[int], extra: list[int]
) -> tuple[Pads, list[int]]:
    """Padding and output padding; `output_shape` and SAME decide the padding by the result's extents."""
    spatial = at.shape(0)[2:]
    auto, wanted = at.attr("auto_pad", "NOTSET"), at.attr("output_shape", None)
    if wanted is None and not auto.startswith("SAME"):
        return pads_of(at, spatial, kernel, stride, dilation), extra
    if wanted is None:
        wanted = [extent * step for extent, step in zip(spatial, stride, strict=True)]
    pads = []
    for axis, size in enumerate(list(wanted)[-len(spatial) :]):
        whole = stride[axis] * (spatial[axis] - 1) + extra[axis] + (kernel[axis] - 1) * dilation[axis] + 1
        total = whole - int(size)
        if total < 0:  # the result ends in zeros: our op has them as output padding
            extra[axis] -= total
            total = 0
        small = total // 2
        pads.append([small, total - small] if auto == "SAME_UPPER" else [total - small, small])
    return pads, extra


def matmul(at: At) -> None:
    """NumPy's; the last two axes may be swapped on the way."""
    (a, swap_a, scale_a), (b, swap_b, scale_b) = _operand(at, 0), _operand(at, 1)
    y = at.emit("matmul", a, b, transpose_a=swap_a, transpose_b=swap_b)
    at.give(_scaled(at, y, scale_a * scale_b))


def _operand(at: At, place: int) -> tuple[str, bool, float]:
    """An operand, whether its last two axes are swapped (kept so where that leaves rows whole), and by what
    the product is to be scaled: attention's scale, say, which exporters divide among both operands."""
    laid = at.laid(place)
    name, scale = _unscaled(at.builder, laid.name)
    laid, rank = Laid(name, laid.perm), len(laid.perm)
    if rank < 2 or laid.perm[-2] != rank - 1:
        return at.builder.plain(laid), False, scale
    swapped = (*range(rank - 2), rank - 1, rank - 2)
    return at.builder.held(laid, swapped), True, scale


def _unscaled(build: Builder, name: str) -> tuple[str, float]:
    """What a value is a multiple of, where that is only moved: after arithmetic the factor costs nothing, and
    on constants neither, which are scaled once."""
    if name in build.known:
        return name, 1.0
    match build.producer(name):
        case Op("mul", (str() as inner, int() | float() as factor)):
            pass
        case Op("mul", (int() | float() as factor, str() as inner)):
            pass
        case Op("div", (str() as inner, int() | float() as divisor)) if divisor:
            factor = 1 / divisor
        case _:
            return name, 1.0
    before = build.producer(inner)
    moved = before is not None and before.op in ("reshape", "transpose", "slice")
    return (inner, float(factor)) if moved and build.values[name].dtype in FLOATS else (name, 1.0)


def _scaled(at: At, name: str, factor: float) -> str:
    return name if factor == 1.0 else at.emit("mul", name, factor)


def gemm(at: At) -> None:
    """alpha * a @ b + beta * c."""
    (a, swap_a, scale_a), (b, swap_b, scale_b) = _operand(at, 0), _operand(at, 1)
    first, second = swap_a != bool(at.attr("transA", 0)), swap_b != bool(at.attr("transB", 0))
    y = at.emit("matmul", a, b, transpose_a=first, transpose_b=second)
    y = _scaled(at, y, float(at.attr("alpha", 1.0)) * scale_a * scale_b)
    beta = float(at.attr("beta", 1.0))
    if at.has(2) and beta != 0.0:
        c = _scaled(at, at.builder.plain(at.laid(2)), beta)
        if c in at.builder.known and at.builder.shape(c)[:1] == (1,):
            c = at.builder.reshaped(c, at.builder.shape(c)[1:])
        y = at.emit("add", y, c)
    at.give(y)


def einsum(at: At) -> None:
    """Any sum of products without an ellipsis, as an expression."""
    equation: str = at.attr("equation", "").replace(" ", "")
    left, arrow, right = equation.partition("->")
    terms = left.split(",")
    if "." in equation or not set(left) <= set(ascii_letters + ",") or len(terms) != len(at.node.input):
        raise NotCovered(equation)
    if not arrow:
        letters = [letter for letter in sorted(set(left) - {","}) if left.count(letter) == 1]
        right = "".join(letters)
    extents: dict[str, int] = {}
    loads = []
    for place, term in enumerate(terms):
        if len(term) != len(at.shape(place)) or at.dtype(place) != at.dtype(0):
            raise NotCovered(equation)
        extents.update(zip(term, at.shape(place), strict=True))
        loads.append(f"{{{place}}}[{','.join(_axis(letter) for letter in term)}]")
    names = [at.name(place) for place in range(len(terms))]
    if not right or len(set(names)) < len(names):
        raise NotCovered(equation)
    reduces = bool(set(left) - {","} - set(right))
    axes = ",".join(_axis(letter) for letter in right)
    text = f"{{y}}[{axes}] {'+=' if reduces else '='} {' * '.join(loads)}"
    at.give(at.emit("compute", *names, expr=text, shape=[extents[letter] for letter in right]))


def _axis(letter: str) -> str:
    return f"{letter}_"


LOWER: Mapping[str, Callable[[At], None]] = {
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "MatMul": matmul,
    "Gemm": gemm,
    "Einsum": einsum,
}
