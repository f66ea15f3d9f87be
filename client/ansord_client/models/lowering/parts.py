"""Parts of tensors elsewhere: padded, cut, joined, repeated, gathered, resized."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ansord_client.models.building import Laid, NotCovered, Perm
from ansord_client.models.lowering.at import At


def pad(at: At) -> None:
    """Constant padding; what is negative is cut off."""
    if at.attr("mode", "constant") != "constant":
        raise NotCovered("mode")
    laid = at.laid(0)
    rank = len(laid.perm)
    amounts = [int(one) for one in at.needed(1)]
    axes = [int(one) % rank for one in at.needed(3)] if at.has(3) else list(range(rank))
    value = at.number(2) if at.has(2) else 0
    if value is None and any(amount > 0 for amount in amounts):
        raise NotCovered("value")
    pads, starts = [[0, 0] for _ in range(rank)], [0] * rank
    ends: list[int | None] = [None] * rank
    for index, axis in enumerate(axes):
        before, after = amounts[index], amounts[index + len(axes)]
        place = laid.perm[axis]
        pads[place] = [max(before, 0), max(after, 0)]
        starts[place], ends[place] = max(-before, 0), after if after < 0 else None
    x = laid.name
    if any(starts) or any(end is not None for end in ends):
        x = at.emit("slice", x, starts=starts, ends=ends)
    at.give(at.emit("pad", x, pads=pads, value=value) if any(map(any, pads)) else x, laid.perm)


def cut(at: At) -> None:
    """Slice, whose starts and ends are clamped as Python's."""
    laid = at.laid(0)
    rank = len(laid.perm)
    starts, ends = ([int(one) for one in at.needed(place)] for place in (1, 2))
    axes = [int(one) % rank for one in at.needed(3)] if at.has(3) else list(range(len(starts)))
    steps = [int(one) for one in at.needed(4)] if at.has(4) else [1] * len(starts)
    taken = {}
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        taken[axis] = range(at.shape(0)[axis])[start : _end(end, step) : step]
    at.give(sliced(at, laid, taken), laid.perm)


def _end(end: int, step: int) -> int | None:
    """A very negative end of a slice that runs backwards means: to the very first element."""
    return None if step < 0 and end < -(2**31) else end


def sliced(at: At, laid: Laid, taken: Mapping[int, range]) -> str:
    """What is held, with only these elements of each of the file's axes."""
    rank = len(laid.perm)
    shape = at.builder.shape(laid.name)
    starts: list[int | None] = [None] * rank
    ends: list[int | None] = [None] * rank
    steps = [1] * rank
    for axis, places in taken.items():
        place = laid.perm[axis]
        if not places:
            raise NotCovered("an empty slice")
        if len(places) == shape[place] and places.step == 1:
            continue
        end = places.start + len(places) * places.step
        starts[place], ends[place], steps[place] = places.start, end if end >= 0 else None, places.step
    if steps == [1] * rank and starts == [None] * rank:
        return laid.name
    return at.emit("slice", laid.name, starts=starts, ends=ends, steps=steps)


def split(at: At) -> None:
    """Parts of given sizes, or a number of equal ones of which the last may be smaller."""
    laid = at.laid(0)
    axis = at.integer("axis", 0) % len(laid.perm)
    extent, count = at.shape(0)[axis], len(at.node.output)
    sizes = at.ints(1, "split")
    if sizes is None:
        size = -(-extent // count)
        sizes = [min(size, extent - size * part) for part in range(count)]
    start = 0
    for output, size in enumerate(sizes):
        at.give(sliced(at, laid, {axis: range(start, start + size)}), laid.perm, output)
        start += size


def concat(at: At) -> None:
    """Along one axis, whose place the order of the largest arg says."""
    names, perm = _alike(at)
    axis = at.integer("axis", 0) % len(perm)
    at.give(names[0] if len(names) == 1 else at.emit("concat", *names, axis=perm[axis]), perm)


def _alike(at: At) -> tuple[list[str], Perm]:
    """All inputs held in one order: no constant's leading ones may go, as they may in arithmetic."""
    laids = [at.laid(place) for place in range(len(at.node.input))]
    perms = [laid.perm for laid in laids if laid.name not in at.builder.known] or [laids[0].perm]
    perm = max(perms, key=perms.count)
    return [at.builder.held(laid, perm) for laid in laids], perm


def expand(at: At) -> None:
    """Broadcasting to a shape."""
    wanted = [int(one) for one in at.needed(1)]
    shape = at.shape(0)
    rank = max(len(shape), len(wanted))
    old, new = (1,) * (rank - len(shape)) + shape, [1] * (rank - len(wanted)) + wanted
    result = tuple(max(one, other) for one, other in zip(old, new, strict=True))
    if result == shape:
        at.give(at.laid(0).name, at.laid(0).perm)
        return
    if any(extent == 0 for extent in result):
        raise NotCovered("nothing")
    axes = [f"a{axis}" for axis in range(rank)]
    index = [axes[axis] if extent != 1 else "0" for axis, extent in enumerate(old)][rank - len(shape) :]
    text = f"{{y}}[{','.join(axes)}] = {{0}}[{','.join(index)}]"
    at.give(at.emit("compute", at.name(0), expr=text, shape=list(result)))


def tile(at: At) -> None:
    """Repeats, as an expression."""
    repeats = [int(one) for one in at.needed(1)]
    shape = at.shape(0)
    if min(repeats, default=1) < 1:
        raise NotCovered("nothing")
    axes = [f"a{axis}" for axis in range(len(shape))]
    index = [f"{axis} % {extent}" for axis, extent in zip(axes, shape, strict=True)]
    text = f"{{y}}[{','.join(axes)}] = {{0}}[{','.join(index)}]"
    result = [extent * times for extent, times in zip(shape, repeats, strict=True)]
    if all(one == 1 for one in repeats):
        at.give(at.laid(0).name, at.laid(0).perm)
    else:
        at.give(at.emit("compute", at.name(0), expr=text, shape=result))


def gather(at: At) -> None:
    """By a known index of equal steps: a slice. Others look up rows, which no expression says."""
    laid = at.laid(0)
    axis = at.integer("axis", 0) % len(laid.perm)
    extent = at.shape(0)[axis]
    index = at.needed(1)
    if any(not -extent <= one < extent for one in index.flat):
        raise NotCovered("an index outside")
    flat = [int(one) % extent for one in index.flat]
    step = flat[1] - flat[0] if len(flat) > 1 else 1
    if not flat or step == 0 or flat != list(range(flat[0], flat[0] + step * len(flat), step)):
        raise NotCovered("index")
    name = sliced(at, laid, {axis: range(flat[0], flat[0] + step * len(flat), step)})
    place, more = laid.perm[axis], index.ndim - 1  # axes that stand where one was
    held = at.builder.shape(name)
    order = [one + more * (one > place) for one in laid.perm]
    perm = (*order[:axis], *range(place, place + more + 1), *order[axis + 1 :])
    at.give(at.builder.reshaped(name, (*held[:place], *index.shape, *held[place + 1 :])), perm)


def depth_to_space(at: At) -> None:
    """Channels become pixels, or pixels channels."""
    if at.op == "SpaceToDepth" and at.attr("mode", "DCR") != "DCR":
        raise NotCovered("mode")
    n, c, h, w = at.shape(0)
    block, build = at.integer("blocksize", 1), at.builder
    x = build.held(at.laid(0), (0, 3, 1, 2))  # [n, h, w, c]
    if at.op == "SpaceToDepth":
        x = build.reshaped(x, (n, h // block, block, w // block, block, c))
        x = build.transposed(x, (0, 1, 3, 2, 4, 5))
        at.give(build.reshaped(x, (n, h // block, w // block, c * block * block)), (0, 3, 1, 2))
        return
    out = c // (block * block)
    if at.attr("mode", "DCR") == "DCR":
        x = build.transposed(build.reshaped(x, (n, h, w, block, block, out)), (0, 1, 3, 2, 4, 5))
    else:
        x = build.transposed(build.reshaped(x, (n, h, w, out, block, block)), (0, 1, 4, 2, 5, 3))
    at.give(build.reshaped(x, (n, h * block, w * block, out)), (0, 3, 1, 2))


def resize(at: At) -> None:
    """Nearest by whole factors with the floor rule: each element repeated."""
    mode, how = at.attr("mode", "nearest"), at.attr("coordinate_transformation_mode", "half_pixel")
    if mode != "nearest" or at.attr("axes", None) is not None or at.attr("antialias", 0):
        raise NotCovered("mode")
    shape = at.shape(0)
    if at.has(3):
        factors = [int(size) / extent for size, extent in zip(at.needed(3), shape, strict=True)]
    else:
        factors = [float(one) for one in at.needed(2)]
    near = at.attr("nearest_mode", "round_prefer_floor")
    if any(one != int(one) or one < 1 for one in factors) or not _repeats(how, near):
        raise NotCovered("factors")
    laid = at.laid(0)
    held = at.builder.shape(laid.name)
    times = [1] * len(shape)
    for axis, factor in enumerate(factors):
        times[laid.perm[axis]] = int(factor)
    axes = [f"a{axis}" for axis in range(len(shape))]
    index = [axis if factor == 1 else f"{axis} // {factor}" for axis, factor in zip(axes, times, strict=True)]
    text = f"{{y}}[{','.join(axes)}] = {{0}}[{','.join(index)}]"
    result = [extent * factor for extent, factor in zip(held, times, strict=True)]
    at.give(at.emit("compute", laid.name, expr=text, shape=result), laid.perm)


def _repeats(how: str, near: str) -> bool:
    """Whether the rule gives element i // factor for whole factors."""
    if how == "asymmetric":
        return near == "floor"
    return how in ("half_pixel", "pytorch_half_pixel") and near in ("round_prefer_floor", "round_prefer_ceil")


LOWER: Mapping[str, Callable[[At], None]] = {
    "Pad": pad,
    "Slice": cut,
    "Split": split,
    "Concat": concat,
    "Expand": expand,
    "Tile": tile,
    "Gather": gather,
    "DepthToSpace": depth_to_space,
    "SpaceToDepth": depth_to_space,
    "Resize": resize,
}
