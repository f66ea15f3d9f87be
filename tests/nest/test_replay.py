"""Loops by value: every point of a group is computed once, whatever the sketch and the numbers."""

from __future__ import annotations

from collections import Counter
from itertools import product

import pytest

from ansord.nest import (
    Attach,
    Clear,
    Fetch,
    Finish,
    GroupNest,
    Node,
    Parallel,
    Plan,
    Program,
    Spill,
    Target,
    parse_program,
    replay,
)
from ansord_client.expr import loads
from tests.nest.spaces import NARROW, SMALL, dag_of, programs
from tests.nest.walk import Event, Point, origins, value, walk


@pytest.mark.parametrize("name", SMALL)
def test_every_point_is_computed_once(name: str) -> None:
    for program in programs(name, 40):
        for nest in replay(program).groups:
            check(nest, program, {})


def check(nest: GroupNest, program: Program, scope: dict[str, int]) -> None:
    """The life of every accumulator: cleared, given each addend once, spilled and fetched, finished."""
    tiles = program.plans[nest.group.name]
    alive: dict[Point, Counter[Point]] = {}
    parked: dict[Point, Counter[Point]] = {}
    finished: Counter[Point] = Counter()
    for event in walk(nest.body, scope):
        if isinstance(event.leaf, Attach):
            check(event.leaf.nest, program, dict(event.scope))
            continue
        for point in event.spatial():
            match event.leaf:
                case Clear():
                    assert point not in parked and finished[point] == 0
                    alive[point] = Counter()
                case Fetch():
                    alive[point] = parked.pop(point)
                case Spill():
                    parked[point] = alive.pop(point)
                case Finish():
                    finished[point] += 1
                    if tiles.reduce:
                        assert alive.pop(point) == Counter(product(*map(range, reduce_extents(tiles))))
                case _:
                    alive[point].update(event.reduce())
    assert not alive and not parked
    wanted = product(*(range(int(axis.extent)) for axis in tiles.spatial.values()))
    assert finished == Counter(wanted)


def reduce_extents(tiles: Plan) -> list[int]:
    return [axis.extent for axis in tiles.reduce.values()]


@pytest.mark.parametrize("name", ["conv", "rows", "moved", "padded twice"])
def test_a_region_holds_what_is_read(name: str) -> None:
    """Every element that a host reads of a placed stage, inside the tensor, is in the region made last."""
    for nest in (nest for program in programs(name, 60) for nest in replay(program).groups):
        regions = {name: extents for name, extents, _ in nest.regions}
        if regions:
            reads_inside(nest, regions)


def reads_inside(nest: GroupNest, regions: dict[str, tuple[int, ...]]) -> None:
    begins: dict[str, Point] = {}
    shapes = {placed.group.name: placed.group.stage.tensor.shape for placed in nest.group.placed}
    for event in walk(nest.body, {}):
        if isinstance(event.leaf, Attach):
            group, found = event.leaf.nest.group, origins(event.leaf, event.scope)
            begins[group.name] = tuple(found.get(next(iter(p.axes), ""), 0) for p in group.stage.where)
            moved = dict(event.scope) | {o.var: found[o.axis] for o in event.leaf.origins}
            for inner in walk(event.leaf.nest.body, moved):
                if isinstance(inner.leaf, Finish) or not group.stage.reduce:
                    held(event.leaf.nest, inner, found, begins, regions, shapes)
        elif not isinstance(event.leaf, Clear | Fetch | Spill):
            held(nest, event, {}, begins, regions, shapes)


def held(
    nest: GroupNest,
    event: Event,
    shift: dict[str, int],
    begins: dict[str, Point],
    regions: dict[str, tuple[int, ...]],
    shapes: dict[str, tuple[int, ...]],
) -> None:
    stage = nest.group.stage
    reads = [load for load in loads(stage.body) if load.tensor in regions]
    finishing = isinstance(event.leaf, Finish) and bool(stage.reduce)
    points = [()] if finishing or not stage.reduce else event.reduce()
    if finishing and not shift:
        return
    for spatial, reduce in product(event.spatial(), points):
        axes = dict(zip((a.name for a in stage.axes), spatial, strict=True))
        axes = {name: place + shift.get(name, 0) for name, place in axes.items()}
        axes |= dict(zip((a.name for a in stage.reduce), reduce, strict=False))
        for load in reads:
            if any(name not in axes for part in load.index for name in part.axes):
                continue
            place = tuple(value(part, axes) for part in load.index)
            if all(0 <= p < extent for p, extent in zip(place, shapes[load.tensor], strict=True)):
                low, extents = begins[load.tensor], regions[load.tensor]
                assert all(b <= p < b + e for b, p, e in zip(low, place, extents, strict=True)), (
                    f"{load} at {place}: region from {low}, {extents}"
                )


MATMUL = "tile s0; pack a1 for s0 | s0.vector=1 s0.block.i=2 s0.middle.i=2 s0.outer.i=1 s0.reduce.k=2 "


def nest_text(numbers: str) -> list[str]:
    program = parse_program(MATMUL + numbers, dag_of("matmul"), NARROW)
    return [line.strip() for line in str(replay(program)).splitlines()]


def test_a_matmul_through_memory() -> None:
    assert nest_text("s0.parallel=1")[:9] == [
        "s0:  (a1 laid out once)",
        "parallel i0 0…7 step 4",
        "for j0 0…6 step 4",
        "for k0 0…5 step 2",
        "for i2 i0…min(i0+4, 7) step 2",
        "if i2 + 2 <= 7",
        "if j0 + 4 <= 6",
        "if first k0",
        "clear [i:2 j:4/4] s0",
    ]


def test_a_nest_says_what_its_loops_do_not_tell() -> None:
    program = parse_program(
        "tile s0; pack a1 for s0; pack a0 for s0 | s0.vector=1 s0.block.i=2 s0.pin=1",
        dag_of("matmul"), NARROW,
    )  # fmt: skip
    head = "s0:  (one thread; a1 laid out once; a0 laid out in this call; vectors pinned)"
    assert str(replay(program)).splitlines()[0] == head
    scalar = parse_program("tile s0 | s0.scalar=1 s0.pin=1 s0.parallel=1", dag_of("matmul"), NARROW)
    assert str(replay(scalar)).splitlines()[0] == "s0:", "there are no vectors to pin"


def test_without_spatial_loops_inside_accumulators_stay_in_registers() -> None:
    text = nest_text("s0.middle.i=1 s0.reduce.k=2")
    assert not any("fetch" in line or "spill" in line for line in text)
    assert "for k0 0…5 step 2" in text
    assert "for k1 k0…min(k0+2, 5) step 1" in text


def test_the_vector_axis_is_shared_first_when_it_is_named_first() -> None:
    assert "parallel j0 0…6 step 4 · i0 0…7 step 4" in nest_text("s0.parallel=2 s0.first=1")


def test_one_thread_has_no_parallel_loops() -> None:
    serial = Target(vector_bytes=16, registers=16, threads=1)
    program = parse_program(MATMUL + "s0.parallel=2", dag_of("matmul"), serial)
    assert not any(isinstance(node, Parallel) for node in every(replay(program).groups[0].body))


def every(nodes: tuple[Node, ...]) -> list[Node]:
    return [inner for node in nodes for inner in (node, *every(getattr(node, "body", ())))]
