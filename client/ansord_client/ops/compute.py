"""The row of `compute`: a node whose meaning its own text gives."""

from __future__ import annotations

import math
from typing import Any

from ansord_client import dtypes
from ansord_client.expr import Call, walk
from ansord_client.grammar import GrammarError, Statement, parse
from ansord_client.limits import EXTENT
from ansord_client.ops import attributes as read
from ansord_client.ops.definition import Definition
from ansord_client.ops.elaborate import elaborate, tensors_read
from ansord_client.ops.elementwise import ROWS as ELEMENTWISE
from ansord_client.ops.row import REQUIRED, Attr, Attrs, Fusion, Row, Shape, Site
from ansord_client.reading import Value

_FLOPS = {row.name: row.flops((), {"approximate": False}, (1,)) for row in ELEMENTWISE}


def _refuse(value: Value, error: GrammarError) -> None:
    text, at = value.raw, error.position
    around = f"{text[max(0, at - 20) : at]}<here>{text[at : at + 20]}"
    value.refuse(error.wanted, "expression", f"character {at}: {ascii(around)}", error.found)


def _expression(value: Value, site: Site) -> Any:
    try:
        return parse(value.text())
    except GrammarError as error:
        _refuse(value, error)


def _ranges(value: Value, site: Site) -> dict[str, int]:
    if not isinstance(value.raw, dict):
        value.refuse("an object of axes and extents", "wrong type")
    return {name: value.at(name).integer(1, EXTENT) for name in value.raw}


def _finish(site: Site, attrs: dict[str, Any]) -> dict[str, Any]:
    statement: Statement = attrs["expr"]
    expression = site.attrs.at("expr")
    shapes = {name: shape for name, shape in zip(site.names, site.shapes, strict=True) if name is not None}
    try:
        used = tensors_read(statement)
        if statement.target in used:
            raise GrammarError(
                used[statement.target], "the name of the result", "only tensors that args names"
            )
        for arg, name in zip(site.args, site.names, strict=True):
            if name is None:
                arg.refuse("a tensor", "wrong type", "write numbers into the expression")
            if name not in used:
                arg.refuse("a tensor that the expression reads", "unused tensor")
        if len(shapes) < len(site.names):
            site.node.at("args").refuse("each tensor once", "repeated name")
        definition = elaborate(statement, attrs["shape"], attrs["ranges"], shapes, site.dtype)
    except GrammarError as error:
        _refuse(expression, error)
    return {"definition": definition}


def _shape(site: Site, attrs: Attrs) -> Shape:
    definition: Definition = attrs["definition"]
    return definition.shape


def _dtype(dtype: str, attrs: Attrs) -> str:
    definition: Definition = attrs["definition"]
    return definition.body.dtype


def _flops(shapes: tuple[Shape, ...], attrs: Attrs, out: Shape) -> int:
    """Those of the expression and of the combiner, at every point."""
    definition: Definition = attrs["definition"]
    each = sum(_FLOPS.get(part.op, 0) for part in walk(definition.body) if isinstance(part, Call))
    each += definition.combiner in ("add", "mul")
    return each * definition.terms * math.prod(out)


ROWS = (
    Row(
        "compute",
        ("x*",),
        dtypes.ALL,
        _shape,
        Fusion.HEAVY,
        attrs=(
            Attr("expr", REQUIRED, _expression, "→ `definition`"),
            Attr("shape", REQUIRED, read.extents, "→ `definition`"),
            Attr("ranges", {}, _ranges, "→ `definition`"),
        ),
        finish=_finish,
        result=_dtype,
        flops=_flops,
        reduction=lambda shapes, attrs, out: int(attrs["definition"].terms),
    ),
)
