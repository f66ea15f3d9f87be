"""Index forms as C text against exact arithmetic; layouts of packed operands and of scratch by value."""

from __future__ import annotations

import re
from itertools import product
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansord.emit.address import Region, c_index
from ansord.emit.layout import ALIGNMENT, lay_out
from ansord.nest import Program, replay
from ansord_client.index import Index
from tests.nest.spaces import LARGE, SMALL, programs

RANGES = {"i": (0, 6), "j": (-3, 4), "k": (0, 0)}


class C(int):
    """A number that divides as C does: to zero."""

    def __truediv__(self, other: int) -> C:
        sign = -1 if (self < 0) != (other < 0) else 1
        return C(sign * (abs(int(self)) // abs(int(other))))

    def __mod__(self, other: int) -> C:
        return C(int(self) - int(self / other) * int(other))

    def __add__(self, other: int) -> C:
        return C(int(self) + int(other))

    def __sub__(self, other: int) -> C:
        return C(int(self) - int(other))

    def __mul__(self, other: int) -> C:
        return C(int(self) * int(other))

    def __neg__(self) -> C:
        return C(-int(self))


def in_c(text: str, values: dict[str, int]) -> int:
    """What a C compiler makes of the text."""
    source = re.sub(r"\b(\d+)L?\b", r"C(\1)", text)
    return int(eval(source, {"C": C}, {name: C(value) for name, value in values.items()}))


FORMS: st.SearchStrategy[Index] = st.recursive(
    st.sampled_from([Index.of("i"), Index.of("j"), Index.of("k"), Index.of(3), Index.of(-2)]),
    lambda forms: st.one_of(
        st.tuples(forms, forms).map(lambda pair: pair[0] + pair[1]),
        st.tuples(forms, st.integers(-4, 4)).map(lambda pair: pair[0] * pair[1]),
        st.tuples(forms, st.integers(1, 5)).map(lambda pair: pair[0] // pair[1]),
        st.tuples(forms, st.integers(1, 5)).map(lambda pair: pair[0] % pair[1]),
    ),
    max_leaves=6,
)


@given(FORMS)
def test_forms_mean_the_same_in_c(form: Index) -> None:
    text = c_index(form, RANGES)
    spans = [range(low, high + 1) for low, high in RANGES.values()]
    for point in product(*spans):
        values = dict(zip(RANGES, point, strict=True))
        low, high = form.interval({name: (value, value) for name, value in values.items()})
        assert low == high == in_c(text, values)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (Index(), "0"),
        (Index.of("i") * 3 + 4, "i*3L+4"),
        (Index.of("i") - 1, "i-1"),
        (-1 * Index.of("i"), "-i"),
        (Index.of("j") // 2, "((j+4)/2-2)"),
        (Index.of("j") % 2 + Index.of("i"), "i+((j+4)%2)"),
        (Index.of("i") // 4 * 8, "((i)/4)*8L"),
    ],
)
def test_forms_by_value(form: Index, text: str) -> None:
    assert c_index(form, RANGES) == text


def test_a_region_counts_from_its_origin() -> None:
    region = Region("s0", "float32", (2, 3, 5), ("h_s0", None, "c_s0"))
    offset = region.offset((Index.of("h") + 1, Index.of("w"), Index.of("c")))
    wanted = (Index.of("h") + 1 - "h_s0") * 15 + Index.of("w") * 5 + Index.of("c") - "c_s0"
    assert offset == wanted
    assert region.size == 30


def _packing() -> list[Program]:
    found = [one for name in ("matmul", "conv", "odd", "grouped", "capsule") for one in programs(name, 30)]
    return [program for program in found if any(group.packed for group in program.sketch.everywhere)]


def test_packed_places_are_distinct_and_inside() -> None:
    """Every position of the axes of an operand has an element of its own, in the order of `dims`."""
    checked = 0
    for program in _packing():
        layout = lay_out(program.sketch.dag, program, replay(program))
        for packed in (one for group in layout.packs.values() for one in group):
            assert packed.elements == prod(count for _, _, count in packed.dims)
            places = set()
            for point in product(*(range(packed.extents[axis]) for axis in packed.sizes)):
                place = 0
                for position, (axis, (block, tile)) in zip(point, packed.sizes.items(), strict=True):
                    levels = ("block", "point") if (axis, "point") in packed.strides else ("chunk", "step")
                    unit = block if levels[0] == "block" else tile
                    place += position // unit * packed.strides[axis, levels[0]]
                    place += position % unit * packed.strides[axis, levels[1]]
                assert 0 <= place < packed.elements
                places.add(place)
            assert len(places) == prod(packed.extents[axis] for axis in packed.sizes)
            checked += 1
    assert checked > 20


@pytest.mark.parametrize("name", [*SMALL, *LARGE])
def test_buffers_hold_what_is_in_them(name: str) -> None:
    """Places in scratch are aligned, apart from each other, and inside; arguments come in call order."""
    for program in programs(name, 8):
        dag, nest = program.sketch.dag, replay(program)
        layout = lay_out(dag, program, nest)
        order = [*(tensor.name for tensor in dag.inputs), *dag.outputs]
        assert [layout.tensors[one] for one in order] == [f"args[{n}]" for n in range(len(order))]
        starts = [
            int(m[1]) for text in layout.tensors.values() if (m := re.search(r"scratch \+ (\d+)L", text))
        ]
        starts += [
            int(m[1]) for text in layout.packed.values() if (m := re.search(r"scratch \+ (\d+)L", text))
        ]
        assert len(set(starts)) == len(starts)
        assert all(start % ALIGNMENT == 0 and start < layout.own_at for start in starts)
        threads = nest.threads if any(group.parallel for group in nest.groups) else 1
        assert layout.scratch_bytes == layout.own_at + layout.own * threads
