"""Axes become one where everybody walks them as one, and nowhere else; every element stays where it was."""

from __future__ import annotations

from math import prod

import numpy as np
from hypothesis import given

from ansord.dag import Dag, collapse, expand
from ansord_client.subgraph import Subgraph
from tests.dag.evaluate import evaluate
from tests.dag.graphs import dag, node
from tests.strategies import subgraphs


def told(graph: Dag) -> list[str]:
    """The stages of the collapsed dag as text."""
    return [str(stage) for stage in collapse(graph).stages]


def test_a_pointwise_convolution_has_rows_and_channels() -> None:
    inputs = {"x": (1, 7, 7, 8), "w": (1, 1, 8, 16), "b": (16,), "r": (1, 7, 7, 16)}
    nodes = [
        node("y", "conv2d", "x", "w"), node("z", "add", "y", "b"), node("t", "add", "z", "r"),
        node("o", "relu", "t"),
    ]  # fmt: skip
    graph = collapse(dag(inputs, *nodes))
    assert [tensor.shape for tensor in graph.inputs] == [(1, 49, 8), (1, 1, 8, 16), (16,), (1, 49, 16)]
    assert str(graph.stages[0]) == "s0[0, w, o] = add(c 8) (a0[0, w, c] * a1[0, 0, c, o])    (w 49, o 16)"
    assert [axis.extent for axis in graph.stages[3].axes] == [1, 49, 16]


def test_with_a_batch_the_images_are_rows_too() -> None:
    graph = collapse(dag({"x": (4, 3, 5, 8), "w": (1, 1, 8, 16)}, node("y", "conv2d", "x", "w")))
    assert str(graph.stages[0]) == "s0[w, o] = add(c 8) (a0[w, c] * a1[0, 0, c, o])    (w 60, o 16)"


def test_strides_and_windows_keep_rows_and_columns_apart() -> None:
    inputs = {"x": (2, 8, 8, 4), "w": (1, 1, 4, 4), "v": (3, 3, 4, 4)}
    for weights, attrs in (("w", {"stride": 2}), ("v", {"padding": 1})):
        graph = dag(inputs, node("y", "conv2d", "x", weights, **attrs), node("z", "relu", "y"))
        assert collapse(graph) == graph


def test_a_reader_with_a_window_keeps_apart_what_it_reads() -> None:
    inputs = {"x": (1, 8, 8, 4), "w": (1, 1, 4, 4)}
    graph = dag(inputs, node("y", "conv2d", "x", "w"), node("p", "max_pool", "y", kernel=2))
    assert collapse(graph) == graph


def test_points_become_flat_but_for_what_is_repeated() -> None:
    graph = dag({"x": (4, 5, 6), "b": (6,)}, node("y", "add", "x", "b"), node("z", "relu", "y"))
    assert told(graph)[0] == "s0[j, k] = (a0[j, k] + a1[k])    (j 20, k 6)"
    assert told(dag({"x": (4, 5, 6)}, node("y", "relu", "x"))) == ["s0[k] = relu(a0[k])    (k 120)"]


def test_reduced_axes_are_joined_with_each_other_alone() -> None:
    graph = dag({"x": (3, 4, 5, 6)}, node("y", "reduce_sum", "x", axes=[1, 2], keepdims=False))
    assert len(collapse(graph).stages[0].reduce) == 1 and len(collapse(graph).stages[0].axes) == 2


def test_a_tensor_read_across_keeps_its_axes() -> None:
    graph = dag({"x": (6, 6)}, node("t", "transpose", "x", perm=[1, 0]), node("y", "add", "x", "t"))
    assert collapse(graph) == graph


@given(subgraphs())
def test_what_is_computed_stays(document: dict[str, object]) -> None:
    graph = expand(Subgraph.from_dict(document))
    fewer = collapse(graph)
    assert [prod(tensor.shape) for tensor in fewer.inputs] == [prod(tensor.shape) for tensor in graph.inputs]
    rng = np.random.default_rng(0)
    arrays = [rng.integers(0, 3, tensor.shape).astype(tensor.dtype) for tensor in graph.inputs]
    flat = [array.reshape(tensor.shape) for array, tensor in zip(arrays, fewer.inputs, strict=True)]
    for found, wanted in zip(evaluate(fewer, flat), evaluate(graph, arrays), strict=True):
        assert np.array_equal(found.reshape(wanted.shape), wanted, equal_nan=True)
    assert collapse(fewer) == fewer
