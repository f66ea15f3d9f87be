"""Rewritten dags compute the same; matrices are exact; what does not fit is left alone."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ansord.dag import REWRITES, Dag, Stage, definitions, outside_rewrites, rewrite_named
from ansord.dag.choice import choice, settled
from ansord.dag.rewrite.correlation import correlation
from ansord.dag.rewrite.groups import across
from ansord.dag.rewrite.interpolation import (
    POINTS,
    Matrix,
    by_columns,
    by_rows,
    combination,
    interpolation,
)
from ansord.dag.rewrite.winograd import dense, tiles_of, transformed, winograd
from ansord_client.expr import Const, Expr, Load
from ansord_client.index import Index
from tests.dag.evaluate import evaluate
from tests.dag.graphs import dag, node


def times(matrix: Matrix, vector: list[Fraction]) -> list[Fraction]:
    return [sum((a * b for a, b in zip(row, vector, strict=True)), Fraction(0)) for row in matrix]


@pytest.mark.parametrize(
    ("products", "taps"), [(count, taps) for count in POINTS for taps in range(2, count)]
)
def test_the_matrices_are_exact(products: int, taps: int) -> None:
    made = interpolation(products, taps)
    x = [Fraction(3 * n * n - 7 * n + 2) for n in range(products)]
    w = [Fraction(5 - 4 * n * n, 3) for n in range(taps)]
    multiplied = [a * b for a, b in zip(times(made.forward, x), times(made.weights, w), strict=True)]
    direct = [sum(x[i + k] * w[k] for k in range(taps)) for i in range(made.results)]
    assert times(made.inverse, multiplied) == direct
    assert made.results == products - taps + 1


def value(expr: Expr, x: np.ndarray[Any, Any]) -> float:
    """Of sums of products of elements of x."""
    match expr:
        case Const(value=number):
            return float(number)
        case Load(index=(index,)):
            return float(x[index.const])
    left, right = (value(arg, x) for arg in expr.args)  # type: ignore[union-attr]
    return {"add": left + right, "sub": left - right, "mul": left * right}[expr.op]  # type: ignore[union-attr]


@pytest.mark.parametrize("products", POINTS)
@pytest.mark.parametrize("shared", [by_rows, by_columns])
def test_sums_that_share_halves_are_the_same_sums(products: int, shared: Any) -> None:
    made = interpolation(products, 3)
    x = np.random.default_rng(0).standard_normal(products)
    loads = [Load("x", (Index.of(n),), "float64") for n in range(products)]
    for matrix in (made.forward, made.inverse):
        plain = [value(combination(row, loads), x) for row in matrix]
        np.testing.assert_allclose([value(one, x) for one in shared(matrix, loads)], plain, rtol=1e-12)


CONVOLUTIONS: dict[str, tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = {
    "padded": ((1, 9, 10, 3), (3, 3, 3, 4), {"padding": 1}),
    "whole tiles": ((1, 10, 6, 2), (3, 3, 2, 3), {}),
    "batch, odd": ((3, 7, 5, 2), (3, 3, 2, 5), {"padding": [[0, 1], [2, 0]]}),
    "few results": ((2, 4, 4, 2), (3, 3, 2, 1), {}),
    "two by five taps": ((1, 8, 11, 3), (2, 5, 3, 2), {"padding": 1}),
    "one dimension": ((2, 13, 4), (3, 4, 3), {"padding": 1}),
    "three dimensions": ((1, 5, 6, 4, 3), (3, 3, 3, 3, 2), {"padding": 1}),
    "dilated": ((2, 14, 10, 3), (3, 3, 3, 4), {"padding": 1, "dilation": 2}),
    "dilated, odd": ((2, 11, 9, 3), (3, 2, 3, 2), {"padding": [[0, 2], [1, 0]], "dilation": [3, 2]}),
    "dilated, bare": ((1, 13, 9, 2), (3, 3, 2, 3), {"dilation": [4, 1]}),
    "few dilated": ((1, 9, 2), (3, 2, 3), {"dilation": 3}),
}


def convolution(kind: str, shape: tuple[int, ...], weight: tuple[int, ...], attrs: dict[str, Any]) -> Dag:
    """With relu behind it."""
    return dag(
        {"x": shape, "w": weight}, node("y", f"conv{len(shape) - 2}d{kind}", "x", "w", **attrs),
        node("z", "relu", "y"), constant=("w",),
    )  # fmt: skip


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_a_transformed_convolution_computes_the_same(name: str) -> None:
    made = convolution("", *CONVOLUTIONS[name])
    same(made, changed(made, next(stage for stage in made.stages if stage.reduce)))


TRANSPOSED: dict[str, tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = {
    "two phases": ((2, 4, 4, 3), (4, 4, 3, 5), {"padding": 1, "stride": 2}),
    "no phases": ((1, 5, 6, 3), (3, 3, 3, 2), {"padding": 1}),
    "of one and two taps": ((1, 5, 7, 3), (3, 3, 3, 2), {"padding": 1, "stride": 2, "output_padding": 1}),
    "three phases": ((1, 5, 4, 2), (6, 3, 2, 3), {"padding": [[1, 2], [1, 1]], "stride": [3, 1]}),
    "bare": ((1, 3, 5, 2), (4, 6, 2, 3), {"stride": 2}),
    "one dimension": ((2, 9, 4), (4, 4, 3), {"padding": 1, "stride": 2}),
    "three dimensions": ((1, 3, 4, 2, 2), (4, 4, 4, 2, 2), {"padding": 1, "stride": 2}),
}


@pytest.mark.parametrize("name", TRANSPOSED)
def test_a_transposed_convolution_is_one_too(name: str) -> None:
    made = convolution("_transpose", *TRANSPOSED[name])
    after = made
    for stage in made.stages:
        if stage.reduce and (found := dense(after, stage)) and (tiles := tiles_of(found[-1])):
            after = transformed(*found, tiles)
    assert after is not made
    same(made, after)


def changed(made: Dag, stage: Stage) -> Dag:
    """Whether it pays or not."""
    found = dense(made, stage)
    assert found is not None
    tiles = tiles_of(found[-1])
    assert tiles is not None
    return transformed(*found, tiles)


def same(one: Dag, other: Dag) -> None:
    rng = np.random.default_rng(1)
    inputs = [rng.standard_normal(tensor.shape) for tensor in one.inputs]
    for a, b in zip(evaluate(one, inputs), evaluate(other, inputs), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5 * float(np.abs(a).max()))
    assert one.outputs == other.outputs
    assert [one.tensors[name] for name in one.outputs] == [other.tensors[name] for name in other.outputs]


def test_a_source_that_others_read_is_copied_not_changed() -> None:
    made = dag(
        {"x": (1, 7, 7, 2), "w": (3, 3, 2, 2)},
        node("p", "pad", "x", pads=[[0, 0], [1, 1], [1, 1], [0, 0]]), node("y", "conv2d", "p", "w"),
        node("z", "exp", "p"), constant=("w",), outputs=("y", "z"),
    )  # fmt: skip
    conv = next(stage for stage in made.stages if stage.reduce)
    after = changed(made, conv)
    same(made, after)
    assert after.tensors["s0"] == made.tensors["s0"]
    assert after.tensors[f"{conv.name}x"].shape == (1, 10, 10, 2)


def conv(**more: Any) -> Dag:
    attrs = {name: more.pop(name) for name in ("stride", "dilation", "groups") if name in more}
    weight = more.pop("weight", (3, 3, 32, 32))
    return dag(
        {"x": (1, 12, 12, 32), "w": weight}, node("y", "conv2d", "x", "w", **attrs),
        **{"constant": ("w",), **more},
    )  # fmt: skip


def test_it_applies_where_it_pays() -> None:
    assert winograd(conv(), conv().stages[0]) is not None
    doubles = conv(dtypes={"x": "float64", "w": "float64"})
    assert winograd(doubles, doubles.stages[0]) is not None
    dilated = conv(dilation=2)
    assert winograd(dilated, dilated.stages[0]) is not None


@pytest.mark.parametrize(("batch", "pays"), [(1, False), (16, True)])
def test_it_pays_to_read_more_weights_only_for_many_results(batch: int, pays: bool) -> None:
    made = dag(
        {"x": (batch, 9, 9, 512), "w": (3, 3, 512, 512)}, node("y", "conv2d", "x", "w", dilation=2),
        constant=("w",),
    )  # fmt: skip
    assert (winograd(made, made.stages[0]) is not None) == pays


@pytest.mark.parametrize(
    ("batch", "extent", "share"), [(1, 4, None), (1, 8, Fraction(15, 32)), (16, 4, Fraction(25, 64))]
)
def test_transposed_ones_pay_in_tiles_of_two_or_four(
    batch: int, extent: int, share: Fraction | None
) -> None:
    made = dag(
        {"x": (batch, extent, extent, 2048 // extent), "w": (4, 4, 2048 // extent, 1024 // extent)},
        node("y", "conv2d_transpose", "x", "w", stride=2, padding=1), constant=("w",),
    )  # fmt: skip
    (stage,) = (one for one in made.stages if one.reduce)
    after = winograd(made, stage)
    assert (after is None) == (share is None)
    if after is not None:
        products = next(one for one in after.stages if one.reduce)
        assert Fraction(products.points, stage.points) == share


@pytest.mark.parametrize(
    "more",
    [
        {"stride": 2},
        {"dilation": 5},
        {"groups": 4, "weight": (3, 3, 8, 32)},
        {"groups": 32, "weight": (3, 3, 1, 32)},
        {"weight": (1, 1, 32, 32)},
        {"weight": (7, 7, 32, 32)},
        {"weight": (3, 3, 32, 1)},
        {"constant": ()},
        {"dtypes": {"x": "int8", "w": "int8"}},
    ],
)
def test_it_does_not_apply_elsewhere(more: dict[str, Any]) -> None:
    made = conv(**more)
    assert [winograd(made, stage) for stage in made.stages] == [None] * len(made.stages)


def test_narrow_groups_are_one_axis() -> None:
    made = conv(groups=8, weight=(3, 3, 4, 32))
    after = across(made, made.stages[0])
    assert after is not None
    same(made, after)
    assert [(axis.name, axis.extent) for axis in after.stages[0].axes] == [("h", 10), ("w", 10), ("o", 32)]
    assert after.stages[0].where[-1] == Index.of("o")
    for other in (conv(), conv(groups=4, weight=(3, 3, 8, 32)), conv(groups=32, weight=(3, 3, 1, 32))):
        assert [across(other, stage) for stage in other.stages] == [None]


def test_a_matmul_is_no_correlation() -> None:
    made = dag({"a": (8, 8), "b": (8, 8)}, node("y", "matmul", "a", "b"), constant=("b",))
    assert correlation(made, made.stages[0]) is None


def test_definitions_are_all_choices_of_rewritten_stages() -> None:
    made = dag(
        {"x": (1, 12, 12, 32), "w": (3, 3, 32, 32), "v": (3, 3, 32, 32)},
        node("y", "conv2d", "x", "w"), node("z", "conv2d", "y", "v"), constant=("w", "v"),
    )  # fmt: skip
    found = definitions(made)
    assert [one.rewritten for one in found] == [
        (), (("s0", "winograd"),), (("s1", "winograd"),), (("s0", "winograd"), ("s1", "winograd")),
    ]  # fmt: skip
    assert found[0].dag == made
    for one in found[1:]:
        same(made, one.dag)
    assert definitions(made, ()) == found[:1]


def test_a_choice_is_settled_by_its_place() -> None:
    options = [Const(float(n), "float32") for n in range(7)]
    chosen = choice(Index.of("i") % 7, options)
    assert [settled(chosen, {"i": n}) for n in range(14)] == options * 2
    assert settled(chosen, {"j": 0}) == chosen
    assert choice(Index.of("i"), options[:1]) == options[0]


def test_units_are_cut_at_the_end_of_their_axis() -> None:
    made = changed(conv(), conv().stages[0])
    stage = made.by_name["s0"]
    assert stage.units == (("h", 4), ("w", 4))
    assert (stage.unit("h"), stage.unit("o")) == (4, None)
    small = dag({"x": (1, 5, 9, 8), "w": (3, 3, 8, 8)}, node("y", "conv2d", "x", "w"), constant=("w",))
    assert changed(small, small.stages[0]).by_name["s0"].unit("h") == 3


def install(folder: Path, name: str, rewrite: str) -> None:
    """A distribution with one rewrite, as pip would leave it."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[ansord.rewrites]\n{rewrite} = {name}:rewrite\n")
    (folder / f"{name}.py").write_text(
        "from ansord.dag import Rewrite\n"
        f"rewrite = Rewrite({rewrite!r}, lambda dag, stage: dag if stage.reduce else None)\n"
    )


def test_rewrites_join_by_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert outside_rewrites() == ()
    monkeypatch.syspath_prepend(tmp_path)
    install(tmp_path, "far", "fourier")
    (rewrite,) = outside_rewrites()
    assert rewrite_named("fourier") == rewrite
    assert definitions(conv(), (*REWRITES, rewrite))[-1].rewritten == (("s0", "fourier"),)
    install(tmp_path, "near", "winograd")
    with pytest.raises(ValueError, match="two installed rewrites are named 'winograd'"):
        outside_rewrites()


def test_an_unknown_rewrite_is_an_error() -> None:
    with pytest.raises(KeyError, match="strassen"):
        rewrite_named("strassen")
