"""What a `compute` node means once names, types, ranges and indices are known."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from ansord_client.expr import Expr, loads


@dataclass(frozen=True)
class Definition:
    """`result[axes] combiner body`, over all of `axes` and `reduce`, each a tuple of (name, extent).

    `combiner` is None (assign; `reduce` is empty), "add", "mul", "maximum" or "minimum". The loads of `body`
    name args of the node. Axes stand in order of their first use in `text`, from which this was read.
    """

    axes: tuple[tuple[str, int], ...]
    reduce: tuple[tuple[str, int], ...]
    combiner: str | None
    body: Expr
    text: str = field(compare=False)
    named: tuple[tuple[str, int], ...] = field(default=(), compare=False)
    """The part of `reduce` that no load fixes, as `ranges` gave it."""

    @property
    def ranges(self) -> dict[str, tuple[int, int]]:
        """Inclusive bounds of every axis, as `Index.interval` takes them."""
        return {name: (0, extent - 1) for name, extent in (*self.axes, *self.reduce)}

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the result."""
        return tuple(extent for _, extent in self.axes)

    @property
    def terms(self) -> int:
        """How many values one element of the result combines."""
        return math.prod(extent for _, extent in self.reduce)

    @property
    def tensors(self) -> tuple[str, ...]:
        """The tensors read, by first use."""
        return tuple(dict.fromkeys(load.tensor for load in loads(self.body)))

    def __str__(self) -> str:
        return self.text
