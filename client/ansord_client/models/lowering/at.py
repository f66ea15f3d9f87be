"""Where a lowering stands: one ONNX node, its attributes, the values that it reads, the results it owes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from ansord_client.dtypes import DTYPES, FLOATS, Number
from ansord_client.models.building import Builder, Laid, NotCovered, Perm, identity
from ansord_client.ops import Shape

Array = NDArray[Any]


class At:
    """A node of the file. `held` has the values that are known so far, by the file's names."""

    def __init__(
        self,
        builder: Builder,
        node: onnx.NodeProto,
        opset: int,
        held: dict[str, Laid],
        reads: Mapping[str, int],
    ) -> None:
        self.builder, self.node, self.opset, self._held, self._reads = builder, node, opset, held, reads
        self.op: str = node.op_type
        self._attrs = {one.name: one for one in node.attribute}

    # Attributes

    def attr(self, name: str, default: Any) -> Any:
        """An attribute as a Python value, text as str."""
        if name not in self._attrs:
            return default
        value = onnx.helper.get_attribute_value(self._attrs[name])
        return value.decode() if isinstance(value, bytes) else value

    def integer(self, name: str, default: int) -> int:
        """An integer attribute."""
        return int(self.attr(name, default))

    def plain_attrs(self) -> dict[str, Any]:
        """Those that are integers, floats, text or lists of them."""
        plain = (int, float, str, list)
        values = {name: self.attr(name, None) for name in self._attrs}
        return {
            name: value
            for name, value in values.items()
            if isinstance(value, plain) and not (isinstance(value, list) and not all(map(_plain, value)))
        }

    # Inputs

    def check_types(self) -> None:
        """Only tensors that our ops can hold: others stay in the file's order, for the fallback."""
        for place in range(len(self.node.input)):
            if self.has(place) and (self.dtype(place) not in DTYPES or 0 in self.shape(place)):
                raise NotCovered(f"{self.op} of {self.dtype(place)} {self.shape(place)}")

    def has(self, place: int) -> bool:
        """Whether an optional input is given."""
        return place < len(self.node.input) and bool(self.node.input[place])

    def laid(self, place: int) -> Laid:
        """An input as it is held."""
        if not self.has(place):
            raise NotCovered(f"input {place} is missing")
        return self._held[self.node.input[place]]

    def name(self, place: int) -> str:
        """An input in the file's order of axes."""
        return self.builder.plain(self.laid(place))

    def shape(self, place: int) -> Shape:
        """An input's shape, as the file means it."""
        return self.builder.meant(self.laid(place))

    def dtype(self, place: int) -> str:
        """An input's element type."""
        return self.builder.values[self.laid(place).name].dtype

    def floats(self, place: int = 0) -> None:
        """Only floats from here."""
        if self.dtype(place) not in FLOATS:
            raise NotCovered(f"{self.op} of {self.dtype(place)}")

    def known(self, place: int) -> Array | None:
        """An input's elements, where they may be looked at."""
        laid = self.laid(place)
        data = self.builder.data(laid.name)
        return None if data is None else np.transpose(data, laid.perm)

    def needed(self, place: int) -> Array:
        """An input's elements, which must be known."""
        array = self.known(place)
        if array is None:
            raise NotCovered(f"input {place} is not known")
        return array

    def ints(self, place: int, attr: str, default: list[int] | None = None) -> list[int] | None:
        """A list of integers that old operator sets have as an attribute, new ones as an input."""
        if self.has(place):
            return [int(item) for item in np.atleast_1d(self.needed(place))]
        value = self.attr(attr, default)
        return None if value is None else [int(item) for item in value]

    def number(self, place: int) -> Number | None:
        """An input of one element that an op takes as a plain number; None: it must stay a tensor."""
        array = self.known(place)
        if array is None or array.size != 1:
            return None
        return as_number(array)

    def sole(self, place: int) -> bool:
        """Whether nothing else reads an input."""
        return self._reads.get(self.node.input[place], 0) == 1

    # Results

    def give(self, name: str, perm: Perm | None = None, output: int = 0) -> None:
        """A result, whose file's order is `name` transposed by `perm`; None: as it is."""
        if output < len(self.node.output) and self.node.output[output]:
            rank = len(self.builder.shape(name))
            self._held[self.node.output[output]] = Laid(name, identity(rank) if perm is None else perm)

    def wants(self, output: int) -> bool:
        """Whether somebody reads a result."""
        names = list(self.node.output)[output : output + 1]
        return any(name and self._reads.get(name, 0) for name in names)

    def complete(self) -> None:
        """Every result that somebody reads was given."""
        for name in self.node.output:
            if name and name not in self._held and self._reads.get(name, 0):
                raise NotCovered(f"no result {name}")

    def only(self, count: int) -> None:
        """Results from `count` on must have no readers."""
        for name in list(self.node.output)[count:]:
            if name and self._reads.get(name, 0):
                raise NotCovered(f"result {name} of {self.op}")

    # Shared by many ops

    def emit(self, op: str, *args: str | Number, unit: str = "", **attrs: Any) -> str:
        """An op of ours."""
        return self.builder.emit(op, *args, unit=unit, **attrs)

    def aligned(self, places: Sequence[int]) -> tuple[list[str], Perm]:
        """Operands that broadcast together, held in one order of axes: that of the largest."""
        laids = [self.laid(place) for place in places]
        rank = max(len(laid.perm) for laid in laids)
        full = [laid for laid in laids if len(laid.perm) == rank and laid.name not in self.builder.known]
        order = max(full, key=lambda laid: (self._size(laid), laid.perm != identity(rank)), default=None)
        perm = order.perm if order else identity(rank)
        return [self._held_as(laid, rank, perm) for laid in laids], perm

    def _size(self, laid: Laid) -> int:
        return int(np.prod(self.builder.shape(laid.name), dtype=object))

    def _held_as(self, laid: Laid, rank: int, perm: Perm) -> str:
        """With leading axes of extent 1 where that is needed, and without where a constant has them."""
        build = self.builder
        if len(laid.perm) < rank and perm != identity(rank):
            plain = build.plain(laid)
            shape = (1,) * (rank - len(laid.perm)) + build.shape(plain)
            laid = Laid(build.reshaped(plain, shape), identity(rank))
        name = build.held(laid, perm) if len(laid.perm) == rank else build.plain(laid)
        shape = build.shape(name)
        if name in build.known and shape[:1] == (1,):
            kept = next((axis for axis, extent in enumerate(shape) if extent != 1), len(shape))
            name = build.reshaped(name, shape[kept:])
        return name


def _plain(value: Any) -> bool:
    return isinstance(value, int | float | str)


def as_number(array: Array) -> Number | None:
    """The one element as Python's number; None where a file cannot say it."""
    value = array.reshape(-1)[0]
    if array.dtype.kind == "f" and not np.isfinite(value):
        return None
    number: Number = value.item()
    return number
