"""The feature table and the estimate under it: finite, named once, and right where the answer is plain."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ansord.dag import expand
from ansord.nest import Rows, Space, Target, parse_program
from ansord.score import NAMES, VERSION, judge, paper_cycles
from ansord.score.features import OLDER
from ansord.sketch import derive
from tests.dag.graphs import node, subgraph
from tests.nest.spaces import LARGE, SMALL, dag_of, legal_rows, raw, space

TARGET = Target(vector_bytes=64, registers=32, threads=2)


def test_names_are_unique_and_versioned() -> None:
    assert len(set(NAMES)) == len(NAMES) > 40
    assert VERSION >= 3
    assert NAMES[-OLDER[2] :] == ("stream", "prefetch")


@pytest.mark.parametrize("name", [*SMALL, *LARGE])
def test_every_feature_of_every_row_is_finite(name: str) -> None:
    of = space(name, TARGET)
    for rows in (of.canonical(raw(of, 100, 0)), legal_rows(of, 100, 0)):
        found = judge(of, rows)
        assert found.features.shape == (len(found.row), len(NAMES))
        assert found.features.dtype == np.float32
        assert np.isfinite(found.features).all() and np.isfinite(found.total).all()
        balance = found.features[:, _at("balance")]
        assert ((balance > 0) & (balance <= 1)).all()
        assert (found.features[:, _at("waste")] >= 1).all()


@pytest.mark.parametrize("name", ["conv_bn_relu", "softmax", "moved"])
def test_every_row_has_its_statements_and_their_sum(name: str) -> None:
    of = space(name, TARGET)
    rows = legal_rows(of, 64, 1)
    found = judge(of, rows)
    counts = [len(of.sketches[row[0]].everywhere) for row in rows]
    assert np.bincount(found.row, minlength=len(rows)).tolist() == counts
    np.testing.assert_allclose(np.bincount(found.row, found.cycles), found.total, rtol=1e-5)
    np.testing.assert_allclose(
        np.bincount(found.row, np.exp2(found.features[:, _at("share")])), np.ones(len(rows)), rtol=1e-5
    )


@pytest.mark.parametrize("name", ["conv_bn_relu", "softmax", "moved"])
def test_rows_do_not_depend_on_their_company(name: str) -> None:
    """Statements are judged for the rows of all sketches that share them; alone they come to the same."""
    of = space(name, TARGET)
    rows = legal_rows(of, 64, 1)
    whole = judge(of, rows)
    for place, row in enumerate(rows):
        alone = judge(of, row[None])
        mine = whole.row == place
        np.testing.assert_allclose(alone.total[0], whole.total[place], rtol=1e-6)
        order = np.lexsort(whole.features[mine].T), np.lexsort(alone.features.T)
        np.testing.assert_allclose(
            whole.features[mine][order[0]], alone.features[order[1]], rtol=1e-5, atol=1e-5
        )
    assert judge(of, rows[:0]).features.shape == (0, len(NAMES))


def _at(name: str) -> int:
    return NAMES.index(name)


def _found(numbers: str, name: str = "matmul_bias_relu", vector: int = 1) -> dict[str, float]:
    """The features of the one statement, and its cycles."""
    text = f"tile s0; inline s1; fuse s2 into s0; pack a1 for s0 | s0.vector={vector} {numbers}"
    of = space(name, TARGET)
    row: Rows | None = of.row(parse_program(text, dag_of(name), TARGET))
    assert row is not None
    found = judge(of, row[None])
    assert len(found.features) == 1
    named = dict(zip(NAMES, found.features[0].tolist(), strict=True))
    return named | {"cycles": float(found.total[0])}


def test_a_register_block_by_value() -> None:
    """64 x 48 results in blocks of 4 rows and 2 vectors of 16: 16 · 2 blocks, the second of 16 in vain."""
    found = _found("s0.block.i=4 s0.block.j=2 s0.reduce.k=24")
    assert found["slots"] == 8
    assert found["row"] == 2
    assert found["rows"] == 4
    assert found["fill"] == 8 / 32
    assert found["lanes"] == 0
    assert found["waste"] == pytest.approx(64 / 48)
    assert found["ragged"] == 1
    assert found["steps"] == pytest.approx(np.log2(24))
    assert found["rounds"] == pytest.approx(np.log2(96 / 24))
    # a step: 8 multiply-adds from 2 vectors of the one operand and 4 elements of the other
    assert found["loads"] == pytest.approx(2 / 8)
    assert found["broadcasts"] == pytest.approx(4 / 8)
    assert found["balance"] == 1 / 2  # one of two threads
    assert found["share"] == 0


def test_tiles_against_caches_by_value() -> None:
    """One tile over everything: both operands, the results, the bias; and the block over its reduction."""
    found = _found("s0.block.i=4 s0.block.j=2 s0.middle.i=16 s0.middle.j=2 s0.reduce.k=96")
    touched = 4 * (64 * 96 + 96 * 48 + 64 * 48 + 48)
    assert 2 ** found["middle_l1"] * TARGET.l1 == pytest.approx(touched, rel=0.02)
    strip = 4 * (4 * 96 + 96 * 32 + 4 * 32 + 32)
    assert 2 ** found["strip_l1"] * TARGET.l1 == pytest.approx(strip, rel=0.05)


def test_lanes_that_lie_apart_are_gathered() -> None:
    """A vectorised reduction reads a packed operand in one piece only where the block is one column wide."""
    assert _found("s0.block.i=4 s0.block.j=1 s0.reduce.k=96", vector=2)["gathers"] == 0
    assert _found("s0.block.i=4 s0.block.j=4 s0.reduce.k=96", vector=2)["gathers"] > 0
    assert _found("s0.block.i=4 s0.block.j=2 s0.reduce.k=96")["gathers"] == 0


def test_the_estimate_knows_what_is_better() -> None:
    def cycles(numbers: str) -> float:
        return _found(numbers)["cycles"]

    assert cycles("s0.block.i=8 s0.block.j=3") < cycles("s0.block.i=1 s0.block.j=1")
    assert cycles("s0.block.i=4 s0.block.j=3") < cycles("s0.block.i=4 s0.block.j=3 s0.shift=1")
    assert cycles("s0.block.i=4 s0.block.j=3") < cycles("s0.block.i=4 s0.scalar=1")


def test_rows_that_lie_a_page_apart_crowd_the_cache() -> None:
    """512 rows of 4 KiB want the same places; of 4 KiB and a line they do not."""

    def crowd(width: int) -> float:
        dag = expand(subgraph({"a": (64, 512), "b": (512, width)}, node("y", "matmul", "a", "b")))
        of = Space(dag, derive(dag, TARGET).sketches, TARGET)
        text = "tile s0 | s0.vector=1 s0.block.i=4 s0.block.j=1 s0.reduce.k=512"
        row = of.row(parse_program(text, dag, TARGET))
        assert row is not None
        return float(judge(of, row[None]).features[0, _at("crowd_strip")])

    assert crowd(1024) > crowd(1040) + 3


def test_two_threads_pay_where_there_is_work() -> None:
    """512 cubed is worth a parallel region, a thousand elements are not."""

    def gain(extent: int) -> float:
        shapes: dict[str, tuple[int, ...]] = {"a": (extent, extent), "b": (extent, extent)}
        dag = expand(subgraph(shapes, node("y", "matmul", "a", "b")))
        of = Space(dag, derive(dag, TARGET).sketches, TARGET)
        block = f"tile s0 | s0.vector=1 s0.block.i=8 s0.block.j=2 s0.reduce.k={extent}"
        rows = [of.row(parse_program(f"{block} s0.parallel={n}", dag, TARGET)) for n in (0, 1)]
        alone, shared = paper_cycles(of, _stacked(rows))
        return float(alone / shared)

    assert gain(512) > 1.5
    assert gain(16) < 1


def _stacked(rows: list[Rows | None]) -> NDArray[np.int64]:
    return np.stack([row for row in rows if row is not None])
