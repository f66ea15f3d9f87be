"""Rows of the convolutions, the transposed convolutions and matmul."""

from __future__ import annotations

import math

from ansord_client import dtypes
from ansord_client.ops import attributes as read
from ansord_client.ops.row import Attr, Attrs, Fusion, Row, Shape, Site

_STRIDE = Attr("stride", 1, read.spatial(1), "tuple, one per spatial dimension")
_PADDING = Attr("padding", 0, read.paddings, "tuple of (before, after) pairs")
_DILATION = Attr("dilation", 1, read.spatial(1), "tuple, one per spatial dimension")
_GROUPS = Attr("groups", 1, read.positive, "integer")
_OUTPUT_PADDING = Attr("output_padding", 0, read.spatial(0), "tuple, one per spatial dimension")
_TRANSPOSE_A = Attr("transpose_a", False, read.flag, "bool")
_TRANSPOSE_B = Attr("transpose_b", False, read.flag, "bool")


def accumulated(dtype: str, attrs: Attrs) -> str:
    """8-bit integers are summed up in int32."""
    return dtypes.accumulator(dtype)


def conv_shape(site: Site, attrs: Attrs) -> Shape:
    """[N, *spatial, O]; a window never hangs over the padding."""
    x, w = site.shapes
    groups: int = attrs["groups"]
    for channels, arg in ((x[-1], 0), (w[-1], 1)):
        if channels % groups:
            site.misfit(arg, f"last extent a multiple of groups, {groups}")
    if w[-2] * groups != x[-1]:
        hint = "kernels are [*K, channels in / groups, channels out]"
        site.misfit(1, f"{x[-1] // groups} channels in (axis {len(w) - 2})", hint)
    spatial = [
        (extent + before + after - dilation * (kernel - 1) - 1) // stride + 1
        for extent, kernel, stride, dilation, (before, after) in zip(
            x[1:-1], w, attrs["stride"], attrs["dilation"], attrs["padding"], strict=False
        )
    ]
    if min(spatial) < 1:
        site.empty("a kernel that fits into the padded input")
    return x[0], *spatial, w[-1]


def conv_transpose_shape(site: Site, attrs: Attrs) -> Shape:
    """[N, *spatial, O]: (S - 1) * stride - padding + dilation * (K - 1) + output_padding + 1."""
    x, w = site.shapes
    if w[-2] != x[-1]:
        site.misfit(
            1, f"{x[-1]} channels in (axis {len(w) - 2})", "kernels are [*K, channels in, channels out]"
        )
    spatial: list[int] = []
    for axis, extra in enumerate(attrs["output_padding"]):
        stride, dilation = attrs["stride"][axis], attrs["dilation"][axis]
        if extra >= max(stride, dilation):
            site.attrs.at("output_padding").refuse(
                f"less than the larger of stride and dilation, {max(stride, dilation)}", "out of range"
            )
        spatial.append(
            (x[axis + 1] - 1) * stride - sum(attrs["padding"][axis]) + dilation * (w[axis] - 1) + extra + 1
        )
    if min(spatial) < 1:
        site.empty("a result with at least one element", "less padding")
    return x[0], *spatial, w[-1]


def matmul_shape(site: Site, attrs: Attrs) -> Shape:
    """NumPy's broadcasting matmul, after the transpositions."""
    a, b = (_transposed(site, arg, attrs[name]) for arg, name in enumerate(("transpose_a", "transpose_b")))
    rows, columns = a[-2:-1], b[-1:] if len(b) > 1 else ()
    inner = b[-2] if len(b) > 1 else b[0]
    if a[-1] != inner:
        site.misfit(1, f"{a[-1]} rows to multiply with the columns of the first arg")
    batch: list[int] = []
    left, right = a[:-2], b[:-2]
    for position in range(-max(len(left), len(right)), 0):
        one, other = (shape[position] if -position <= len(shape) else 1 for shape in (left, right))
        if one != other and 1 not in (one, other):
            site.misfit(1, f"leading axes that broadcast with {list(left)}")
        batch.append(max(one, other))
    return *batch, *rows, *columns


def _transposed(site: Site, arg: int, swap: bool) -> Shape:
    shape = site.shapes[arg]
    if not swap:
        return shape
    if len(shape) < 2:
        site.misfit(arg, "at least rank 2 to transpose")
    return *shape[:-2], shape[-1], shape[-2]


def conv_terms(shapes: tuple[Shape, ...], attrs: Attrs, out: Shape) -> int:
    """Taps times channels in of a group."""
    return math.prod(shapes[1][:-1])


def matmul_terms(shapes: tuple[Shape, ...], attrs: Attrs, out: Shape) -> int:
    """The inner extent."""
    a = shapes[0]
    return a[-2] if attrs["transpose_a"] else a[-1]


def conv_flops(shapes: tuple[Shape, ...], attrs: Attrs, out: Shape) -> int:
    """Two for every tap of every output, the padding included."""
    return 2 * conv_terms(shapes, attrs, out) * math.prod(out)


def conv_transpose_flops(shapes: tuple[Shape, ...], attrs: Attrs, out: Shape) -> int:
    """Two for every tap of every input: what is scattered, cropped or not, without inserted zeros."""
    return 2 * math.prod(shapes[0]) * math.prod(shapes[1]) // shapes[0][-1]


def _conv(spatial: int) -> Row:
    rank = spatial + 2
    return Row(
        f"conv{spatial}d",
        ("x", "w"),
        dtypes.NUMBERS,
        conv_shape,
        Fusion.HEAVY,
        ranks=((rank, rank),),
        attrs=(_STRIDE, _PADDING, _DILATION, _GROUPS),
        result=accumulated,
        flops=conv_flops,
        reduction=conv_terms,
    )


def _conv_transpose(spatial: int) -> Row:
    rank = spatial + 2
    return Row(
        f"conv{spatial}d_transpose",
        ("x", "w"),
        dtypes.NUMBERS,
        conv_transpose_shape,
        Fusion.HEAVY,
        ranks=((rank, rank),),
        attrs=(_STRIDE, _PADDING, _OUTPUT_PADDING, _DILATION),
        result=accumulated,
        flops=conv_transpose_flops,
        reduction=conv_terms,
    )


ROWS = (
    *(_conv(spatial) for spatial in (1, 2, 3)),
    *(_conv_transpose(spatial) for spatial in (1, 2, 3)),
    Row(
        "matmul",
        ("a", "b"),
        dtypes.NUMBERS,
        matmul_shape,
        Fusion.HEAVY,
        ranks=((1, 8),),
        attrs=(_TRANSPOSE_A, _TRANSPOSE_B),
        result=accumulated,
        reduction=matmul_terms,
        flops=lambda shapes, attrs, out: 2 * matmul_terms(shapes, attrs, out) * math.prod(out),
    ),
)
