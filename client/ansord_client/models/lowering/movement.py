"""Other shapes for the same elements: transposes cost nothing here, reshapes keep the order of axes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from ansord_client.models.building import NotCovered, Perm
from ansord_client.models.lowering.at import At
from ansord_client.ops import Shape


def same(at: At) -> None:
    """Identity, and Dropout when it does nothing."""
    at.only(1)
    if at.has(2) and bool(at.needed(2).any()):
        raise NotCovered("training")
    at.give(at.laid(0).name, at.laid(0).perm)


def transpose(at: At) -> None:
    """Another reading of what is held."""
    laid = at.laid(0)
    rank = len(laid.perm)
    perm = at.attr("perm", list(range(rank))[::-1])
    at.give(laid.name, tuple(laid.perm[axis] for axis in perm))


def reshape(at: At) -> None:
    """Reshape and Flatten."""
    shape = at.shape(0)
    if at.op == "Flatten":
        axis = at.integer("axis", 1)
        axis += len(shape) if axis < 0 else 0
        give_reshaped(at, (math.prod(shape[:axis]), math.prod(shape[axis:])))
        return
    wanted = [int(one) for one in at.needed(1)]
    if not at.attr("allowzero", 0):
        wanted = [shape[axis] if extent == 0 else extent for axis, extent in enumerate(wanted)]
    known = math.prod(extent for extent in wanted if extent >= 0)
    give_reshaped(at, tuple(math.prod(shape) // max(known, 1) if one == -1 else one for one in wanted))


def give_reshaped(at: At, wanted: Shape) -> None:
    """The first input under another shape, its axes left in the order they are held as far as that can be."""
    laid, build = at.laid(0), at.builder
    order, shape, perm = held_reshape(build.shape(laid.name), laid.perm, wanted)
    at.give(build.reshaped(build.transposed(laid.name, order), shape), perm)


def held_reshape(held: Shape, perm: Perm, wanted: Shape) -> tuple[Perm, Shape, Perm]:
    """(transpose of what is held, shape after that, its order) for a reshape of what is meant to `wanted`.

    Runs of meant axes become runs of new ones. A run must lie together, in its order: it goes to where its
    innermost axis is held, so that channels stay last and rows stay whole; often nothing has to move.

    :raises NotCovered: another number of elements.
    """
    meant = tuple(held[axis] for axis in perm)
    if math.prod(meant) != math.prod(wanted):
        raise NotCovered(f"{meant} to {wanted}")
    placed: list[tuple[int, list[int], list[int]]] = []
    for old, new in runs(meant, wanted):
        places = [perm[axis] for axis in old]
        inner = [place for place in places if held[place] != 1] or places
        apart = [axis for axis in new if wanted[axis] == 1 and len(new) > 1]  # these lie anywhere: in front
        placed.extend((-1, [], [axis]) for axis in apart)
        placed.append((max(inner, default=-1), places, [axis for axis in new if axis not in apart]))
    placed.sort()
    order = [place for _, places, _ in placed for place in places]
    axes = [axis for _, _, new in placed for axis in new]
    shape = tuple(wanted[axis] for axis in axes)
    return tuple(order), shape, tuple(axes.index(axis) for axis in range(len(wanted)))


def runs(old: Shape, new: Shape) -> list[tuple[list[int], list[int]]]:
    """The shortest runs of axes of equal product, in order; equal axes that meet are a run."""
    found: list[tuple[list[int], list[int]]] = []
    one, other = 0, 0
    while one < len(old) or other < len(new):
        if one < len(old) and other < len(new) and old[one] == new[other]:
            found.append(([one], [other]))
            one, other = one + 1, other + 1
            continue
        left: list[int] = []
        right: list[int] = []
        products = [1, 1]
        while not (left or right) or products[0] != products[1]:
            if (products[0] <= products[1] and one < len(old)) or other == len(new):
                left.append(one)
                products[0] *= old[one]
                one += 1
            else:
                right.append(other)
                products[1] *= new[other]
                other += 1
        found.append((left, right))
    return found


def squeeze(at: At) -> None:
    """Squeeze and Unsqueeze."""
    shape = at.shape(0)
    axes = at.ints(1, "axes")
    if at.op == "Squeeze":
        rank = len(shape)
        gone = (
            {axis % rank for axis in axes} if axes is not None else {a for a in range(rank) if shape[a] == 1}
        )
        if any(shape[axis] != 1 for axis in gone):
            raise NotCovered("an axis longer than 1")
        give_reshaped(at, tuple(extent for axis, extent in enumerate(shape) if axis not in gone))
        return
    if axes is None:
        raise NotCovered("no axes")
    rank = len(shape) + len(axes)
    new = {axis % rank for axis in axes}
    rest = iter(shape)
    give_reshaped(at, tuple(1 if axis in new else next(rest) for axis in range(rank)))


LOWER: Mapping[str, Callable[[At], None]] = {
    "Identity": same,
    "Dropout": same,
    "Transpose": transpose,
    "Reshape": reshape,
    "Flatten": reshape,
    "Squeeze": squeeze,
    "Unsqueeze": squeeze,
}
