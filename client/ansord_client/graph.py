"""The values that a subgraph is made of; `reader` makes them, `subgraph` holds them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ansord_client.dtypes import DTYPES, Number
from ansord_client.ops import Shape


@dataclass(frozen=True, slots=True)
class Input:
    """A tensor that the caller gives; `constant` marks a weight, which may be laid out once."""

    name: str
    shape: Shape
    dtype: str
    constant: bool = False

    @property
    def nbytes(self) -> int:
        """Of all elements."""
        return math.prod(self.shape) * DTYPES[self.dtype].bytes


@dataclass(frozen=True, slots=True)
class Node:
    """One op: `args` are names of tensors or plain numbers, `attrs` have their normal form, defaults filled.

    `shape` and `dtype` are the result's.
    """

    name: str
    op: str
    args: tuple[str | Number, ...]
    attrs: Mapping[str, Any] = field(hash=False)
    shape: Shape
    dtype: str

    @property
    def reads(self) -> tuple[str, ...]:
        """The tensors among the args."""
        return tuple(arg for arg in self.args if isinstance(arg, str))

    @property
    def nbytes(self) -> int:
        """Of all elements of the result."""
        return math.prod(self.shape) * DTYPES[self.dtype].bytes


@dataclass(frozen=True, slots=True)
class Tuning:
    """What the sender asks for: trials in total for the key on a host, seconds spent on the task."""

    trials: int = 256
    seconds: float = 600.0
    cold: bool = False
    priority: int = 0
    deadline_s: float | None = None


@dataclass(frozen=True, slots=True)
class Use:
    """A model that runs the subgraph `weight` times; `model` is None where the file names none."""

    model: str | None
    weight: float
    target_ms: float | None = None


class Contents(NamedTuple):
    """What a file says, checked."""

    inputs: tuple[Input, ...]
    nodes: tuple[Node, ...]
    outputs: tuple[str, ...]
    numerics: str
    name: str
    uses: tuple[Use, ...]
    tuning: Tuning
