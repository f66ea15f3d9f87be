"""Scalar expressions → straight-line C for the points of one register block.

A point is a position inside the block for every axis; along the vector axis it is the number of the
vector. What does not depend on a coordinate is computed once: loads and subexpressions are shared by
the coordinates that they depend on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from ansord.dag import Tensor
from ansord.emit.address import Packed, Region, c_index
from ansord.emit.ctype import CTYPES, literal, short
from ansord.emit.ops import COMPARE, INFIX
from ansord.emit.unit import Lines, Unit
from ansord.nest import Block, Side
from ansord_client.expr import COMPARISONS, LOGIC, AxisValue, Call, Const, Expr, Load, walk
from ansord_client.index import Index

Point = Mapping[str, int]


@dataclass(frozen=True)
class Value:
    """A C expression without side effects; a vector of the block's lanes, or a scalar."""

    text: str
    dtype: str
    vector: bool


@dataclass
class Lowering:
    """The values of one straight-line stretch of C (one leaf of the nest).

    `registers` names what is already in a register: accumulators and earlier epilogue stages, by tensor.
    """

    unit: Unit
    out: Lines
    block: Block
    tensors: Mapping[str, Tensor | Region]
    packed: Mapping[Load, Packed]
    bounds: Mapping[str, tuple[int, int]]
    """Inclusive bounds of every loop variable that may be met."""
    starts: Mapping[str, str | None]
    """Per reduce axis the variable of its outer loop, for packed addresses."""
    origins: Mapping[str, str]
    """Per axis of a placed group the variable at which its region begins."""
    pin: bool = False
    registers: dict[str, Value] = field(default_factory=dict)
    memo: dict[object, Value] = field(default_factory=dict)
    pointers: dict[tuple[str, Index], str] = field(default_factory=dict)
    lazy: bool = False
    lane: int | None = None
    names: int = 0

    def __post_init__(self) -> None:
        self.sides: dict[str, Side] = {s.axis: s for s in (*self.block.spatial, *self.block.reduce)}

    # Coordinates

    def position(self, axis: str, point: Point) -> int:
        """The distance of the point from the block's corner."""
        side = self.sides[axis]
        if axis != self.block.vector:
            return point[axis]
        return point[axis] * side.lanes + (self.lane or 0)

    def filled(self, point: Point) -> int:
        """Lanes of the point's vector that are inside the axis."""
        vector = self.block.vector
        if vector is None:
            return 1
        side = self.sides[vector]
        return min(side.lanes, side.points - point[vector] * side.lanes)

    def corner(self, axis: str) -> Index:
        """The block's first position on the axis."""
        corner = Index.of(self.sides[axis].var or 0)
        return corner + self.origins[axis] if axis in self.origins else corner

    def flat(self, index: Index, point: Point) -> Index:
        """A form over axes at the point, as a form over loop variables."""
        values = {
            axis: self.corner(axis) + self.position(axis, point) for axis in index.axes & self.sides.keys()
        }
        return index.substitute(values).simplify(self.bounds)

    # Values

    def value(self, expr: Expr, point: Point) -> Value:
        """The expression at the point."""
        if isinstance(expr, Const):
            return Value(literal(expr.value, expr.dtype), expr.dtype, False)
        if isinstance(expr, Load) and expr.tensor in self.registers:
            held = self.registers[expr.tensor]
            alone = held.vector and self.lane is not None
            return Value(f"{held.text}[{self.lane}]", held.dtype, False) if alone else held
        if self.lazy or self.lane is not None:
            return self._compute(expr, point)
        key = (expr, tuple((axis, point[axis]) for axis in sorted(axes_of(expr)) if axis in point))
        known = self.memo.get(key)
        if known is None:
            known = self.memo[key] = self._named(self._compute(expr, point))
        return known

    def fresh(self) -> str:
        """A new name."""
        self.names += 1
        return f"V{self.names - 1}"

    def _named(self, value: Value) -> Value:
        if value.text.isidentifier():
            return value
        name = self.fresh()
        self.out(f"const {self.ctype(value)} {name} = {value.text};")
        return Value(name, value.dtype, value.vector)

    def ctype(self, value: Value) -> str:
        """The C type of a value."""
        if value.vector:
            return self.unit.vector(value.dtype, self.block.lanes)
        return CTYPES[value.dtype].name

    def _compute(self, expr: Expr, point: Point) -> Value:
        if isinstance(expr, Load):
            return self._load(expr, point)
        if isinstance(expr, AxisValue):
            return self._axis_value(expr.index, point)
        assert isinstance(expr, Call)
        if expr.op == "where" and is_guard(expr.args[0]):
            return self._guarded(expr, point)
        return self.apply(expr.op, expr.dtype, [self.value(arg, point) for arg in expr.args])

    def apply(self, op: str, dtype: str, args: list[Value]) -> Value:
        """One operation; a vector when an argument is."""
        vector = any(arg.vector for arg in args)
        if op in INFIX and CTYPES[dtype].kind == "float" and (not vector or len(args) == 2):
            return Value(f"({args[0].text} {INFIX[op]} {args[1].text})", dtype, vector)
        if op == "neg" and CTYPES[dtype].kind == "float":
            return Value(f"(-{args[0].text})", dtype, vector)
        if op == "cast" and args[0].dtype == dtype:
            return args[0]
        lanes = self.block.lanes if vector else 1
        texts = [self.broadcast(arg).text if vector else arg.text for arg in args]
        source = args[-1].dtype if op != "where" else dtype
        name = self.unit.call(op, dtype, source, len(args), lanes)
        return Value(f"{name}({', '.join(texts)})", dtype, vector)

    def broadcast(self, value: Value) -> Value:
        """The scalar in every lane."""
        if value.vector:
            return value
        kind = self.unit.vector(value.dtype, self.block.lanes)
        scalar = CTYPES[value.dtype].name
        # x - 0 keeps the sign of zero, and gcc folds it to the bare broadcast.
        return Value(f"(({scalar})({value.text}) - ({kind}){{0}})", value.dtype, True)

    def _axis_value(self, index: Index, point: Point) -> Value:
        vector = self.block.vector
        if vector in index.axes and self.lane is None and self.block.lanes > 1:
            return self._lanes(AxisValue(index), point)
        return Value(f"((__INT64_TYPE__)({c_index(self.flat(index, point), self.bounds)}))", "int64", False)

    # Conditions on positions: what they guard may only be read where they hold

    def _guarded(self, expr: Call, point: Point) -> Value:
        condition, first, second = expr.args
        if self.lane is None and self.block.lanes > 1 and self.block.vector in axes_of(condition):
            return self._lanes(expr, point)
        truth = self._truth(condition, point)
        if truth is not None:
            return self.value(first if truth else second, point)
        before, self.lazy = self.lazy, True
        values = [self.value(first, point), self.value(second, point)]
        self.lazy = before
        vector = any(v.vector for v in values)
        kind = self.ctype(Value("", expr.dtype, vector))
        texts = [f"({kind}){self.broadcast(v).text}" if vector else v.text for v in values]
        return Value(f"({self._condition(condition, point)} ? {texts[0]} : {texts[1]})", expr.dtype, vector)

    def _condition(self, condition: Expr, point: Point) -> str:
        """A condition on positions as C, without the parts that hold in every iteration."""
        if isinstance(condition, Const):
            return literal(condition.value, condition.dtype)
        if isinstance(condition, AxisValue):
            return c_index(self.flat(condition.index, point), self.bounds)
        assert isinstance(condition, Call)
        if condition.op in ("logical_and", "logical_or"):
            neutral = condition.op == "logical_and"
            kept = [arg for arg in condition.args if self._truth(arg, point) is not neutral]
            parts = [self._condition(arg, point) for arg in kept]
            return parts[0] if len(parts) == 1 else f"({(' && ' if neutral else ' || ').join(parts)})"
        texts = [self._condition(arg, point) for arg in condition.args]
        if condition.op == "logical_not":
            return f"!{texts[0]}"
        return texts[0] if condition.op == "cast" else f"({texts[0]} {COMPARE[condition.op]} {texts[1]})"

    def _truth(self, condition: Expr, point: Point) -> bool | None:
        """The condition where it is the same in every iteration."""
        if not isinstance(condition, Call):
            return None
        if condition.op in ("logical_and", "logical_or"):
            sides = [self._truth(arg, point) for arg in condition.args]
            decisive = condition.op == "logical_or"
            if decisive in sides:
                return decisive
            return None if None in sides else not decisive
        left, right = condition.args if len(condition.args) == 2 else (condition, condition)
        if condition.op not in ("less", "less_equal", "greater", "greater_equal"):
            return None
        bounds = [self._bounds(side, point) for side in (left, right)]
        if bounds[0] is None or bounds[1] is None:
            return None
        if condition.op.startswith("greater"):
            bounds.reverse()
        (low, high), (least, most) = bounds  # type: ignore[misc]
        if condition.op in ("less", "greater"):
            return True if high < least else False if low >= most else None
        return True if high <= least else False if low > most else None

    def _bounds(self, expr: Expr, point: Point) -> tuple[int, int] | None:
        if isinstance(expr, Const):
            return int(expr.value), int(expr.value)
        if isinstance(expr, AxisValue):
            return self.flat(expr.index, point).interval(self.bounds)
        return None

    def _lanes(self, expr: Expr, point: Point) -> Value:
        """The vector built from its lanes, each a scalar expression of its own."""
        kind = self.unit.vector(expr.dtype, self.block.lanes)
        texts = []
        for lane in range(self.filled(point)):
            self.lane = lane
            texts.append(self.value(expr, point).text)
        self.lane = None
        return Value(f"({kind}){{{', '.join(texts)}}}", expr.dtype, True)

    # Memory

    def _load(self, load: Load, point: Point) -> Value:
        pointer, const, step = self.address(load, point)
        if self.lane is not None or step == 0 or self.block.lanes == 1:
            return Value(f"{pointer}[{const}]", load.dtype, False)
        lanes, filled = self.block.lanes, self.filled(point)
        if step != 1:
            return self._gather(load, point, pointer, const, step)
        kind = self.unit.vector(load.dtype, lanes)
        padded = load in self.packed and any(side.axis == self.block.vector for side in self.block.spatial)
        if filled == lanes or padded:
            value = Value(f"*(const {kind} *)({pointer} + {const})", load.dtype, True)
        elif self.lazy:
            return self._gather(load, point, pointer, const, step)
        else:
            value = self._part(kind, load.dtype, f"{pointer} + {const}", filled)
        return self._pinned(value) if self.pin and not self.lazy and load.dtype == "float32" else value

    def _gather(self, load: Load, point: Point, pointer: str, const: str, step: int | None) -> Value:
        if step is None or not const.lstrip("-").isdigit():
            return self._lanes(load, point)
        kind = self.unit.vector(load.dtype, self.block.lanes)
        texts = (f"{pointer}[{int(const) + lane * step}]" for lane in range(self.filled(point)))
        return Value(f"({kind}){{{', '.join(texts)}}}", load.dtype, True)

    def _part(self, kind: str, dtype: str, address: str, filled: int) -> Value:
        name = self.fresh()
        self.out(f"{kind} {name} = {{0}};")
        self.out(f"__builtin_memcpy(&{name}, {address}, {filled * CTYPES[dtype].bytes});")
        return Value(name, dtype, True)

    def _pinned(self, value: Value) -> Value:
        name = self.fresh()
        self.out(f"{self.ctype(value)} {name} = {value.text}; PIN({name});")
        return Value(name, value.dtype, True)

    def address(self, load: Load, point: Point) -> tuple[str, str, int | None]:
        """Pointer text, constant offset, and elements from one lane to the next (None: no constant)."""
        packed = self.packed.get(load)
        if packed is not None:
            base, const, stride = self._packed_address(packed, point)
            return self.pointer(f"{load.tensor}p", load.dtype, base), str(const), stride
        offset = offset_of(self.tensors[load.tensor], load)
        vector = self.block.vector
        step: int | None = offset.coefficient(vector) if vector else 0
        if vector is not None and vector in offset.divided:
            step = None
        form = self.flat(offset, point)
        if self.lazy:
            return load.tensor, c_index(form, self.bounds), step
        base = Index(0, form.terms)
        return self.pointer(load.tensor, load.dtype, base), str(form.const), step

    def _packed_address(self, packed: Packed, point: Point) -> tuple[Index, int, int]:
        strides = packed.strides()
        base, const, step = Index(), 0, 0
        for axis, (block, tile) in packed.sizes.items():
            side = self.sides[axis]
            if (axis, "point") in strides:
                base = base + _scaled(side.var, block, strides[axis, "block"])
                const += self.position(axis, point) * strides[axis, "point"]
                if axis == self.block.vector:
                    step = strides[axis, "point"]
                continue
            start = self.starts.get(axis)
            inner = Index.of(side.var or 0)
            if start:
                base = base + _scaled(start, tile, strides[axis, "chunk"])
                inner = inner - Index.of(start)
            base = base + inner * strides[axis, "step"]
            const += self.position(axis, point) * strides[axis, "step"]
            if axis == self.block.vector:
                step = strides[axis, "step"]
        return base, const, step

    def pointer(self, tensor: str, dtype: str, base: Index, write: bool = False) -> str:
        """A pointer to the block's corner in a tensor, declared with its first use."""
        if not base.terms:
            return tensor
        known = self.pointers.get((tensor, base))
        if known is None:
            known = f"P{len(self.pointers)}"
            self.pointers[tensor, base] = known
            const = "" if write else "const "
            self.out(f"{const}{CTYPES[dtype].name} *{known} = {tensor} + {c_index(base, self.bounds)};")
        return known


def _scaled(var: str | None, unit: int, stride: int) -> Index:
    """(var / unit) * stride, for a variable that is a multiple of the unit."""
    if var is None:
        return Index()
    return Index.of(var) * (stride // unit) if stride % unit == 0 else (Index.of(var) // unit) * stride


@lru_cache(maxsize=4096)
def offset_of(tensor: Tensor | Region, load: Load) -> Index:
    """The flat position that a load reads."""
    return tensor.offset(load.index)


@lru_cache(maxsize=4096)
def axes_of(expr: Expr) -> frozenset[str]:
    """The axes on which an expression depends."""
    names: set[str] = set()
    for node in walk(expr):
        if isinstance(node, Load):
            names.update(*(part.axes for part in node.index))
        elif isinstance(node, AxisValue):
            names |= node.index.axes
    return frozenset(names)


@lru_cache(maxsize=4096)
def is_guard(condition: Expr) -> bool:
    """Whether a condition compares positions only, so that it may guard what it makes legal to read."""
    nodes = list(walk(condition))
    return any(isinstance(node, AxisValue) for node in nodes) and all(
        isinstance(node, AxisValue | Const)
        or (isinstance(node, Call) and node.op in COMPARISONS | LOGIC | {"cast"})
        for node in nodes
    )


__all__ = ["Lowering", "Point", "Value", "axes_of", "short"]
