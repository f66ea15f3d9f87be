"""Readers of attributes: from what a file may say to the one normal form, or a refusal with its path."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ansord_client.dtypes import DTYPES, RESERVED, held
from ansord_client.limits import EXTENT
from ansord_client.ops.row import Shape, Site
from ansord_client.reading import Value

Pairs = tuple[tuple[int, int], ...]
Reader = Callable[[Value, Site], Any]


def flag(value: Value, site: Site) -> bool:
    """True or false."""
    return value.flag()


def positive(value: Value, site: Site) -> int:
    """An integer from 1."""
    return value.integer(1, EXTENT)


def spatial(low: int) -> Reader:
    """An integer, or a list with one per spatial dimension of the first arg → a tuple."""

    def read(value: Value, site: Site) -> tuple[int, ...]:
        count = len(site.shapes[0]) - 2
        if not isinstance(value.raw, list):
            return (value.integer(low, EXTENT),) * count
        return tuple(item.integer(low, EXTENT) for item in exactly(value, count, "spatial dimension"))

    return read


def paddings(value: Value, site: Site) -> Pairs:
    """An integer, or per spatial dimension an integer or [before, after] → a tuple of pairs."""
    count = len(site.shapes[0]) - 2
    if not isinstance(value.raw, list):
        return ((value.integer(0, EXTENT),) * 2,) * count
    return tuple(_padding(item) for item in exactly(value, count, "spatial dimension"))


def _padding(value: Value) -> tuple[int, int]:
    if not isinstance(value.raw, list):
        return (value.integer(0, EXTENT),) * 2
    return pair(value)


def pair(value: Value) -> tuple[int, int]:
    """[before, after], both from 0."""
    before, after = (item.integer(0, EXTENT) for item in exactly(value, 2, "side (before, after)"))
    return before, after


def pairs(value: Value, site: Site) -> Pairs:
    """One [before, after] per axis of the first arg."""
    return tuple(pair(item) for item in exactly(value, len(site.shapes[0]), "axis"))


def exactly(value: Value, count: int, unit: str) -> list[Value]:
    """A list of a given length."""
    items = value.items()
    if len(items) != count:
        value.refuse(f"{count} items, one per {unit}", "wrong length", found=f"{len(items)} items")
    return items


def element(value: Value, site: Site) -> bool | int | float:
    """A number as an element of the args' dtype."""
    return as_element(value, site.dtype)


def as_element(value: Value, dtype: str) -> bool | int | float:
    """A number (for bool: true, false, 0 or 1) that `dtype` holds."""
    raw = value.raw if dtype == "bool" and isinstance(value.raw, bool) else value.number()
    number = held(raw, dtype)
    if number is None:
        value.refuse(f"a number that {dtype} holds", "out of range", "integers must be exact, floats finite")
    return number


def not_negative(value: Value, site: Site) -> bool | int | float:
    """A number from 0 as an element of the args' dtype."""
    number = element(value, site)
    if number < 0:
        value.refuse("a number from 0", "out of range")
    return number


def one_axis(value: Value, site: Site) -> int:
    """An axis of the first arg, non-negative."""
    return axis(value, len(site.shapes[0]))


def axis(value: Value, rank: int) -> int:
    """An axis among `rank`; negative ones count from the end."""
    if rank == 0:
        value.refuse("an axis of the arg", "out of range", "the arg has rank 0")
    return value.integer(-rank, rank - 1) % rank


def axes(value: Value, site: Site) -> tuple[int, ...]:
    """Distinct axes of the first arg, one or a list of at least one → sorted, non-negative; None: all."""
    rank = len(site.shapes[0])
    if value.raw is None:
        return tuple(range(rank))
    if value.raw == []:
        value.refuse("at least one axis", "wrong length", "leave it out to take all axes")
    return tuple(sorted(distinct(value, rank)))


def distinct(value: Value, rank: int) -> tuple[int, ...]:
    """One axis or a list of distinct ones, among `rank`, in the given order."""
    items = value.items() if isinstance(value.raw, list) else [value]
    found: dict[int, None] = {}
    for item in items:
        position = axis(item, rank)
        if position in found:
            item.refuse("distinct axes", "repeated axis", f"axis {position} is named twice")
        found[position] = None
    return tuple(found)


def permutation(value: Value, site: Site) -> tuple[int, ...]:
    """Every axis of the first arg once."""
    rank = len(site.shapes[0])
    value.items()
    found = distinct(value, rank) if rank else ()
    if len(found) != rank:
        value.refuse(f"each of {rank} axes once", "wrong length")
    return found


def extents(value: Value, site: Site) -> Shape:
    """A shape."""
    items = value.items()
    if len(items) > site.limits.rank:
        value.refuse(f"a rank of at most {site.limits.rank}", "limit", found=f"rank {len(items)}")
    return tuple(item.integer(1, EXTENT) for item in items)


def target_shape(value: Value, site: Site) -> Shape:
    """A shape with as many elements as the first arg; one extent may be -1 and is computed."""
    items = value.items()
    given = [item.integer(-1, EXTENT) for item in items]
    for item, extent in zip(items, given, strict=True):
        if extent == 0:
            item.refuse("an extent from 1, or one -1", "out of range")
    total, known = math.prod(site.shapes[0]), math.prod(extent for extent in given if extent > 0)
    if given.count(-1) > 1 or total % known or (-1 not in given and total != known):
        hint = "" if given.count(-1) <= 1 else "at most one extent may be -1"
        value.refuse(f"a shape of {total} elements", "shape", hint)
    return tuple(total // known if extent == -1 else extent for extent in given)


def dtype_name(value: Value, site: Site | None = None) -> str:
    """A supported element type."""
    hint = f"{value.raw} is reserved: cast to float32 outside" if value.raw in sorted(RESERVED) else ""
    return value.choice(list(DTYPES), "dtype", hint)
