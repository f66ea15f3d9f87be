"""The op table: one row per op with args, attributes, dtypes, shape rule, flops, reduction and fusion kind.

Adding an op is a row here, a function in `reference` and an expansion in the daemon's dag; tests require all
three tables to be complete. What an op computes is not said here.
"""

from __future__ import annotations

from collections.abc import Mapping

from ansord_client.ops import compute, contraction, elementwise, reduction, structure
from ansord_client.ops.definition import Definition
from ansord_client.ops.row import REQUIRED, Attr, Fusion, Row, Shape, Site

TABLE: Mapping[str, Row] = {
    row.name: row
    for family in (contraction, reduction, elementwise, structure, compute)
    for row in family.ROWS
}

__all__ = ["REQUIRED", "TABLE", "Attr", "Definition", "Fusion", "Row", "Shape", "Site"]
