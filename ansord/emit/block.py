"""The leaves of a nest in C: accumulators that are each a variable of their own, their updates, and the
epilogue on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from ansord.dag import Stage, settled
from ansord.emit.address import c_index
from ansord.emit.ahead import Ahead
from ansord.emit.ctype import CTYPES, literal
from ansord.emit.frame import Frame, Point, Scope
from ansord.emit.lower import Lowering, Value
from ansord.emit.stream import PIECE
from ansord.emit.unit import Lines, Unit
from ansord.nest import Block, Clear, Fetch, Finish, GroupNest, Leaf, Plan, Side, Spill, along
from ansord_client.expr import Call, Expr, at
from ansord_client.index import Index

_LIMITS = {
    "int8": (-(2**7), 2**7 - 1),
    "uint8": (0, 2**8 - 1),
    "int32": (-(2**31), 2**31 - 1),
    "int64": (-(2**63), 2**63 - 1),
    "bool": (0, 1),
}


def start_of(combiner: str, dtype: str) -> float | int:
    """The combiner's neutral value."""
    if combiner in ("add", "mul"):
        return 0 if combiner == "add" else 1
    low, high = _LIMITS.get(dtype, (float("-inf"), float("inf")))
    return low if combiner == "maximum" else high


def points(sides: tuple[Side, ...], vector: str | None) -> Iterator[dict[str, int]]:
    """Every point of the sides, the vector axis fastest: one broadcast serves a row of vectors."""
    order = sorted(sides, key=lambda side: side.axis == vector)
    counts = [range(side.vectors if side.axis == vector else side.points) for side in order]
    names = [side.axis for side in order]
    for values in product(*counts):
        yield dict(zip(names, values, strict=True))


class BlockEmitter:
    """Writes the leaves of one group, as its plan says."""

    def __init__(self, unit: Unit, nest: GroupNest, scope: Scope, plan: Plan) -> None:
        self.unit, self.nest, self.scope, self.plan = unit, nest, scope, plan
        self.stage: Stage = nest.group.stage
        self.dtype = self.stage.tensor.dtype
        # Epilogue stages, written over the axes of the anchor through the element that it stores.
        self.epilogue: list[tuple[Stage, Expr]] = []
        self.stores = {self.stage.name: self.stage.where}
        for stage in nest.group.epilogue:
            values = along(stage, self.stage)
            self.epilogue.append((stage, at(stage.body, values)))
            self.stores[stage.name] = tuple(part.substitute(values) for part in stage.where)
        self.ahead: Ahead | None = None
        """What is asked for beside each update, in the loops that are being written."""
        names = [stage.name for stage in nest.group.writes]
        self.offsets = {name: scope.tensors[name].offset(self.stores[name]) for name in names}

    def declare(self, block: Block, out: Lines) -> None:
        """The accumulators of a block, without values."""
        names = [self._accumulator(block, point) for point in self._slots(block)]
        for start in range(0, len(names), 12):
            out(f"{self._kind(block)} {', '.join(names[start : start + 12])};")

    def leaf(self, leaf: Leaf, out: Lines) -> None:
        """One leaf, in a scope of its own."""
        out.open("{")
        match leaf:
            case Clear():
                self._clear(leaf.block, out)
            case Fetch() | Spill():
                self._memory(leaf, out)
            case Finish():
                self._finish(leaf.block, out)
            case _:
                self._update(leaf.block, out)
        out.close()

    def _kind(self, block: Block) -> str:
        return self.unit.vector(self.dtype, block.lanes) if block.lanes > 1 else CTYPES[self.dtype].name

    def _slots(self, block: Block) -> Iterator[dict[str, int]]:
        """One point per accumulator: the spatial block, times the vectors of a vectorised reduce axis."""
        lanes = tuple(side for side in block.reduce if side.axis == block.vector)
        return points((*block.spatial, *lanes), block.vector)

    def _accumulator(self, block: Block, point: Point) -> str:
        names = [side.axis for side in block.spatial]
        names += [side.axis for side in block.reduce if side.axis == block.vector]
        return "acc" + "".join(f"_{point[name]}" for name in names)

    def _neutral(self, lowering: Lowering) -> Value:
        assert self.stage.combiner is not None
        value = Value(literal(start_of(self.stage.combiner, self.dtype), self.dtype), self.dtype, False)
        return lowering.broadcast(value) if lowering.lanes > 1 else value

    def _clear(self, block: Block, out: Lines) -> None:
        start = self._neutral(Lowering(self.unit, out, Frame(block, self.scope)))
        for point in self._slots(block):
            out(f"{self._accumulator(block, point)} = {start.text};")

    def _memory(self, leaf: Fetch | Spill, out: Lines) -> None:
        """Accumulators from or to the tile's memory: the vector axis fastest, whole vectors."""
        block = leaf.block
        pairs = list(zip(block.spatial, self.nest.memory, strict=True))
        strides, stride, base = {}, 1, Index()
        for side, (first, extent) in sorted(pairs, key=lambda pair: pair[0].axis != block.vector):
            strides[side.axis] = stride * side.lanes
            base = base + (Index.of(side.var or 0) - (first or 0)) * stride
            stride *= extent
        element, kind = CTYPES[self.dtype].name, self._kind(block)
        out(f"{element} *M = ({element} *)tile + {c_index(base, self.scope.bounds)};")
        for point in self._slots(block):
            place = f"*({kind} *)(M + {sum(point[axis] * step for axis, step in strides.items())})"
            name = self._accumulator(block, point)
            out(f"{place} = {name};" if isinstance(leaf, Spill) else f"{name} = {place};")

    def _update(self, block: Block, out: Lines) -> None:
        lowering = Lowering(self.unit, out, Frame(block, self.scope), bool(self.plan.pin))
        if self.ahead is not None:
            self.ahead.ask(out)
        assert self.stage.combiner is not None
        written = tuple(side for side in block.reduce if side.axis != block.vector)
        for outer in points(written, None):
            for inner in self._slots(block):
                point = outer | inner
                value = self._masked(lowering, lowering.value(self.stage.body, point), point)
                name = self._accumulator(block, point)
                sum_so_far = Value(name, self.dtype, block.lanes > 1)
                out(f"{name} = {lowering.apply(self.stage.combiner, self.dtype, [sum_so_far, value]).text};")

    def _masked(self, lowering: Lowering, value: Value, point: Point) -> Value:
        """Beyond the end of a vectorised reduce axis the addend is the neutral value."""
        filled = lowering.frame.filled(point)
        if not lowering.frame.reduces_lanes or filled == lowering.lanes:
            return value
        kind = self.unit.vector("bool", lowering.lanes)
        inside = Value(f"({kind}){{{', '.join(['1'] * filled)}}}", "bool", True)
        return lowering.apply("where", value.dtype, [inside, value, self._neutral(lowering)])

    def _finish(self, block: Block, out: Lines) -> None:
        wide = Frame(block, self.scope)
        # Once the lanes of a vectorised reduction are added up, everything is scalar.
        frame = Frame(Block(block.spatial, (), 1, None), self.scope) if wide.reduces_lanes else wide
        members = frozenset({self.stage.name, *(stage.name for stage, _ in self.epilogue)})
        lowering = Lowering(self.unit, out, frame, members=members)
        for test, alike in _by_test(block.spatial, points(block.spatial, frame.block.vector)).items():
            with lowering.where(f"if ({test}) {{" if test else ""):
                for guard, same in self._by_guard(lowering, alike).items():
                    self._points(lowering, wide, guard, same)

    def _points(self, lowering: Lowering, wide: Frame, guard: str, alike: list[Point]) -> None:
        """The values of points, and their stores; what one `guard` decides for several is asked once."""
        if not guard or len(alike) == 1:
            for point in alike:
                self._point(lowering, wide, self._chosen(point), point)
            return
        assert isinstance(self.stage.body, Call)
        for head, body in zip((f"if ({guard}) {{", "else {"), self.stage.body.args[1:], strict=True):
            with lowering.where(head):
                for point in alike:
                    self._point(lowering, wide, body, point)

    def _point(self, lowering: Lowering, wide: Frame, body: Expr, point: Point) -> None:
        lowering.next_point()
        lowering.registers[self.stage.name] = self._result(lowering, wide, body, point)
        for stage, value in self.epilogue:
            lowering.registers[stage.name] = lowering.value(value, point)
        for stage in self.nest.group.writes:
            self._store(lowering, stage, lowering.registers[stage.name], point)

    def _chosen(self, point: Point) -> Expr:
        """The body; where points have expressions of their own, this one's."""
        units = {axis: point[axis] for axis, _ in self.stage.units}
        return settled(self.stage.body, units) if units.keys() <= self.scope.units.keys() else self.stage.body

    def _by_guard(self, lowering: Lowering, among: list[Point]) -> dict[str, list[Point]]:
        """The points by the condition that chooses between two bodies; empty where there is none to ask."""
        body = self.stage.body
        if self.stage.reduce or self.stage.units or not isinstance(body, Call) or body.op != "where":
            return {"": among}
        found: dict[str, list[Point]] = {}
        for point in among:
            found.setdefault(lowering.guard(body.args[0], point), []).append(point)
        return found

    def _result(self, lowering: Lowering, wide: Frame, body: Expr, point: Point) -> Value:
        """The anchor's value: computed here, in an accumulator, or in the lanes of several."""
        if not self.stage.reduce:
            return lowering.value(body, point)
        if not wide.reduces_lanes:
            return Value(self._accumulator(wide.block, point), self.dtype, lowering.lanes > 1)
        assert self.stage.combiner is not None
        vectors = Lowering(self.unit, lowering.out, wide)
        parts = [
            Value(self._accumulator(wide.block, slot), self.dtype, True)
            for slot in self._slots(wide.block)
            if all(slot[axis] == place for axis, place in point.items())
        ]
        while len(parts) > 1:
            pairs = zip(parts[::2], parts[1::2], strict=False)
            joined = [vectors.apply(self.stage.combiner, self.dtype, list(pair)) for pair in pairs]
            parts = joined + parts[len(parts) & ~1 :]
        fold = self.unit.fold(self.stage.combiner, self.dtype, wide.block.lanes)
        return Value(f"{fold}({parts[0].text})", self.dtype, False)

    def _store(self, lowering: Lowering, stage: Stage, value: Value, point: Point) -> None:
        frame, out, tensor = lowering.frame, lowering.out, self.scope.tensors[stage.name]
        offset = self.offsets[stage.name]
        form = frame.flat(offset, point)
        vector = frame.block.vector
        if vector is None:
            pointer = lowering.pointer(tensor.name, tensor.dtype, Index(0, form.terms), write=True)
            out(f"{pointer}[{form.const}] = {value.text};")
            return
        filled, lanes = frame.filled(point), lowering.lanes
        held = lowering.named(lowering.broadcast(value)).text
        step = frame.step(offset, point)
        if step is None:
            for lane in range(filled):
                place = c_index(frame.flat(offset, point, lane), self.scope.bounds)
                out(f"{tensor.name}[{place}] = {held}[{lane}];")
            return
        pointer = lowering.pointer(tensor.name, tensor.dtype, Index(0, form.terms), write=True)
        if step == 1 and filled == lanes:
            place = f"{pointer} + {form.const}"
            plain = f"*({self.unit.vector(tensor.dtype, lanes)} *)({place}) = {held};"
            if self.plan.stream and frame.even(form, PIECE // CTYPES[tensor.dtype].bytes):
                out(f"if (streamed) {self.unit.stream(tensor.dtype, lanes)}({place}, {held});")
                plain = f"else {plain}"
            out(plain)
        elif step == 1:
            out(
                f"__builtin_memcpy({pointer} + {form.const}, &{held}, {filled * CTYPES[tensor.dtype].bytes});"
            )
        else:
            for lane in range(filled):
                out(f"{pointer}[{form.const + lane * step}] = {held}[{lane}];")


def _by_test(sides: Sequence[Side], among: Iterator[Point]) -> dict[str, list[Point]]:
    """The points by the condition under which they are inside, which is empty for the first of them."""
    found: dict[str, list[Point]] = {}
    for point in among:
        cut = ((side, point[side.axis], side.extent) for side in sides if side.extent is not None)
        tests = (f"{s.var}+{place} < {end}" for s, place, end in cut if place >= end % s.points)
        found.setdefault(" && ".join(tests), []).append(point)
    return found
