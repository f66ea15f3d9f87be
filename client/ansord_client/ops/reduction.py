"""Rows of the pools, the reductions, softmax and the normalisations."""

from __future__ import annotations

import math
from typing import Any

from ansord_client import dtypes
from ansord_client.ops import attributes as read
from ansord_client.ops.elementwise import same
from ansord_client.ops.row import REQUIRED, Attr, Attrs, Count, Fusion, Row, Shape, Site, per_element
from ansord_client.reading import Value

_AXES = Attr("axes", None, read.axes, "sorted tuple")
_KEEPDIMS = Attr("keepdims", False, read.flag, "bool")
_EPSILON = Attr("epsilon", 1e-5, read.not_negative, "number")


def pool_shape(site: Site, attrs: Attrs) -> Shape:
    """[N, *spatial, C]; with ceil_mode a last window counts if it begins inside the input or left padding."""
    x = site.shapes[0]
    spatial = []
    for extent, kernel, stride, (before, after) in zip(
        x[1:-1], attrs["kernel"], attrs["stride"], attrs["padding"], strict=True
    ):
        if 2 * max(before, after) > kernel:
            site.attrs.at("padding").refuse(f"at most half the kernel, {kernel // 2}", "out of range")
        room = extent + before + after - kernel
        count = -(-room // stride) + 1 if attrs["ceil_mode"] else room // stride + 1
        if attrs["ceil_mode"] and (count - 1) * stride >= extent + before:
            count -= 1
        if room < 0 or count < 1:
            site.empty("a kernel that fits into the padded input")
        spatial.append(count)
    return x[0], *spatial, x[-1]


def _pool_attrs(site: Site, attrs: dict[str, Any]) -> dict[str, Any]:
    if attrs["stride"] is None:
        attrs["stride"] = attrs["kernel"]
    return attrs


def _max_pool_attrs(site: Site, attrs: dict[str, Any]) -> dict[str, Any]:
    """A maximum counts nothing: the attribute is accepted and cannot matter."""
    del attrs["count_include_pad"]
    return _pool_attrs(site, attrs)


def _stride(value: Value, site: Site) -> Any:
    return None if value.raw is None else read.spatial(1)(value, site)


_POOL = (
    Attr("kernel", REQUIRED, read.spatial(1), "tuple, one per spatial dimension"),
    Attr("stride", None, _stride, "tuple, one per spatial dimension"),
    Attr("padding", 0, read.paddings, "tuple of (before, after) pairs"),
    Attr("ceil_mode", False, read.flag, "bool"),
    Attr("count_include_pad", False, read.flag, "bool (avg_pool only)"),
)


def window(shapes: tuple[Shape, ...], attrs: Attrs, out: Shape) -> int:
    """Elements of a whole window."""
    return math.prod(attrs["kernel"])


def reduced_shape(site: Site, attrs: Attrs) -> Shape:
    """Without the reduced axes, or with extent 1 in their place."""
    kept = (
        1 if axis in attrs["axes"] else extent
        for axis, extent in enumerate(site.shapes[0])
        if attrs["keepdims"] or axis not in attrs["axes"]
    )
    return tuple(kept)


def over_axes(shapes: tuple[Shape, ...], attrs: Attrs, out: Shape) -> int:
    """Elements that become one."""
    return math.prod(shapes[0][axis] for axis in attrs["axes"])


def over_axis(shapes: tuple[Shape, ...], attrs: Attrs, out: Shape) -> int:
    """Extent of the one axis."""
    return shapes[0][attrs["axis"]]


def _layer_norm_terms(shapes: tuple[Shape, ...], attrs: Attrs, out: Shape) -> int:
    return math.prod(shapes[0][axis] for axis in attrs["axis"])


def layer_norm_shape(site: Site, attrs: Attrs) -> Shape:
    """That of x; scale and bias have exactly the normalised axes, in order."""
    wanted = tuple(site.shapes[0][axis] for axis in attrs["axis"])
    for arg in (1, 2):
        if site.shapes[arg] != wanted:
            site.misfit(arg, f"shape {list(wanted)}, the normalised axes")
    return site.shapes[0]


def batch_norm_shape(site: Site, attrs: Attrs) -> Shape:
    """That of x; the statistics have its last axis."""
    for arg in range(1, 5):
        if site.shapes[arg] != site.shapes[0][-1:]:
            site.misfit(arg, f"shape {list(site.shapes[0][-1:])}, the last axis")
    return site.shapes[0]


def _reduce(name: str, accepts: frozenset[str], flops: Count) -> Row:
    return Row(
        name,
        ("x",),
        accepts,
        reduced_shape,
        Fusion.REDUCTION,
        attrs=(_AXES, _KEEPDIMS),
        flops=flops,
        reduction=over_axes,
    )


def _per_input(shapes: tuple[Shape, ...], attrs: Attrs, out: Shape) -> int:
    return math.prod(shapes[0])


def _none(shapes: tuple[Shape, ...], attrs: Attrs, out: Shape) -> int:
    return 0


def _softmax(name: str, flops: int) -> Row:
    return Row(
        name,
        ("x",),
        dtypes.FLOATS,
        same,
        Fusion.HEAVY,
        attrs=(Attr("axis", -1, read.one_axis, "integer"),),
        flops=per_element(flops),
        reduction=over_axis,
    )


ROWS = (
    Row(
        "max_pool",
        ("x",),
        dtypes.NUMBERS,
        pool_shape,
        Fusion.HEAVY,
        ranks=((3, 8),),
        attrs=_POOL,
        finish=_max_pool_attrs,
        reduction=window,
    ),
    Row(
        "avg_pool",
        ("x",),
        dtypes.FLOATS,
        pool_shape,
        Fusion.HEAVY,
        ranks=((3, 8),),
        attrs=_POOL,
        finish=_pool_attrs,
        reduction=window,
        flops=lambda shapes, attrs, out: (window(shapes, attrs, out) + 1) * math.prod(out),
    ),
    _reduce("reduce_sum", dtypes.NUMBERS, _per_input),
    _reduce("reduce_mean", dtypes.FLOATS, lambda shapes, attrs, out: math.prod(shapes[0]) + math.prod(out)),
    _reduce("reduce_max", dtypes.NUMBERS, _none),
    _reduce("reduce_min", dtypes.NUMBERS, _none),
    _reduce("reduce_prod", dtypes.NUMBERS, _per_input),
    _softmax("softmax", 3),
    _softmax("log_softmax", 3),
    Row(
        "layer_norm",
        ("x", "scale", "bias"),
        dtypes.FLOATS,
        layer_norm_shape,
        Fusion.HEAVY,
        ranks=((1, 8), (0, 8)),
        attrs=(Attr("axis", -1, read.axes, "sorted tuple"), _EPSILON),
        flops=per_element(7),
        reduction=_layer_norm_terms,
    ),
    Row(
        "batch_norm",
        ("x", "scale", "bias", "mean", "var"),
        dtypes.FLOATS,
        batch_norm_shape,
        Fusion.BROADCAST,
        ranks=((1, 8), (1, 1)),
        attrs=(_EPSILON,),
        flops=per_element(4),
    ),
)
