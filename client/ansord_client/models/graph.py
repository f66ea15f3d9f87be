"""A model as a value: our ops over named tensors, channels last, with all shapes known.

Made by `onnx` (the importer), cut by `partition`. Nothing here reads a file or computes a number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansord_client.dtypes import Number
from ansord_client.ops import Shape


@dataclass(frozen=True, slots=True)
class Tensor:
    """Shape and NumPy's name of the element type; only values around foreign nodes have types beyond ours."""

    shape: Shape
    dtype: str


@dataclass(frozen=True, slots=True)
class Extent:
    """Little-endian elements in a file: `file` is relative to the model's folder; "" is the model itself."""

    file: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Constant:
    """A weight. `data`: its bytes (C order, little-endian), where they lie, or None where they are missing.

    What a model is cut into never depends on bytes that lie in files.
    """

    shape: Shape
    dtype: str
    data: bytes | Extent | None = field(repr=False)

    @property
    def tensor(self) -> Tensor:
        """Its type."""
        return Tensor(self.shape, self.dtype)


@dataclass(frozen=True, slots=True)
class Op:
    """One op of the client's table: `args` are names of values or plain numbers, `attrs` as a file has them.

    Ops that share a `unit` (not "") are one computation, a norm say, of which only the last has readers.
    """

    op: str
    args: tuple[str | Number, ...]
    attrs: Mapping[str, Any] = field(hash=False)
    result: str
    unit: str = ""

    @property
    def reads(self) -> tuple[str, ...]:
        """The values among the args."""
        return tuple(arg for arg in self.args if isinstance(arg, str))

    @property
    def results(self) -> tuple[str, ...]:
        """What it defines."""
        return (self.result,)


@dataclass(frozen=True, slots=True)
class Foreign:
    """A node that our ops do not cover; `fallback.run` computes it.

    `node` is ONNX's NodeProto, serialised, of operator set `opset`; `args` and `results` in its order, "" for
    what it leaves out; `attrs` are its plain attributes. `flops` is an estimate.
    """

    op: str
    args: tuple[str, ...]
    results: tuple[str, ...]
    node: bytes = field(repr=False)
    opset: int
    attrs: Mapping[str, Any] = field(default_factory=dict, hash=False)
    flops: int = 0

    @property
    def reads(self) -> tuple[str, ...]:
        """The values among the args."""
        return tuple(arg for arg in self.args if arg)


@dataclass(frozen=True, slots=True)
class Model:
    """`nodes` are topological; every name is in `values`. Inputs and outputs are in the file's order, names
    and layout. What depends on constants alone is found by `partition`."""

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    values: Mapping[str, Tensor] = field(hash=False)
    constants: Mapping[str, Constant] = field(hash=False)
    nodes: tuple[Op | Foreign, ...]
