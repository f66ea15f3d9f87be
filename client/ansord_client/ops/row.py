"""What a row of the op table says, and where an op stands while it is read (`Site`)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NoReturn

from ansord_client.limits import Limits
from ansord_client.reading import Value

Shape = tuple[int, ...]
Attrs = Mapping[str, Any]
Count = Callable[[tuple[Shape, ...], Attrs, Shape], int]
"""(shapes of the args, attributes, shape of the result) → a number."""

REQUIRED = object()


def type_of_args(dtype: str, attrs: Attrs) -> str:
    """The usual result type."""
    return dtype


class Fusion(IntEnum):
    """How an op takes part in fusion; the order and the rules are those of Relay's graph partitioner."""

    ELEMENTWISE = 0
    BROADCAST = 1
    INJECTIVE = 2
    REDUCTION = 3
    HEAVY = 4
    """May take elementwise ops after it, never another heavy op ("OutEWiseFusable")."""


@dataclass(frozen=True, slots=True)
class Site:
    """An op in a subgraph: its node, its attributes as given, and what is known of its args.

    `shapes` and `names` have an item per arg; a plain number has the shape () and no name. `dtype` is the one
    type of the tensor args.
    """

    node: Value
    attrs: Value
    args: tuple[Value, ...]
    names: tuple[str | None, ...]
    shapes: tuple[Shape, ...]
    dtype: str
    limits: Limits

    def misfit(self, arg: int, wanted: str, hint: str = "") -> NoReturn:
        """Refuses the shape of an arg."""
        self.args[arg].refuse(wanted, "shape", hint, f"shape {list(self.shapes[arg])}")

    def empty(self, wanted: str, hint: str = "") -> NoReturn:
        """Refuses a result without elements."""
        shapes = ", ".join(str(list(shape)) for shape in self.shapes)
        self.node.refuse(wanted, "shape", hint, f"args of shape {shapes}")


@dataclass(frozen=True, slots=True)
class Attr:
    """One attribute: `default` is what the file could have said, `read` brings it to its normal form."""

    name: str
    default: Any
    read: Callable[[Value, Site], Any]
    normal: str
    """The normal form in words, as FORMATS.md tells it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One op.

    `args`: names of the args, the last with "*" if it repeats. `ranks`: allowed ranks of each arg, the last
    repeats. `numbers`: one arg may be a plain number. `accepts`: dtypes of the args. `result`: dtype of the
    result from that of the args and the attributes. `finish` may rewrite the attributes together.
    `flops`: multiplies, divisions, additions and subtractions of the direct definition. `reduction`: how many
    terms one element of the result sums up, at most.
    """

    name: str
    args: tuple[str, ...]
    accepts: frozenset[str]
    shape: Callable[[Site, Attrs], Shape]
    fusion: Fusion
    attrs: tuple[Attr, ...] = ()
    ranks: tuple[tuple[int, int], ...] = ((0, 8),)
    numbers: bool = False
    result: Callable[[str, Attrs], str] = type_of_args
    finish: Callable[[Site, dict[str, Any]], dict[str, Any]] = lambda site, attrs: attrs
    flops: Count = lambda shapes, attrs, out: 0
    reduction: Count = lambda shapes, attrs, out: 1

    @property
    def arity(self) -> tuple[int, int | None]:
        """Fewest and most args; None: no upper bound."""
        many = bool(self.args) and self.args[-1].endswith("*")
        return len(self.args), None if many else len(self.args)


def per_element(count: int) -> Count:
    """`count` operations for each element of the result."""
    return lambda shapes, attrs, out: count * math.prod(out)
