"""The feature table and the estimate under it: finite, named once, and right where the answer is plain."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ansord.dag import expand
from ansord.nest import Rows, Space, Target, parse_program
from ansord.score import NAMES, VERSION, features
from ansord.score.features import GROUP_FEATURES, TOTALS, paper_cycles
from ansord.sketch import derive
from tests.dag.graphs import node, subgraph
from tests.nest.spaces import LARGE, SMALL, dag_of, legal_rows, raw, space

TARGET = Target(vector_bytes=64, registers=32, threads=2)


def test_names_are_unique_and_versioned() -> None:
    assert len(set(NAMES)) == len(NAMES) == 2 * len(GROUP_FEATURES) + len(TOTALS)
    assert VERSION >= 1


@pytest.mark.parametrize("name", [*SMALL, *LARGE])
def test_every_feature_of_every_row_is_finite(name: str) -> None:
    of = space(name, TARGET)
    for rows in (of.canonical(raw(of, 100, 0)), legal_rows(of, 100, 0)):
        found = features(of, rows)
        assert found.shape == (len(rows), len(NAMES))
        assert np.isfinite(found).all()
        assert ((found[:, _at("main.balance")] > 0) & (found[:, _at("main.balance")] <= 1)).all()
        assert (found[:, _at("main.waste")] >= 1).all()


def test_rows_do_not_depend_on_their_company() -> None:
    of = space("conv_bn_relu", TARGET)
    rows = legal_rows(of, 64, 1)
    whole = features(of, rows)
    parts = np.concatenate([features(of, rows[::2]), features(of, rows[1::2])])
    order = np.concatenate([np.arange(0, len(rows), 2), np.arange(1, len(rows), 2)])
    np.testing.assert_array_equal(whole[order], parts)
    assert features(of, rows[:0]).shape == (0, len(NAMES))


def test_the_total_is_the_estimate_of_all_groups() -> None:
    of = space("row_sum", TARGET)
    rows = legal_rows(of, 32, 2)
    found = features(of, rows)
    np.testing.assert_allclose(np.exp(found[:, _at("total_cycles")]), paper_cycles(of, rows))
    lone = found[:, _at("groups")] == 1
    np.testing.assert_allclose(
        found[lone, _at("total_cycles")], np.log(np.expm1(found[lone, _at("main.cycles")])), rtol=1e-9
    )


def _at(name: str) -> int:
    return NAMES.index(name)


def _found(numbers: str, name: str = "matmul_bias_relu") -> dict[str, float]:
    text = f"tile s0; inline s1; fuse s2 into s0; pack a1 for s0 | s0.vector=1 {numbers}"
    of = space(name, TARGET)
    row: Rows | None = of.row(parse_program(text, dag_of(name), TARGET))
    assert row is not None
    return dict(zip(NAMES, features(of, row[None])[0].tolist(), strict=True))


def test_a_register_block_by_value() -> None:
    """64 x 48 results in blocks of 4 rows and 2 vectors of 16: 16 · 2 blocks, the second of 16 in vain."""
    found = _found("s0.block.i=4 s0.block.j=2 s0.reduce.k=24")
    assert found["main.accumulators"] == 8
    assert found["main.vectors"] == 2
    assert found["main.rows"] == 4
    assert found["main.lanes"] == 16
    assert found["main.waste"] == pytest.approx(64 / 48)
    assert found["main.steps"] == pytest.approx(np.log1p(24))
    assert found["main.balance"] == 1 / 2  # one of two threads


def test_the_estimate_knows_what_is_better() -> None:
    def cycles(numbers: str) -> float:
        return _found(numbers)["total_cycles"]

    assert cycles("s0.block.i=8 s0.block.j=3") < cycles("s0.block.i=1 s0.block.j=1")
    assert cycles("s0.block.i=4 s0.block.j=3") < cycles("s0.block.i=4 s0.block.j=3 s0.shift=1")
    assert cycles("s0.block.i=4 s0.block.j=3") < cycles("s0.block.i=4 s0.scalar=1")


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
