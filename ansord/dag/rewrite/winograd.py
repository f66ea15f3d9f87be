"""Winograd convolution: F(4x4, 3x3) needs 36 products where the convolution has 144.

Source: Lavin and Gray, Fast Algorithms for Convolutional Neural Networks (2015). In one to three dimensions
and more, two of them at a time; tiles beyond the input's end read zeros from a stage of their own. What is
dilated, or transposed, becomes dense convolutions of phases first; without the transforms that alone would
save nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from math import prod

from ansord.dag.dag import Axis, Dag, Stage, Tensor
from ansord.dag.rewrite.correlation import Correlation, Window, correlation
from ansord.dag.rewrite.extend import extended
from ansord.dag.rewrite.interpolation import counts, interpolation
from ansord.dag.rewrite.passes import Dimension, Pass, Tiles, backward, forward, weighted
from ansord.dag.rewrite.phases import by_phases
from ansord.dag.rewrite.upright import upright
from ansord_client.expr import Call, Load

TRANSFORM = 8
"""Multiply-adds that the transforms of one element cost, passes over memory included. A guess on the
low side: where it errs, the search has one definition more to measure."""
READ = 8
"""Multiply-adds that reading a weight from memory costs. A guess on the low side too."""

CACHED = 2**21
"""Weights that stay in the caches from call to call."""


def winograd(dag: Dag, stage: Stage) -> Dag | None:
    """Winograd: tiles of the input and the weights are transformed, multiplied point by point (a matmul for
    each point), and transformed back, where that takes fewer operations than the convolution. Of a dilated
    one, every phase of the input is a convolution of its own; of a transposed one, every phase of the result.

    before: y[h, w, o] = sum(kh, kw, c) x[h + kh, w + kw, c] * k[kh, kw, c, o]
    after:  v[e, th, tw, c] = forward of x[th*4 + 0…5, tw*4 + 0…5, c];  u[e, c, o] = the same of k, at packing
            m[e, th, tw, o] = sum(c) v[e, th, tw, c] * u[e, c, o]
            y[h, w, o] = inverse of m[0…35, h//4, w//4, o], at h % 4, w % 4
    """
    made = dense(dag, stage)
    if made is None:
        return None
    found = made[-1]
    tiles = tiles_of(found)
    return transformed(*made, tiles) if tiles and _pays(stage, found, tiles) else None


def dense(dag: Dag, stage: Stage) -> tuple[Dag, Stage, Correlation] | None:
    """The dag, the stage and its windows, once none of them is dilated; None where it is no convolution."""
    dag, stage = upright(dag, stage)
    found = correlation(dag, stage)
    if found and any(window.dilation > 1 for window in found.windows):
        dag, stage = by_phases(dag, stage, found)
        found = correlation(dag, stage)
    return (dag, stage, found) if found else None


def transformed(dag: Dag, stage: Stage, found: Correlation, tiles: tuple[Tiles, ...]) -> Dag:
    """The rewritten dag; stages named after the old one, which keeps its name and shape."""
    passes = tuple(tiles[max(0, end - 2) : end] for end in range(len(tiles), 0, -2))
    dag, source = extended(dag, stage, found, {one.window.dimension: _reach(one) for one in tiles})
    inputs = _inputs(stage.name, found, source, passes)
    weights = _weights(stage.name, found, dag.tensors[found.weight.tensor], passes)
    products = _products(stage.name, found, inputs[-1], weights[-1])
    new = (*inputs, *weights, products, *_results(stage, products, passes))
    stages = tuple(made for one in dag.stages for made in (new if one.name == stage.name else (one,)))
    return Dag(dag.inputs, stages, dag.outputs)


def tiles_of(found: Correlation) -> tuple[Tiles, ...] | None:
    """All windows in the tiles that cost least, of equals those with fewer weights; None where a window has
    one or many taps. Small images of many channels have small tiles: large ones have more weights to read."""
    fits = [_fits(window) for window in found.windows]
    return min(
        product(*fits), key=lambda tiles: (_cost(found, tiles), *(one.results for one in tiles)), default=None
    )


def _fits(window: Window) -> list[Tiles]:
    """The tiles that there are for a window."""
    taps = window.tap.extent
    return [Tiles(window, interpolation(count, taps)) for count in counts(taps)]


def _cost(found: Correlation, tiles: Sequence[Tiles]) -> int:
    """Of the products and the transforms of all tiles, weights read included, in multiply-adds."""
    inner, outer, batch = _sizes(found)
    points = batch * prod(one.axis.extent * one.products for one in tiles)
    weights = _kernels(found) * prod(one.products for one in tiles)
    return points * (inner * outer + TRANSFORM * (inner + outer)) + _read(weights)


def _pays(stage: Stage, found: Correlation, tiles: Sequence[Tiles]) -> bool:
    weights = _kernels(found) * prod(one.window.tap.extent for one in tiles)
    return _cost(found, tiles) < stage.points + _read(weights)


def _read(weights: int) -> int:
    """What reading so many costs, in multiply-adds."""
    return READ * max(0, weights - CACHED)


def _kernels(found: Correlation) -> int:
    """Weights of one tap."""
    return prod(axis.extent for axis in (found.channel, *found.out, *found.group))


def _sizes(found: Correlation) -> tuple[int, ...]:
    """Channels, out channels, and what else runs over all images alike."""
    return tuple(prod(axis.extent for axis in axes) for axes in ((found.channel,), found.out, found.batch))


def _reach(tiles: Tiles) -> int:
    """Points of the input that whole tiles read along the dimension."""
    return tiles.window.first + tiles.axis.extent * tiles.results + tiles.products - tiles.results


def _inputs(name: str, found: Correlation, source: Tensor, passes: Sequence[Pass]) -> list[Stage]:
    windows = {one.dimension: one for one in found.windows}
    others = {axis.name: axis for axis in (*found.batch, found.channel)}
    dimensions: list[Dimension] = []
    for place, (part, extent) in enumerate(zip(found.source.index, source.shape, strict=True)):
        window = windows.get(place)
        dimensions.append(Axis(window.space.name, extent) if window else others.get(str(part)))
    made: list[Stage] = []
    for number, together in enumerate(passes):
        made.append(forward(f"{name}v{number}", number, together, source, dimensions))
        source, dimensions = made[-1].tensor, list(made[-1].axes)
    return made


def _weights(name: str, found: Correlation, weight: Tensor, passes: Sequence[Pass]) -> list[Stage]:
    """In float64 until the last: it happens once."""
    taps = (one.tap for one in found.windows)
    known = {axis.name: axis for axis in (found.channel, *found.group, *found.out, *taps)}
    dimensions = [known[str(part)] if part.terms else None for part in found.weight.index]
    made: list[Stage] = []
    for number, together in enumerate(passes):
        dtype = found.weight.dtype if number == len(passes) - 1 else "float64"
        made.append(weighted(f"{name}u{number}", number, together, weight, dimensions, dtype))
        weight, dimensions = made[-1].tensor, list(made[-1].axes)
    return made


def _products(name: str, found: Correlation, inputs: Stage, weights: Stage) -> Stage:
    """A matmul for every point: tiles times channels times out channels."""
    axes = (*(axis for axis in inputs.axes if axis != found.channel), *found.out)
    loads = [Load(stage.name, stage.where, stage.tensor.dtype) for stage in (inputs, weights)]
    dtype = inputs.tensor.dtype
    tensor = Tensor(f"{name}m", tuple(axis.extent for axis in axes), dtype)
    return Stage(tensor, axes, Call("mul", tuple(loads), dtype), (found.channel,), "add")


def _results(stage: Stage, products: Stage, passes: Sequence[Pass]) -> list[Stage]:
    """The last points first; the last stage is the one that was."""
    made = [products]
    for number, together in reversed(list(enumerate(passes))):
        name = f"{stage.name}w{number}" if number else stage.name
        made.append(backward(name, together, made[-1]))
    last = made[-1]
    return [*made[1:-1], replace(last, tensor=stage.tensor, axes=stage.axes, index=stage.where)]
