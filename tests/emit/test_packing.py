"""Operands that lie the other way are turned while they are packed: whole squares, and what is left over."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ansord.emit import emit
from tests.dag.graphs import node, subgraph
from tests.emit.equality import TARGETS, Checker, programs, space_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def checker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checker]:
    with Checker(tmp_path_factory.mktemp("kernels")) as made:
        yield made


@pytest.mark.parametrize("dtype", ["float32", "int32"])
@pytest.mark.parametrize("constant", [(), ("b",)])
@pytest.mark.parametrize(("inner", "width"), [(64, 32), (23, 37), (6, 18)])
def test_turned_operands(
    checker: Checker, dtype: str, constant: tuple[str, ...], inner: int, width: int
) -> None:
    graph = subgraph(
        {"a": (2, 9, inner), "b": (2, width, inner)}, node("y", "matmul", "a", "b", transpose_b=True),
        dtypes=dict.fromkeys("ab", dtype), constant=constant,
    )  # fmt: skip
    found = [p for place in range(4) for p in programs(space_of(graph, TARGETS[0]), 3, place)]
    turned = [program for program in found if "turn_" in emit(program).text]
    assert turned, "no program packs it with whole squares"
    faults = checker.faults(graph, turned[:4], 1)
    assert not faults, "\n\n".join(map(str, faults))
