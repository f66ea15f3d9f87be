"""The cases of the table: the paper's operators and shapes, in both batches, as subgraphs."""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ansord_client.subgraph import Subgraph
from examples.make import MAKERS, PAPER

Json = dict[str, Any]

BATCHES = (1, 16)
SINGLE = ("sfm",)
"""Operators without a batch: they stand in the first series alone."""


@dataclass(frozen=True)
class Case:
    """One row. `value`: the subgraph as its file would hold it, its `name` the case's own."""

    operator: str
    number: int
    batch: int
    shape: tuple[int, ...]
    value: Json

    @property
    def name(self) -> str:
        """Such as `c2d_3_b16`, or `gmm_const_1_b1`."""
        return f"{self.operator.lower().replace('-', '_')}_{self.number}_b{self.batch}"

    @cached_property
    def subgraph(self) -> Subgraph:
        return Subgraph.from_dict(self.value)

    @property
    def moved(self) -> int:
        """Bytes of all inputs and outputs, each once: what has to move at least."""
        tensors = [*self.subgraph.inputs, *map(self.subgraph.tensor, self.subgraph.outputs)]
        return sum(math.prod(one.shape) * np.dtype(one.dtype).itemsize for one in tensors)

    def told(self) -> Json:
        """What a peer's process needs to know."""
        return {
            "operator": self.operator,
            "shape": self.shape,
            "batch": self.batch,
            "result": self.subgraph.tensor(self.subgraph.outputs[0]).shape,
            "subgraph": self.value,
        }


def of(operator: str, number: int, batch: int) -> Case:
    """One case; `operator` as the table says it: `C2D`, `GMM-const`."""
    plain, _, constant = operator.lower().partition("-")
    shape = PAPER[plain][number - 1]
    value = MAKERS[plain](f"{plain}_{number}", batch, *shape)
    if constant:
        value = copy.deepcopy(value)
        value["inputs"][1]["constant"] = True
    case = Case(operator, number, batch, shape, value)
    value["name"] = case.name
    return case


def table(batches: Iterable[int] = BATCHES, only: str = "") -> list[Case]:
    """All cases of these batches whose name matches the regular expression `only`, operator by operator."""
    operators = [one.upper() for one in PAPER]
    operators.insert(operators.index("GMM") + 1, "GMM-const")
    found = [
        of(operator, number, batch)
        for batch in batches
        for operator in operators
        for number in range(1, 1 + len(PAPER[operator.lower().partition("-")[0]]))
        if batch == 1 or operator.lower() not in SINGLE
    ]
    return [case for case in found if re.search(only, case.name)]
