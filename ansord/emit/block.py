"""The leaves of a nest in C: accumulators that are each a variable of their own, their updates, and the
epilogue on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from ansord.dag import Stage, Tensor
from ansord.emit.address import Packed, Region, c_index
from ansord.emit.ctype import CTYPES, literal
from ansord.emit.lower import Lowering, Point, Value
from ansord.emit.unit import Lines, Unit
from ansord.nest import Block, Clear, Fetch, Finish, Group, GroupNest, Leaf, Side, Spill, along
from ansord_client.expr import Load, at
from ansord_client.index import Index

INFINITY = float("inf")
_LIMITS = {"int8": (-(2**7), 2**7 - 1), "uint8": (0, 2**8 - 1), "int32": (-(2**31), 2**31 - 1),
           "int64": (-(2**63), 2**63 - 1), "bool": (0, 1)}  # fmt: skip


def start_of(combiner: str, dtype: str) -> float | int:
    """The combiner's neutral value."""
    if combiner in ("add", "mul"):
        return 0 if combiner == "add" else 1
    low, high = _LIMITS.get(dtype, (-INFINITY, INFINITY))
    return low if combiner == "maximum" else high


def points(sides: tuple[Side, ...], vector: str | None) -> Iterator[dict[str, int]]:
    """Every point of the sides, the vector axis fastest: one broadcast serves a row of vectors."""
    order = sorted(sides, key=lambda side: side.axis == vector)
    counts = [range(side.vectors if side.axis == vector else side.points) for side in order]
    names = [side.axis for side in order]
    for values in product(*counts):
        yield dict(zip(names, values, strict=True))


@dataclass
class BlockEmitter:
    """Writes the leaves of one group."""

    unit: Unit
    nest: GroupNest
    tensors: Mapping[str, Tensor | Region]
    packed: Mapping[Load, Packed]
    bounds: Mapping[str, tuple[int, int]]
    starts: Mapping[str, str | None]
    origins: Mapping[str, str]
    pin: bool

    def __post_init__(self) -> None:
        self.group: Group = self.nest.group
        self.stage: Stage = self.group.stage
        # Epilogue stages, written over the axes of the anchor through the element that it stores.
        values = [along(stage, self.stage) for stage in self.group.epilogue]
        self.epilogue = [(s, at(s.body, v)) for s, v in zip(self.group.epilogue, values, strict=True)]
        self.stores = {self.stage.name: self.stage.where} | {
            stage.name: tuple(part.substitute(v) for part in stage.where)
            for stage, v in zip(self.group.epilogue, values, strict=True)
        }

    def declare(self, block: Block, out: Lines) -> None:
        """The accumulators of a block, without values."""
        kind = self._kind(block)
        names = [self._accumulator(block, p) for p in self._slots(block)]
        for start in range(0, len(names), 12):
            out(f"{kind} {', '.join(names[start : start + 12])};")

    def leaf(self, leaf: Leaf, out: Lines) -> None:
        """One leaf, in a scope of its own."""
        match leaf:
            case Clear():
                self._clear(leaf.block, out)
            case Fetch() | Spill():
                self._memory(leaf, out)
            case Finish():
                out.open("{")
                self._finish(leaf.block, out)
                out.close()
            case _:
                out.open("{")
                self._update(leaf.block, out)
                out.close()

    def _lowering(self, block: Block, out: Lines, pin: bool = False) -> Lowering:
        return Lowering(
            self.unit, out, block, self.tensors, self.packed, self.bounds, self.starts, self.origins, pin
        )

    def _kind(self, block: Block) -> str:
        dtype = self.stage.tensor.dtype
        return self.unit.vector(dtype, block.lanes) if block.lanes > 1 else CTYPES[dtype].name

    def _slots(self, block: Block) -> Iterator[dict[str, int]]:
        """One point per accumulator: the spatial block, times the vectors of a vectorised reduce axis."""
        lanes = tuple(side for side in block.reduce if side.axis == block.vector)
        return points((*block.spatial, *lanes), block.vector)

    def _accumulator(self, block: Block, point: Point) -> str:
        names = [side.axis for side in block.spatial]
        names += [side.axis for side in block.reduce if side.axis == block.vector]
        return "acc" + "".join(f"_{point[name]}" for name in names)

    def _clear(self, block: Block, out: Lines) -> None:
        assert self.stage.combiner is not None
        dtype = self.stage.tensor.dtype
        start = literal(start_of(self.stage.combiner, dtype), dtype)
        if block.lanes > 1:
            kind = self._kind(block)
            start = (
                f"({kind}){{0}}"
                if start in ("0", "0.0", "0.0f", "0L")
                else f"(({CTYPES[dtype].name}){start} - ({kind}){{0}})"
            )
        for point in self._slots(block):
            out(f"{self._accumulator(block, point)} = {start};")

    def _memory(self, leaf: Fetch | Spill, out: Lines) -> None:
        block, kind = leaf.block, self._kind(leaf.block)
        out.open("{")
        strides = self._tile_strides(block)
        base = Index()
        for side, (first, _) in zip(block.spatial, self.nest.memory, strict=True):
            base = base + (Index.of(side.var or 0) - Index.of(first or 0)) * strides[side.axis]
        element = CTYPES[self.stage.tensor.dtype].name
        out(f"{element} *M = ({element} *)tile + {c_index(base, self.bounds)};")
        for point in self._slots(block):
            offset = sum(
                point[side.axis] * (side.lanes if side.axis == block.vector else 1) * strides[side.axis]
                for side in block.spatial
            )
            name = self._accumulator(block, point)
            place = f"*({kind} *)(M + {offset})"
            out(f"{place} = {name};" if isinstance(leaf, Spill) else f"{name} = {place};")
        out.close()

    def _tile_strides(self, block: Block) -> dict[str, int]:
        """The tile's layout: the vector axis fastest, whole vectors."""
        order = sorted(
            zip(block.spatial, self.nest.memory, strict=True), key=lambda pair: pair[0].axis != block.vector
        )
        strides, stride = {}, 1
        for side, (_, extent) in order:
            strides[side.axis] = stride
            stride *= extent
        return strides

    def _update(self, block: Block, out: Lines) -> None:
        lowering = self._lowering(block, out, self.pin)
        combiner = self.stage.combiner
        assert combiner is not None
        dtype = self.stage.tensor.dtype
        written = tuple(side for side in block.reduce if side.axis != block.vector)
        for outer in points(written, None):
            for inner in self._slots(block):
                point = outer | inner
                value = lowering.value(self.stage.body, point)
                value = self._masked(lowering, value, point)
                name = self._accumulator(block, point)
                total = lowering.apply(combiner, dtype, [Value(name, dtype, block.lanes > 1), value])
                out(f"{name} = {total.text};")

    def _masked(self, lowering: Lowering, value: Value, point: Point) -> Value:
        """Beyond the end of a vectorised reduce axis the addend is the neutral value."""
        block = lowering.block
        reduced = any(side.axis == block.vector for side in block.reduce)
        filled = lowering.filled(point)
        if not reduced or block.lanes == 1 or filled == block.lanes:
            return value
        assert self.stage.combiner is not None
        neutral = Value(literal(start_of(self.stage.combiner, value.dtype), value.dtype), value.dtype, False)
        kind = self.unit.vector("bool", block.lanes)
        inside = Value(f"({kind}){{{', '.join(['1'] * filled)}}}", "bool", True)
        return lowering.apply("where", value.dtype, [inside, value, neutral])

    def _finish(self, block: Block, out: Lines) -> None:
        lowering = self._lowering(block, out)
        horizontal = any(side.axis == block.vector for side in block.reduce)
        scalar = Block(block.spatial, (), 1, None) if horizontal else block
        if horizontal:
            lowering = self._lowering(scalar, out)
        for point in points(block.spatial, block.vector):
            # A vector of the block is named by its accumulators, so registers are set point by point.
            lowering.registers = {}
            lowering.memo = {k: v for k, v in lowering.memo.items() if self._shared(k)}
            lowering.registers[self.stage.name] = self._value(block, lowering, point, horizontal)
            for stage, body in self.epilogue:
                value = lowering.value(body, point)
                lowering.registers[stage.name] = value
            for stage in self.group.writes:
                self._store(lowering, stage, lowering.registers[stage.name], point)

    def _shared(self, key: object) -> bool:
        """Whether a computed value does not read a register, so that it holds for other points too."""
        assert isinstance(key, tuple)
        names = {self.stage.name, *(stage.name for stage, _ in self.epilogue)}
        return not names & _reads(key[0])

    def _value(self, block: Block, lowering: Lowering, point: Point, horizontal: bool) -> Value:
        stage = self.stage
        if not stage.reduce:
            return lowering.value(stage.body, point)
        if not horizontal:
            return Value(self._accumulator(block, point), stage.tensor.dtype, block.lanes > 1)
        assert stage.combiner is not None
        dtype = stage.tensor.dtype
        wide = self._lowering(block, lowering.out)
        parts = [
            Value(self._accumulator(block, p), dtype, True)
            for p in self._slots(block)
            if all(p[axis] == position for axis, position in point.items())
        ]
        while len(parts) > 1:
            pairs = zip(parts[::2], parts[1::2], strict=False)
            joined = [wide.apply(stage.combiner, dtype, list(pair)) for pair in pairs]
            parts = joined + parts[len(parts) & ~1 :]
        name = self.unit.fold(stage.combiner, dtype, block.lanes)
        return Value(f"{name}({parts[0].text})", dtype, False)

    def _store(self, lowering: Lowering, stage: Stage, value: Value, point: Point) -> None:
        block, out, tensor = lowering.block, lowering.out, self.tensors[stage.name]
        offset = tensor.offset(self.stores[stage.name])
        form = lowering.flat(offset, point)
        base = Index(0, form.terms)
        vector = block.vector
        if vector is None or block.lanes == 1:
            pointer = lowering.pointer(tensor.name, tensor.dtype, base, write=True)
            out(f"{pointer}[{form.const}] = {value.text};")
            return
        filled = lowering.filled(point)
        step = offset.coefficient(vector) if vector not in offset.divided else None
        wide = lowering._named(lowering.broadcast(value))
        kind = self.unit.vector(tensor.dtype, block.lanes)
        if step is None:
            for lane in range(filled):
                lowering.lane = lane
                place = c_index(lowering.flat(offset, point), lowering.bounds)
                out(f"{tensor.name}[{place}] = {wide.text}[{lane}];")
            lowering.lane = None
            return
        pointer = lowering.pointer(tensor.name, tensor.dtype, base, write=True)
        if step == 1 and filled == block.lanes:
            out(f"*({kind} *)({pointer} + {form.const}) = {wide.text};")
        elif step == 1:
            size = filled * CTYPES[tensor.dtype].bytes
            out(f"__builtin_memcpy({pointer} + {form.const}, &{wide.text}, {size});")
        else:
            for lane in range(filled):
                out(f"{pointer}[{form.const + lane * step}] = {wide.text}[{lane}];")


def _reads(expr: object) -> frozenset[str]:
    from ansord_client.expr import loads

    return frozenset(load.tensor for load in loads(expr))  # type: ignore[arg-type]
