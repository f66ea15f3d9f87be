"""The derivation rules by value: what each gives, and the case in which it does not apply."""

from __future__ import annotations

from dataclasses import replace

from ansord.dag import Dag
from ansord.nest import Pack, Rfactor, Target
from ansord.sketch.rules import (
    factorise,
    fuse,
    inline,
    inline_movable,
    place,
    skip,
    tile,
    tile_and_fuse,
)  # fmt: skip
from ansord.sketch.state import Derived, Rule, State
from tests.dag.graphs import dag, node

TARGET = Target(threads=2)
SERIAL = Target(threads=1)


def after(made: Dag, *rules: Rule) -> State:
    """The state in which the last stages have been decided by these rules, one each, first choice."""
    state = State(made, TARGET)
    for rule, stage in zip(rules, reversed(made.stages), strict=False):
        derived = rule(state, stage)
        assert derived is not None
        state = derived.states[0]
    return state


def given(rule: Rule, made: Dag, *before: Rule) -> list[str] | None:
    """The steps that `rule` adds on the next stage, once `before` have decided the last ones."""
    state = after(made, *before)
    derived = rule(state, made.stages[-1 - len(before)])
    return None if derived is None else [added(state, new) for new in derived.states]


def added(old: State, new: State) -> str:
    """The steps that a state has and another lacks, in the order of the stages."""
    steps = sorted((step for step in new.steps if step not in old.steps), key=lambda step: step[0])
    return "; ".join(str(step) for step in [*(step for _, step in steps), *new.packs[len(old.packs) :]])


MATMUL = dag({"a": (32, 24), "b": (24, 40)}, node("y", "matmul", "a", "b"), constant=("b",))
RELU = dag({"a": (32, 24), "b": (24, 40)}, node("y", "matmul", "a", "b"), node("z", "relu", "y"))
BEFORE = dag({"a": (32, 24), "b": (24, 40)}, node("x", "relu", "a"), node("y", "matmul", "x", "b"))
DEAR = dag({"a": (32, 24), "b": (24, 40)}, node("x", "exp", "a"), node("y", "matmul", "x", "b"))
CHAIN = dag({"a": (32, 24)}, node("y", "neg", "a"), node("z", "exp", "y"))
PADDED = dag({"x": (1, 6, 6, 4), "w": (3, 3, 4, 8)}, node("y", "conv2d", "x", "w", padding=1))
ROWS = dag({"a": (8, 24)}, node("y", "reduce_sum", "a", axes=1), node("z", "sqrt", "y"))
THIN = dag({"a": (3, 960)}, node("y", "reduce_sum", "a", axes=1))
OUTPUTS = dag({"a": (8, 24)}, node("y", "exp", "a"), node("z", "neg", "y"), outputs=("y", "z"))
POOL = dag({"a": (1, 9, 9, 8)}, node("e", "exp", "a"), node("y", "max_pool", "e", kernel=3, stride=1))


def test_inline() -> None:
    assert given(inline, CHAIN, skip) == ["inline s0"]
    assert given(inline, OUTPUTS, skip) is None  # an output keeps its loops
    assert given(inline, MATMUL) is None  # a reduction
    assert given(inline, PADDED, skip) is None  # a choice by place
    packed = replace(after(CHAIN, skip), packs=(Pack("s1", "s0"),))
    assert inline(packed, CHAIN.stages[0]) == Derived((), final=True)  # its twin without the pack is enough


def test_inline_movable() -> None:
    assert given(inline_movable, BEFORE, skip) == ["inline s0"]  # cheap, but computed for every column
    assert given(inline_movable, DEAR, skip) is None
    assert given(inline_movable, CHAIN, skip) is None  # always inlined
    packed = tile(State(BEFORE, TARGET), BEFORE.stages[-1])
    assert packed is not None
    refused = [inline_movable(state, BEFORE.stages[0]) is None for state in packed.states]
    assert refused == [False, True, False, True]  # what a reader packs is there as a whole


def test_a_copy_that_is_packed_is_not_made_first() -> None:
    turned = node("t", "transpose", "a", perm=[1, 0])
    made = dag({"a": (24, 32), "b": (24, 40)}, turned, node("y", "matmul", "t", "b"))
    derived = tile(State(made, TARGET), made.stages[-1])
    assert derived is not None
    packed = [one for one in derived.states if Pack("s1", "s0") in one.packs]
    read = [inline_movable(one, made.stages[0]) for one in packed]
    assert [one and one.final for one in read] == [True] * len(packed) != []
    assert all(Pack("s1", "a0") in new.packs for one in read if one for new in one.states)


def test_a_layer_for_one_vector_packs_its_weights_alone() -> None:
    one = dag({"a": (1, 24), "b": (24, 40)}, node("y", "matmul", "a", "b"), constant=("b",))
    assert given(tile, one) == ["tile s0; pack a1 for s0", "tile s0"]


def test_tile_packs_what_is_read_again() -> None:
    assert given(tile, MATMUL) == [
        "tile s0; pack a1 for s0",
        "tile s0; pack a1 for s0; pack a0 for s0",
        "tile s0",
    ]
    assert given(tile, ROWS, skip) is None  # nothing is read twice
    depthwise = dag({"x": (1, 6, 6, 4), "w": (3, 3, 1, 4)}, node("y", "conv2d", "x", "w", groups=4))
    assert given(tile, depthwise) == ["tile s0", "tile s0; pack a1 for s0"]  # windows are no plain copies
    ragged = dag({"a": (2, 13), "b": (13, 1)}, node("y", "matmul", "a", "b"), constant=("a",))
    state = State(ragged, TARGET).factorise(Rfactor("s0", "k", 2))
    derived = tile(state, state.dag.by_name["s0r"])
    assert derived is not None
    assert [added(state, new) for new in derived.states] == ["tile s0r"]  # 13 in 2: beyond the end, guarded


def test_tile_and_fuse() -> None:
    packs = ("", "; pack a0 for s0", "; pack a1 for s0", "; pack a0 for s0; pack a1 for s0")
    assert given(tile_and_fuse, RELU, skip) == [f"tile s0; fuse s1 into s0{pack}" for pack in packs]
    assert given(tile_and_fuse, MATMUL) is None  # no reader
    assert given(tile_and_fuse, ROWS, skip) is None  # no reuse


def test_several_readers_fuse_together() -> None:
    """Side by side, or one reading another; and never apart."""
    y = node("y", "matmul", "a", "b")
    side = dag({"a": (8, 8), "b": (8, 8)}, y, node("z", "relu", "y"), node("t", "neg", "y"), outputs="zt")
    diamond = dag({"a": (8, 8), "b": (8, 8)}, y, node("z", "relu", "y"), node("t", "mul", "y", "z"))
    for made in (side, diamond):
        steps = given(tile_and_fuse, made, skip, skip)
        assert steps is not None and steps[0] == "tile s0; fuse s1 into s0; fuse s2 into s0"
    assert given(tile_and_fuse, diamond, skip, fuse) == given(tile_and_fuse, diamond, skip, skip)
    assert given(tile_and_fuse, diamond, skip, inline) == [
        f"tile s0; fuse s2 into s0{pack}"
        for pack in ("", "; pack a0 for s0", "; pack a1 for s0", "; pack a0 for s0; pack a1 for s0")
    ]
    pooled = node("r", "reduce_max", "y", axes=1)
    beside = dag({"a": (8, 8), "b": (8, 8)}, y, node("z", "relu", "y"), pooled, outputs="zr")
    assert given(tile_and_fuse, beside, skip, skip) is None  # all of it is read again, by a reduction


def test_members_read_one_another_at_the_element() -> None:
    """z could follow q, and both follow y; but z reads p elsewhere."""
    nodes = (node("y", "matmul", "a", "b"), node("p", "relu", "y"), node("q", "neg", "y"))
    inputs, turned = {"a": (8, 8), "b": (8, 8)}, node("t", "transpose", "p", perm=[1, 0])
    apart = dag(inputs, *nodes, turned, node("z", "add", "q", "t"), outputs="pqz")
    assert given(tile_and_fuse, apart, skip, inline_movable, fuse, skip) is None
    beside = dag(inputs, *nodes, node("z", "add", "q", "p"), outputs="pqz")
    assert given(tile_and_fuse, beside, skip, fuse, skip) is not None


def test_what_comes_after_one_member_comes_before_none() -> None:
    y, z = node("y", "matmul", "a", "b"), node("z", "relu", "y")
    inputs = {"a": (8, 8), "b": (8, 8)}
    row = node("r", "reduce_max", "z", axes=1, keepdims=True)
    through = dag(inputs, y, z, row, node("t", "sub", "y", "r"), outputs="zt")
    assert given(tile_and_fuse, through, skip, skip, skip) is None
    assert given(tile_and_fuse, through, skip, place, skip) is None  # placed in t, r would be there before z
    nodes = (y, node("e", "exp", "y"), node("p", "mul", "y", "e"), node("q", "add", "p", "e"))
    again = dag(inputs, *nodes, outputs="pq")
    assert given(tile_and_fuse, again, skip, fuse, fuse) is not None
    assert given(tile_and_fuse, again, skip, fuse, place) is None  # and e before y
    # Each would do alone: y with z and p, u with q and v, but p reads q, and v reads z.
    u = node("u", "matmul", "b", "a")
    nodes = (y, z, u, node("q", "neg", "u"), node("p", "add", "y", "q"), node("v", "add", "u", "z"))
    crossed = dag(inputs, *nodes, outputs="zqpv")
    assert given(tile_and_fuse, crossed, skip, skip, skip, skip, skip) is not None
    assert given(tile_and_fuse, crossed, skip, skip, skip, tile_and_fuse, skip) is None


def test_fuse() -> None:
    assert given(fuse, ROWS, skip) == ["loops s0; fuse s1 into s0"]
    assert given(fuse, RELU, skip) is None  # reuse: tiled
    assert given(fuse, THIN) is None


def test_factorise() -> None:
    state = State(THIN, TARGET)
    derived = factorise(state, THIN.stages[-1])
    assert derived is not None and not derived.final
    assert [str(s.factors[0]) for s in derived.states] == ["rfactor s0 over j in 2", "rfactor s0 over j in 8"]
    assert factorise(State(THIN, SERIAL), THIN.stages[-1]) is None  # nobody to share with
    assert factorise(derived.states[0], derived.states[0].dag.by_name["s0r"]) is None  # once is enough
    assert factorise(State(MATMUL, TARGET), MATMUL.stages[-1]) is None  # enough results
    assert factorise(State(CHAIN, TARGET), CHAIN.stages[-1]) is None  # no reduction


def test_place() -> None:
    assert given(place, PADDED, tile) == [f"place s0 in s1 at {level}" for level in ("s0", "s1", "r0")]
    assert given(place, POOL, skip) == [f"place s0 in s1 at {level}" for level in ("s0", "s1", "r0")]
    assert given(place, OUTPUTS, skip) is None  # an output
    assert given(place, RELU, skip) is None  # reuse, and it could fuse
    most = node("z", "reduce_max", "y", axes=1)
    scores = dag({"a": (8, 24), "b": (24, 9)}, node("y", "matmul", "a", "b"), most)
    assert given(place, scores, skip) == ["place s0 in s1 at s0"]  # reuse, and it cannot
    packed = dag({"a": (32, 24), "b": (24, 40)}, node("x", "exp", "a"), node("y", "matmul", "x", "b"),
                 constant=("b",))  # fmt: skip
    state = State(packed, TARGET)
    derived = tile(state, packed.stages[-1])
    assert derived is not None
    refused = {added(state, new) for new in derived.states if place(new, packed.stages[0]) is None}
    assert refused == {"tile s1; pack a1 for s1; pack s0 for s1"}  # a packed operand is there as a whole


def test_skip_always_applies() -> None:
    assert given(skip, MATMUL) == ["loops s0"]


def test_a_follower_moves_with_what_it_follows() -> None:
    """Of matmul, tanh, tanh: the last is fused into the second, then both into the matmul."""
    made = dag({"a": (8, 8), "b": (8, 8)}, node("y", "matmul", "a", "b"), node("z", "tanh", "y"),
               node("t", "tanh", "z"), outputs=("z", "t"))  # fmt: skip
    assert given(tile_and_fuse, made, skip, fuse) is not None
    assert (given(tile_and_fuse, made, skip, fuse) or [""])[0] == "tile s0; fuse s1 into s0; fuse s2 into s0"
