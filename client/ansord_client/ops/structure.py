"""Rows of the ops that only move elements: transpose, reshape, pad, slice, concat, expand_dims, squeeze."""

from __future__ import annotations

from typing import Any

from ansord_client import dtypes
from ansord_client.limits import EXTENT
from ansord_client.ops import attributes as read
from ansord_client.ops.row import REQUIRED, Attr, Attrs, Fusion, Row, Shape, Site
from ansord_client.reading import Value

Bound = tuple[int, int, int]
"""start, count, step of one axis of a slice: element i of the result is element start + i*step."""


def _transposed(site: Site, attrs: Attrs) -> Shape:
    return tuple(site.shapes[0][axis] for axis in attrs["perm"])


def _reshaped(site: Site, attrs: Attrs) -> Shape:
    return tuple(attrs["shape"])


def _padded(site: Site, attrs: Attrs) -> Shape:
    return tuple(
        before + extent + after for extent, (before, after) in zip(site.shapes[0], attrs["pads"], strict=True)
    )


def _slice_ends(value: Value, site: Site) -> list[int | None]:
    if value.raw is None:
        return [None] * len(site.shapes[0])
    items = read.exactly(value, len(site.shapes[0]), "axis")
    return [None if item.raw is None else item.integer(-EXTENT - 1, EXTENT) for item in items]


def _bounds(site: Site, attrs: dict[str, Any]) -> dict[str, Any]:
    """starts, ends and steps, as Python's slices read them, become one tuple of (start, count, step)."""
    bounds: list[Bound] = []
    for axis, extent in enumerate(site.shapes[0]):
        start, end, step = (attrs[name][axis] for name in ("starts", "ends", "steps"))
        if step == 0:
            site.attrs.at("steps").at(axis).refuse("a step that is not 0", "out of range")
        taken = range(extent)[start:end:step]
        if not taken:
            site.empty(f"at least one element along axis {axis}")
        bounds.append((taken.start, len(taken), taken.step if len(taken) > 1 else 1))
    return {"bounds": tuple(bounds)}


def _sliced(site: Site, attrs: Attrs) -> Shape:
    return tuple(count for _, count, _ in attrs["bounds"])


def _joined(site: Site, attrs: Attrs) -> Shape:
    axis: int = attrs["axis"]
    first = site.shapes[0]
    for arg, shape in enumerate(site.shapes):
        if len(shape) != len(first) or any(
            one != other
            for position, (one, other) in enumerate(zip(shape, first, strict=True))
            if position != axis
        ):
            site.misfit(arg, f"the shape {list(first)} but for axis {axis}")
    return *first[:axis], sum(shape[axis] for shape in site.shapes), *first[axis + 1 :]


def _new_axes(value: Value, site: Site) -> tuple[int, ...]:
    count = len(value.raw) if isinstance(value.raw, list) else 1
    return tuple(sorted(read.distinct(value, len(site.shapes[0]) + count)))


def _expanded(site: Site, attrs: Attrs) -> Shape:
    rest = iter(site.shapes[0])
    rank = len(site.shapes[0]) + len(attrs["axes"])
    return tuple(1 if axis in attrs["axes"] else next(rest) for axis in range(rank))


def _single_axes(value: Value, site: Site) -> tuple[int, ...]:
    shape = site.shapes[0]
    if value.raw is None:
        return tuple(axis for axis, extent in enumerate(shape) if extent == 1)
    axes = read.distinct(value, len(shape))
    for axis in axes:
        if shape[axis] != 1:
            value.refuse("axes of extent 1", "shape", found=f"axis {axis} of extent {shape[axis]}")
    return tuple(sorted(axes))


def _squeezed(site: Site, attrs: Attrs) -> Shape:
    return tuple(extent for axis, extent in enumerate(site.shapes[0]) if axis not in attrs["axes"])


def _row(name: str, shape: Any, *attrs: Attr, **more: Any) -> Row:
    return Row(name, more.pop("args", ("x",)), dtypes.ALL, shape, Fusion.INJECTIVE, attrs=attrs, **more)


ROWS = (
    _row("transpose", _transposed, Attr("perm", REQUIRED, read.permutation, "tuple")),
    _row("reshape", _reshaped, Attr("shape", REQUIRED, read.target_shape, "tuple, -1 resolved")),
    _row(
        "pad",
        _padded,
        Attr("pads", REQUIRED, read.pairs, "tuple of (before, after) pairs, one per axis"),
        Attr("value", 0, read.element, "number"),
    ),
    _row(
        "slice",
        _sliced,
        Attr("starts", None, _slice_ends, "→ `bounds`: tuple of (start, count, step), one per axis"),
        Attr("ends", None, _slice_ends, "→ `bounds`"),
        Attr("steps", None, _slice_ends, "→ `bounds`"),
        finish=_bounds,
    ),
    _row("concat", _joined, Attr("axis", REQUIRED, read.one_axis, "integer"), args=("x*",)),
    _row("expand_dims", _expanded, Attr("axes", REQUIRED, _new_axes, "sorted tuple, in the result")),
    _row("squeeze", _squeezed, Attr("axes", None, _single_axes, "sorted tuple")),
)
