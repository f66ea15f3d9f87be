"""What is to be computed: tensor expressions, immutable, in topological order.

Made by `expand` from a subgraph; read by the analyses, the sketch rules and the emitter. Says nothing
about how: no tile, no thread, no layout.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from math import prod

from ansord_client.expr import Call, Expr, Load, loads
from ansord_client.index import Index


@dataclass(frozen=True)
class Axis:
    """A loop dimension, 0 … extent - 1; its name is unique inside its stage."""

    name: str
    extent: int


@dataclass(frozen=True)
class Tensor:
    """A contiguous array: an argument of the kernel, or what a stage writes."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    constant: bool = False

    @property
    def size(self) -> int:
        """Elements."""
        return prod(self.shape)

    @cached_property
    def strides(self) -> tuple[int, ...]:
        """Elements from one index to the next, per axis."""
        return tuple(prod(self.shape[axis + 1 :]) for axis in range(len(self.shape)))

    def offset(self, index: Iterable[Index]) -> Index:
        """The flat position, in elements, of one element."""
        total = Index()
        for part, stride in zip(index, self.strides, strict=True):
            total = total + part * stride
        return total

    def unravel(self, offset: Index, ranges: dict[str, tuple[int, int]]) -> tuple[Index, ...]:
        """The index of a flat position; `offset` must stay inside the tensor."""
        bounds = dict(ranges)
        return tuple(
            ((offset // stride) % extent).simplify(bounds) if extent > 1 else Index()
            for stride, extent in zip(self.strides, self.shape, strict=True)
        )


@dataclass(frozen=True)
class Stage:
    """One tensor expression: for all `axes`, tensor[index] = body, or the reduction of body.

    `index` maps the loop axes to the element that is written, one to one; most often it is the axes
    themselves. `combiner` is None, or add, mul, maximum, minimum over every point of `reduce`.
    `units`: axes that are computed so many points at a time, from a multiple of that number on: the body is
    a `choice` among those points, so each of them has an expression of its own.
    """

    tensor: Tensor
    axes: tuple[Axis, ...]
    body: Expr
    reduce: tuple[Axis, ...] = ()
    combiner: str | None = None
    index: tuple[Index, ...] | None = None
    units: tuple[tuple[str, int], ...] = ()

    def __post_init__(self) -> None:
        if self.index is None:
            object.__setattr__(self, "index", tuple(Index.of(axis.name) for axis in self.axes))
        if bool(self.reduce) != (self.combiner is not None):
            raise ValueError(f"{self.name}: a combiner goes with reduce axes")
        if prod(axis.extent for axis in self.axes) != self.tensor.size:
            raise ValueError(f"{self.name}: axes do not cover {self.tensor.shape}")

    @property
    def name(self) -> str:
        return self.tensor.name

    @property
    def where(self) -> tuple[Index, ...]:
        """`index`, for the type checker."""
        assert self.index is not None
        return self.index

    @cached_property
    def in_place(self) -> bool:
        """Whether the axes are the indices of the element that is written, one each and in order."""
        return self.where == tuple(Index.of(axis.name) for axis in self.axes)

    @cached_property
    def ranges(self) -> dict[str, tuple[int, int]]:
        """Inclusive bounds of every axis."""
        return {axis.name: (0, axis.extent - 1) for axis in (*self.axes, *self.reduce)}

    def unit(self, axis: str) -> int | None:
        """The points of an axis that are computed together, none beyond its end; None where that is free."""
        known = next((points for name, points in self.units if name == axis), None)
        return known and min(known, next(one.extent for one in self.axes if one.name == axis))

    @cached_property
    def loads(self) -> tuple[Load, ...]:
        """The distinct reads of the body."""
        return loads(self.body)

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """The distinct tensors read."""
        return tuple(dict.fromkeys(load.tensor for load in self.loads))

    @property
    def points(self) -> int:
        """Spatial points times reduce points."""
        return prod(axis.extent for axis in (*self.axes, *self.reduce))

    @property
    def value(self) -> str:
        """The body as text; of a choice by place only how many there are, and the first of them."""
        if not self.units:
            return str(self.body)
        first, count = self.body, prod(self.unit(axis) or 1 for axis, _ in self.units)
        while isinstance(first, Call) and first.op == "where":
            first = first.args[1]
        return f"one of {count} by {', '.join(axis for axis, _ in self.units)}, the first {first}"

    def __str__(self) -> str:
        target = f"{self.name}[{', '.join(map(str, self.where))}]"
        spatial = ", ".join(f"{axis.name} {axis.extent}" for axis in self.axes)
        if not self.reduce:
            return f"{target} = {self.value}    ({spatial})"
        reduced = ", ".join(f"{axis.name} {axis.extent}" for axis in self.reduce)
        return f"{target} = {self.combiner}({reduced}) {self.body}    ({spatial})"


@dataclass(frozen=True)
class Dag:
    """Inputs in call order, stages in topological order, outputs in call order."""

    inputs: tuple[Tensor, ...]
    stages: tuple[Stage, ...]
    outputs: tuple[str, ...]

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.inputs, self.stages, self.outputs))

    @cached_property
    def tensors(self) -> dict[str, Tensor]:
        """Every tensor by name."""
        made = (stage.tensor for stage in self.stages)
        return {tensor.name: tensor for tensor in (*self.inputs, *made)}

    @cached_property
    def by_name(self) -> dict[str, Stage]:
        """Every stage by name."""
        return {stage.name: stage for stage in self.stages}

    @cached_property
    def readers(self) -> dict[str, tuple[str, ...]]:
        """For each tensor, the stages that read it, in order."""
        result: dict[str, tuple[str, ...]] = {name: () for name in self.tensors}
        for stage in self.stages:
            for name in stage.reads:
                result[name] = (*result[name], stage.name)
        return result

    def __str__(self) -> str:
        lines = [
            f"{tensor.name}: {tensor.dtype}{list(tensor.shape)}{' constant' if tensor.constant else ''}"
            for tensor in self.inputs
        ]
        lines += [str(stage) for stage in self.stages]
        return "\n".join([*lines, f"outputs: {', '.join(self.outputs)}", ""])
