"""Forms over a block's axes at one of its points: what is remembered is what would be worked out anew."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ansord.emit.frame import Frame, Scope
from ansord.emit.lower import grains_of, tensors_of
from ansord.nest import Block, Side
from ansord_client.expr import AxisValue, Call, Load
from ansord_client.index import Index

H, W, C = (Index.of(name) for name in "hwc")
SIDES = (Side("h", "h0", 4), Side("w", "w0", 6, 2), Side("c", None, 3))
BOUNDS = {"h0": (0, 27), "w0": (0, 23)}


def frame(**units: int) -> Frame:
    return Frame(Block(SIDES, (), 2, "w"), Scope({}, {}, BOUNDS, {}, {}, units))


forms = st.recursive(
    st.sampled_from([H, W, C]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda pair: pair[0] + pair[1]),
        st.tuples(inner, st.integers(-3, 3)).map(lambda pair: pair[0] * pair[1] + 1),
        st.tuples(inner, st.integers(2, 5)).map(lambda pair: pair[0] // pair[1]),
        st.tuples(inner, st.integers(2, 5)).map(lambda pair: pair[0] % pair[1]),
    ),
    max_leaves=6,
)
points = st.fixed_dictionaries({"h": st.integers(0, 3), "w": st.integers(0, 2), "c": st.integers(0, 2)})


@given(forms, st.lists(points, min_size=1, max_size=6), st.sampled_from([None, 0, 1]), st.booleans())
def test_a_form_at_a_point_has_the_values_of_the_point(
    form: Index, at: list[dict[str, int]], lane: int | None, whole: bool
) -> None:
    of = frame(h=4) if whole else frame()
    for point in at:  # in one frame: the second of two alike comes from memory
        found = of.flat(form, point, lane)
        for h0 in (0, 4, 24) if whole else (0, 3, 27):
            for w0 in (0, 5, 23):
                values = {"h": h0 + point["h"], "w": w0 + 2 * point["w"] + (lane or 0), "c": point["c"]}
                assert found.evaluate({"h0": h0, "w0": w0}) == form.evaluate(values)


def test_grains() -> None:
    """How finely an expression can tell points apart."""
    coarse, fine = Load("x", (H // 4, W, Index.of(2)), "float32"), AxisValue(H // 6 + C % 3)
    assert grains_of(coarse) == (("h", 4), ("w", 1))
    assert grains_of(fine) == (("c", 1), ("h", 6))
    both = Call("add", (coarse, Call("cast", (fine,), "float32")), "float32")
    assert grains_of(both) == (("c", 1), ("h", 2), ("w", 1))
    assert grains_of(Load("x", ((H + 1) // 4,), "float32")) == (("h", 1),)
    assert tensors_of(both) == {"x"}


def test_a_cell_is_what_coarse_expressions_see() -> None:
    point = {"h": 3, "w": 1, "c": 2}
    assert frame(h=4).cell((("h", 4), ("w", 1)), point) == (0, 1)
    assert frame(h=4).cell((("h", 2),), point) == (1,)
    assert frame(h=6).cell((("h", 4),), point) == (3,)  # a corner may lie anywhere between multiples of 4
    assert frame().cell((("h", 4), ("k", 1)), point) == (3,)
    assert frame(w=4).cell((("w", 4),), point) == (1,)  # vectors are counted, not points
