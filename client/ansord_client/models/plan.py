"""A model cut into tasks, and how they are wired: what a runtime executes and what `warm` submits.

`prepare` runs once, when the weights are there; `steps` run at every call, in order. Every name is in
`values`; each is defined once: by `inputs`, `constants`, a step of `prepare` or one of `steps`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ansord_client.graph import Use
from ansord_client.models.graph import Constant, Foreign, Tensor
from ansord_client.subgraph import Subgraph


@dataclass(frozen=True, slots=True)
class Call:
    """One run of a subgraph: `args` in the order of its inputs, which are C-contiguous. It has one output.

    An arg is constant (an input marked so) exactly where its value is known before the first call.
    """

    subgraph: Subgraph = field(repr=False)
    args: tuple[str, ...]
    result: str

    @property
    def results(self) -> tuple[str, ...]:
        """What it defines."""
        return (self.result,)


@dataclass(frozen=True, slots=True)
class View:
    """The same bytes under another shape: costs nothing."""

    arg: str
    result: str

    @property
    def args(self) -> tuple[str, ...]:
        """What it reads."""
        return (self.arg,)

    @property
    def results(self) -> tuple[str, ...]:
        """What it defines."""
        return (self.result,)


Step = Call | View | Foreign
Array = NDArray[Any]


@dataclass(frozen=True)
class Task:
    """A subgraph and how often a model runs it; `subgraph.uses` says the same to the daemon."""

    subgraph: Subgraph
    count: int

    @property
    def flops(self) -> int:
        """Of all its runs."""
        return self.count * self.subgraph.flops

    @cached_property
    def bytes(self) -> int:
        """What all its runs read and write at least."""
        sg = self.subgraph
        ends = (*sg.inputs, *(sg.tensor(name) for name in sg.outputs))
        return self.count * sum(one.nbytes for one in ends)


@dataclass(frozen=True)
class Plan:
    """A model ready to run. An output may be a constant or an input; several may be one value.

    A call runs all of `steps` for each of `parts` equal parts of the inputs' and outputs' first axis, one
    after the other; `values` says what there is of one."""

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    values: Mapping[str, Tensor] = field(hash=False)
    constants: Mapping[str, Constant] = field(hash=False)
    prepare: tuple[Step, ...]
    steps: tuple[Step, ...]
    parts: int = 1

    @cached_property
    def calls(self) -> tuple[Call, ...]:
        """The steps that kernels run."""
        return tuple(step for step in self.steps if isinstance(step, Call))

    @cached_property
    def foreign(self) -> tuple[Foreign, ...]:
        """The steps that the fallback runs."""
        return tuple(step for step in self.steps if isinstance(step, Foreign))

    @cached_property
    def tasks(self) -> tuple[Task, ...]:
        """Distinct subgraphs by first use, each weighted by how often it runs."""
        runs: dict[str, list[Subgraph]] = {}
        for call in self.calls:
            runs.setdefault(call.subgraph.key, []).append(call.subgraph)
        return tuple(
            Task(replace(same[0], uses=(Use(self.name or None, float(count)),)), count)
            for same in runs.values()
            for count in [len(same) * self.parts]
        )

    def whole(self, name: str) -> Tensor:
        """What an input or an output is to the caller."""
        one = self.values[name]
        return one if self.parts == 1 else Tensor((one.shape[0] * self.parts, *one.shape[1:]), one.dtype)

    def cut(self, arrays: Sequence[Array]) -> Iterator[tuple[Array, ...]]:
        """Views of the caller's arrays for each part."""
        if self.parts == 1:
            yield tuple(arrays)
            return
        yield from zip(*(np.split(array, self.parts) for array in arrays), strict=True)

    @property
    def flops(self) -> int:
        """Of everything, foreign nodes as estimated."""
        return sum(task.flops for task in self.tasks) + self.parts * sum(node.flops for node in self.foreign)
