"""Memory planned once: what is needed together never shares bytes, what is not does."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansord_client.models import View
from ansord_client.models.arena import ALIGNMENT, Life, layout, nbytes, packed
from tests.client.models.networks import examples, planned

MODELS = examples()

lives = st.builds(
    lambda first, length, size: Life(first, first + length, size),
    st.integers(0, 20),
    st.integers(0, 6),
    st.integers(1, 50),
)


def overlap(start: int, size: int, other: int, more: int) -> bool:
    return start < other + more and other < start + size


@given(st.dictionaries(st.text("abc", min_size=1), lives, max_size=12))
def test_what_meets_does_not_overlap(found: dict[str, Life]) -> None:
    offsets = packed(found)
    assert set(offsets) == set(found) and min(offsets.values(), default=0) == 0
    for one, other in combinations(found, 2):
        if found[one].meets(found[other]):
            assert not overlap(offsets[one], found[one].size, offsets[other], found[other].size)


def test_a_chain_needs_two_places() -> None:
    chain = {str(step): Life(step, step + 1, 64) for step in range(10)}
    assert set(packed(chain).values()) == {0, 64}


def test_a_gap_is_filled_where_it_is_smallest() -> None:
    found = {"low": Life(0, 9, 30), "high": Life(0, 9, 40), "brief": Life(0, 0, 35), "late": Life(3, 3, 20)}
    offsets = packed(found)
    assert offsets == {"high": 0, "brief": 40, "low": 75, "late": 40}


@pytest.mark.parametrize("name", sorted(MODELS.NETWORKS))
def test_a_network_needs_less_than_all_its_values(name: str, tmp_path: Path) -> None:
    dims = {"batch": 2, "sequence": 7} if name == "bert" else None
    plan, _ = planned(MODELS.NETWORKS[name](True, 1), tmp_path, dims)
    found = layout(plan)
    written = [name for step in plan.steps if not isinstance(step, View) for name in step.results]
    assert set(written) <= set(found.offsets)
    assert all(offset % ALIGNMENT == 0 for offset in found.offsets.values())
    assert all(found.offsets[name] + nbytes(plan.values[name]) <= found.size for name in found.offsets)
    assert found.size < sum(nbytes(plan.values[name]) for name in written)
    for step in plan.steps:
        if isinstance(step, View) and step.arg in found.offsets:
            assert found.offsets[step.arg] == found.offsets[step.result]
