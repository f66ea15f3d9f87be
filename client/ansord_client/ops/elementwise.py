"""Rows of the ops that work element by element: arithmetic, comparison, logic, activations, where, cast."""

from __future__ import annotations

import math
from typing import Any

from ansord_client import dtypes
from ansord_client.ops import attributes as read
from ansord_client.ops.row import REQUIRED, Attr, Attrs, Fusion, Row, Shape, Site, per_element, type_of_args
from ansord_client.reading import Value


def broadcast(site: Site, attrs: Attrs) -> Shape:
    """NumPy's broadcasting of all args."""
    rank = max(len(shape) for shape in site.shapes)
    result = [1] * rank
    for arg, shape in enumerate(site.shapes):
        for position, extent in enumerate(shape, rank - len(shape)):
            if extent != 1 and result[position] not in (1, extent):
                site.misfit(arg, f"a shape that broadcasts with {result}")
            result[position] = max(extent, result[position])
    return tuple(result)


def same(site: Site, attrs: Attrs) -> Shape:
    """The shape of the first arg."""
    return site.shapes[0]


def to_bool(dtype: str, attrs: Attrs) -> str:
    """Comparisons and logic."""
    return "bool"


def cast_type(dtype: str, attrs: Attrs) -> str:
    """The wanted type."""
    return str(attrs["dtype"])


def _bounds(site: Site, attrs: dict[str, Any]) -> dict[str, Any]:
    low, high = attrs["min"], attrs["max"]
    if low is None and high is None:
        site.attrs.refuse("min, max or both", "missing field")
    if low is not None and high is not None and low > high:
        site.attrs.at("min").refuse(f"at most max, which is {high}", "out of range")
    return attrs


def _bound(value: Value, site: Site) -> Any:
    return None if value.raw is None else read.element(value, site)


def _binary(name: str, accepts: frozenset[str], flops: int = 0, boolean: bool = False) -> Row:
    return Row(
        name,
        ("a", "b"),
        accepts,
        broadcast,
        Fusion.BROADCAST,
        numbers=True,
        flops=per_element(flops),
        result=to_bool if boolean else type_of_args,
    )


def _unary(name: str, accepts: frozenset[str] = dtypes.FLOATS, flops: int = 0, *attrs: Attr) -> Row:
    return Row(name, ("x",), accepts, same, Fusion.ELEMENTWISE, attrs=attrs, flops=per_element(flops))


ROWS = (
    _binary("add", dtypes.NUMBERS, 1),
    _binary("sub", dtypes.NUMBERS, 1),
    _binary("mul", dtypes.NUMBERS, 1),
    _binary("div", dtypes.FLOATS, 1),
    _binary("maximum", dtypes.NUMBERS),
    _binary("minimum", dtypes.NUMBERS),
    _binary("pow", dtypes.FLOATS),
    _binary("equal", dtypes.ALL, boolean=True),
    _binary("less", dtypes.ALL, boolean=True),
    _binary("greater", dtypes.ALL, boolean=True),
    _binary("logical_and", dtypes.BOOL, boolean=True),
    _binary("logical_or", dtypes.BOOL, boolean=True),
    _unary("relu", dtypes.NUMBERS),
    _unary("leaky_relu", dtypes.FLOATS, 1, Attr("alpha", 0.01, read.element, "number")),
    Row(
        "clip",
        ("x",),
        dtypes.NUMBERS,
        same,
        Fusion.ELEMENTWISE,
        finish=_bounds,
        attrs=(Attr("min", None, _bound, "number or null"), Attr("max", None, _bound, "number or null")),
    ),
    _unary("sigmoid", flops=2),
    _unary("tanh"),
    _unary("erf"),
    Row(
        "gelu",
        ("x",),
        dtypes.FLOATS,
        same,
        Fusion.ELEMENTWISE,
        attrs=(Attr("approximate", False, read.flag, "bool"),),
        flops=lambda shapes, attrs, out: (8 if attrs["approximate"] else 4) * math.prod(out),
    ),
    _unary("silu", flops=3),
    _unary("hard_swish", flops=3),
    _unary("exp"),
    _unary("log"),
    _unary("sin"),
    _unary("cos"),
    _unary("sqrt"),
    _unary("rsqrt", flops=1),
    _unary("neg", dtypes.NUMBERS),
    _unary("abs", dtypes.NUMBERS),
    _unary("floor", dtypes.NUMBERS),
    _unary("logical_not", dtypes.BOOL),
    Row("where", ("cond", "a", "b"), dtypes.ALL, broadcast, Fusion.BROADCAST, numbers=True),
    Row(
        "cast",
        ("x",),
        dtypes.ALL,
        same,
        Fusion.ELEMENTWISE,
        result=cast_type,
        attrs=(Attr("dtype", REQUIRED, read.dtype_name, "name of a type"),),
    ),
)
