"""Transposed convolutions without multiplications by inserted zeros: one dense convolution per phase.

y[o] sums x[i] · w[k] over i·stride + k·dilation = o + before. With g = gcd(stride, dilation), S = stride / g
and D = dilation / g, only the phases p = o mod stride where g divides p + before get anything. There, with
u = (p + before) / g, the taps are k = (u / D mod S) + S·t and the elements i = o div stride + (u - D·k) / S.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, product
from math import gcd, prod

from ansord.dag.dag import Axis, Tensor
from ansord.dag.expand.scope import Scope, read, read_outside, spatial, surrounded
from ansord.dag.words import call, cast, choose, compare, number, ranges
from ansord_client.expr import Expr
from ansord_client.graph import Node
from ansord_client.index import Index

MOST = 16
"""Convolutions that one becomes; also the points of the result that are put together at a time."""


@dataclass(frozen=True)
class Part:
    """Phases of one dimension, from `first` on, that are computed together: with equally many taps, or with
    zeros appended to the kernel (to the weights, which are laid out once) for those that have fewer."""

    first: int
    phase: Axis
    step: Axis
    taps: Axis
    source: Index
    tap: Index
    gap: Index
    """A form over the result's axis, zero where there is anything to add."""

    @property
    def end(self) -> int:
        """The first phase behind them."""
        return self.first + self.phase.extent

    @property
    def point(self) -> Index:
        """Which of them."""
        return Index.of(self.phase.name if self.phase.extent > 1 else 0)

    @property
    def bounds(self) -> dict[str, tuple[int, int]]:
        """Of all axes."""
        return ranges(self.phase, self.step, self.taps)


@dataclass(frozen=True)
class Dimension:
    """One spatial dimension of the result, cut into phases."""

    axis: Axis
    stride: int
    parts: tuple[Part, ...]

    @property
    def whole(self) -> bool:
        """Whether one part is all of it, no more and no less, without gaps."""
        (part, *others) = self.parts
        covers = part.phase.extent * part.step.extent == self.axis.extent
        return covers and not others and part.taps.extent > 0 and part.gap == Index()


def transposed(node: Node, args: tuple[Tensor, Tensor], scope: Scope) -> Tensor:
    """A dense convolution for each choice of parts; unless one is all, a last stage puts them together."""
    source, weight = args
    cut = _dimensions(node, weight, alike=True)
    if prod(len(one.parts) for one in cut) > MOST:
        cut = _dimensions(node, weight, alike=False)
    spans = [(0, source.shape[0] - 1), *map(_span, cut), (0, source.shape[-1] - 1)]
    padded, lows = surrounded(scope, source, spans, number(0, source.dtype))
    if all(one.whole for one in cut):
        parts = tuple(one.parts[0] for one in cut)
        place = [Index.of(p.step.name) * one.stride + p.point for one, p in zip(cut, parts, strict=True)]
        return _dense(node, padded, lows, weight, parts, scope, [Index.of("n"), *place, Index.of("o")])
    made = {
        parts: _dense(node, padded, lows, weight, parts, scope)
        for parts in product(*(one.parts for one in cut))
        if all(part.taps.extent for part in parts)
    }
    units = [(one.axis.name, one.stride) for one in cut if one.stride > 1]
    return scope.stage(
        node.shape,
        [Axis("n", node.shape[0]), *(one.axis for one in cut), Axis("o", node.shape[-1])],
        _together(node, cut, made),
        units=units if prod(stride for _, stride in units) <= MOST else (),
    )


def _dense(
    node: Node,
    padded: Tensor,
    lows: Sequence[int],
    weight: Tensor,
    parts: Sequence[Part],
    scope: Scope,
    place: Sequence[Index] | None = None,
) -> Tensor:
    """y[n, *phases, *steps, o], or at `place`. The phases come first: between them only weights change."""
    phases = [part.phase for part in parts if part.phase.extent > 1]
    axes = [Axis("n", node.shape[0]), *phases, *(part.step for part in parts), Axis("o", node.shape[-1])]
    reduce = [*(part.taps for part in parts), Axis("c", padded.shape[-1])]
    at = [Index.of("n"), *(part.source for part in parts), Index.of("c")]
    x = read(padded, [part - low for part, low in zip(at, lows, strict=True)])
    taps = [*(part.tap for part in parts), Index.of("c"), Index.of("o")]
    w = read_outside(scope, weight, taps, [*axes, *reduce], number(0, weight.dtype))
    addend = call("mul", cast(x, node.dtype), cast(w, node.dtype))
    shape = node.shape if place else [axis.extent for axis in axes]
    return scope.stage(shape, axes, addend, reduce=reduce, combiner="add", index=place)


def _together(
    node: Node, cut: Sequence[Dimension], made: Mapping[tuple[Part, ...], Tensor], *chosen: Part
) -> Expr:
    """At each place what its phases got, zero where they have no taps: chosen dimension by dimension."""
    zero = number(0, node.dtype)
    if len(chosen) == len(cut):
        if chosen not in made:
            return zero
        points = [Index.of(one.axis.name) for one in cut]
        phases = [
            point % one.stride - part.first
            for point, one, part in zip(points, cut, chosen, strict=True)
            if part.phase.extent > 1
        ]
        steps = [point // one.stride for point, one in zip(points, cut, strict=True)]
        gaps = [compare("equal", part.gap, 0) for part in chosen if part.gap != Index()]
        value = read(made[chosen], [Index.of("n"), *phases, *steps, Index.of("o")])
        return choose(gaps, value, zero)
    one = cut[len(chosen)]
    *others, last = one.parts
    value = _together(node, cut, made, *chosen, last)
    for part in reversed(others):
        before = compare("less", Index.of(one.axis.name) % one.stride, part.end)
        value = choose([before], _together(node, cut, made, *chosen, part), value)
    return value


def _dimensions(node: Node, weight: Tensor, alike: bool) -> list[Dimension]:
    """`alike`: each part has phases with equally many taps; else there is one part."""
    space, taps = spatial(node.shape[1:-1]), spatial(weight.shape[:-2], "k")
    attrs = (node.attrs[name] for name in ("stride", "dilation", "padding"))
    return [
        Dimension(axis, stride, _parts(axis, tap, stride, dilation, before, alike))
        for axis, tap, stride, dilation, (before, _) in zip(space, taps, *attrs, strict=True)
    ]


def _parts(axis: Axis, taps: Axis, stride: int, dilation: int, before: int, alike: bool) -> tuple[Part, ...]:
    common = gcd(stride, dilation)
    every, apart = stride // common, dilation // common
    inverse = pow(apart, -1, every)

    def count(phase: int) -> int:
        reached, remainder = divmod(phase + before, common)
        return 0 if remainder else len(range(reached * inverse % every, taps.extent, every))

    def part(phases: Sequence[int]) -> Part:
        phase = Axis(f"p{axis.name}", len(phases))
        reached = (Index.of(phase.name if len(phases) > 1 else 0) + phases[0] + before) // common
        first = reached * inverse % every
        return Part(
            first=phases[0],
            phase=phase,
            step=Axis(axis.name, -(-(axis.extent - phases[0]) // stride)),
            taps=Axis(taps.name, max(map(count, phases))),
            source=Index.of(axis.name) + (reached - first * apart) // every - Index.of(taps.name) * apart,
            tap=first + Index.of(taps.name) * every,
            gap=(Index.of(axis.name) + before) % common if len(phases) > 1 else Index(),
        )

    phases = range(min(stride, axis.extent))
    runs = [list(run) for _, run in groupby(phases, count)] if alike else [phases]
    return tuple(map(part, runs))


def _span(dimension: Dimension) -> tuple[int, int]:
    """First and last element that is read."""
    spans = [part.source.interval(part.bounds) for part in dimension.parts if part.taps.extent]
    return min((low for low, _ in spans), default=0), max((high for _, high in spans), default=0)
