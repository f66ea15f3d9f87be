"""Scalar expressions → straight-line C for the points of one register block.

What does not depend on a coordinate is computed once: loads and subexpressions are shared by the
coordinates that they depend on.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from math import gcd

from ansord.dag import Tensor
from ansord.emit.address import Region, c_index
from ansord.emit.ctype import CTYPES, literal
from ansord.emit.frame import Frame, Grains, Point
from ansord.emit.guard import condition_text, is_guard, truth
from ansord.emit.ops import INFIX
from ansord.emit.pack import Laid
from ansord.emit.unit import Lines, Unit
from ansord_client.expr import AxisValue, Call, Const, Expr, Load
from ansord_client.index import Atom, Index, Quotient

PIECES = 4
"""Different elements in a vector, up to which they are broadcast and put together."""


@dataclass(frozen=True)
class Value:
    """A C expression without side effects; a vector of the block's lanes, or a scalar."""

    text: str
    dtype: str
    vector: bool


@dataclass
class Lowering:
    """The values of one straight-line stretch of C (one leaf of the nest).

    `registers` names what is already in a register, by tensor: accumulators and earlier epilogue stages. What
    reads one of `members`, the tensors that come and go with a point, is remembered until `next_point`.
    Under a guard (`lazy`) nothing is hoisted into a statement; inside a `lane` everything is a scalar.
    """

    unit: Unit
    out: Lines
    frame: Frame
    pin: bool = False
    members: frozenset[str] = frozenset()
    registers: dict[str, Value] = field(default_factory=dict)
    memo: dict[object, Value] = field(default_factory=dict)
    of_point: dict[object, Value] = field(default_factory=dict)
    pointers: dict[tuple[str, Index], str] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)
    lazy: bool = False
    lane: int | None = None
    names: int = 0

    @property
    def lanes(self) -> int:
        """Lanes of the block's vectors; 1 where there are none."""
        return self.frame.block.lanes

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
        key = (expr, self.frame.cell(grains_of(expr), point))
        memo = self.memo if self.members.isdisjoint(tensors_of(expr)) else self.of_point
        known = memo.get(key)
        if known is None:
            known = memo[key] = self.named(self._compute(expr, point))
        return known

    def next_point(self) -> None:
        """Registers are those of one point; what was computed without them holds for the next one too."""
        self.registers = {}
        self.of_point = {}

    @contextmanager
    def where(self, head: str) -> Iterator[None]:
        """A stretch in a scope of its own (without a head: in this one): names given in it end with it."""
        if not head:
            yield
            return
        known = self.memo, self.written, self.pointers
        self.memo, self.written, self.pointers = dict(self.memo), dict(self.written), dict(self.pointers)
        self.out.open(head)
        yield
        self.out.close()
        self.memo, self.written, self.pointers = known

    def named(self, value: Value) -> Value:
        """The value in a variable."""
        if value.text.isidentifier():
            return value
        name = self.written.get(value.text)
        if name is None:
            name = self.written[value.text] = self._fresh()
            self.out(f"const {self._ctype(value.dtype, value.vector)} {name} = {value.text};")
        return Value(name, value.dtype, value.vector)

    def _fresh(self) -> str:
        self.names += 1
        return f"V{self.names - 1}"

    def _ctype(self, dtype: str, vector: bool) -> str:
        return self.unit.vector(dtype, self.lanes) if vector else CTYPES[dtype].name

    def _compute(self, expr: Expr, point: Point) -> Value:
        if isinstance(expr, Load):
            return self._load(expr, point)
        if isinstance(expr, AxisValue):
            if self._varies(expr):
                return self._lane_by_lane(expr, point)
            form = self.frame.flat(expr.index, point, self.lane)
            text = c_index(form, self.frame.scope.bounds)
            return Value(f"((__INT64_TYPE__)({text}))", "int64", False)
        assert isinstance(expr, Call)
        if expr.op == "where" and is_guard(expr.args[0]):
            return self._guarded(expr, point)
        return self.apply(expr.op, expr.dtype, [self.value(arg, point) for arg in expr.args])

    def _varies(self, expr: Expr) -> bool:
        """Whether the lanes of a vector see different values of a form."""
        return self.lane is None and self.lanes > 1 and self.frame.block.vector in axes_of(expr)

    def apply(self, op: str, dtype: str, args: list[Value]) -> Value:
        """One operation; a vector when an argument is."""
        vector = any(arg.vector for arg in args)
        if op in INFIX and CTYPES[dtype].kind == "float":
            return Value(f"({args[0].text} {INFIX[op]} {args[1].text})", dtype, vector)
        if op == "neg" and CTYPES[dtype].kind == "float":
            return Value(f"(-{args[0].text})", dtype, vector)
        if op == "cast" and args[0].dtype == dtype:
            return args[0]
        texts = [self.broadcast(arg).text if vector else arg.text for arg in args]
        source = args[-1].dtype if op != "where" else dtype
        name = self.unit.call(op, dtype, source, len(args), self.lanes if vector else 1)
        return Value(f"{name}({', '.join(texts)})", dtype, vector)

    def broadcast(self, value: Value) -> Value:
        """The scalar in every lane."""
        if value.vector:
            return value
        kind, scalar = self._ctype(value.dtype, True), CTYPES[value.dtype].name
        # x - 0 keeps the sign of zero, and gcc folds it to the bare broadcast.
        return Value(f"(({scalar})({value.text}) - ({kind}){{0}})", value.dtype, True)

    def _guarded(self, expr: Call, point: Point) -> Value:
        condition, first, second = expr.args
        if self._varies(condition):
            return self._lane_by_lane(expr, point)
        known = truth(condition, self.frame, point, self.lane)
        if known is not None:
            return self.value(first if known else second, point)
        before, self.lazy = self.lazy, True
        values = [self.value(first, point), self.value(second, point)]
        self.lazy = before
        vector = any(v.vector for v in values)
        kind = self._ctype(expr.dtype, vector)
        texts = [f"({kind}){self.broadcast(v).text}" if vector else v.text for v in values]
        test = condition_text(condition, self.frame, point, self.lane)
        return Value(f"({test} ? {texts[0]} : {texts[1]})", expr.dtype, vector)

    def guard(self, condition: Expr, point: Point) -> str:
        """The condition as text, where it is one on the place that all lanes share; empty where it is known,
        or must be computed."""
        if not is_guard(condition) or self._varies(condition):
            return ""
        known = truth(condition, self.frame, point, None)
        return condition_text(condition, self.frame, point, None) if known is None else ""

    def _lane_by_lane(self, expr: Expr, point: Point) -> Value:
        """The vector built from its lanes, each a scalar expression of its own."""
        texts = []
        for lane in range(self.frame.filled(point)):
            self.lane = lane
            texts.append(self.value(expr, point).text)
        self.lane = None
        return Value(f"({self._ctype(expr.dtype, True)}){{{', '.join(texts)}}}", expr.dtype, True)

    # Memory

    def _load(self, load: Load, point: Point) -> Value:
        if load in self.frame.scope.packed:
            return self._packed(load, point)
        offset = offset_of(self.frame.scope.tensors[load.tensor], load)
        vector = self.frame.block.vector
        if self.lane is None and vector is not None and vector in offset.divided:
            return self._pieces(load, offset, point) or self._lane_by_lane(load, point)
        step = offset.coefficient(vector) if vector and self.lane is None and self.lanes > 1 else 0
        form = self.frame.flat(offset, point, self.lane)
        if self.lazy:
            # Not even the address is computed before the guard has been asked.
            if step not in (0, 1):
                return self._lane_by_lane(load, point)
            pointer, const = load.tensor, c_index(form, self.frame.scope.bounds)
        else:
            pointer = self.pointer(load.tensor, load.dtype, Index(0, form.terms))
            const = str(form.const)
        return self._read(load, point, pointer, const, step, padded=False)

    def _pieces(self, load: Load, offset: Index, point: Point) -> Value | None:
        """A vector of few different elements, each in lanes side by side: their broadcasts, put together."""
        forms = [self.frame.flat(offset, point, lane) for lane in range(self.frame.filled(point))]
        places = list(dict.fromkeys(form.const for form in forms))
        if self.lazy or len(places) > PIECES or any(form.terms != forms[0].terms for form in forms):
            return None
        pointer = self.pointer(load.tensor, load.dtype, Index(0, forms[0].terms))
        parts = [
            self.named(self.broadcast(self.named(Value(f"{pointer}[{place}]", load.dtype, False))))
            for place in places
        ]
        made = parts[0]
        for number, part in enumerate(parts[1:], 1):
            chosen = (lane + self.lanes * (form.const == places[number]) for lane, form in enumerate(forms))
            mask = ", ".join(map(str, (*chosen, *range(len(forms), self.lanes))))
            join = self.unit.join(load.dtype, self.lanes)
            made = self.named(Value(f"{join}({made.text}, {part.text}, {mask})", load.dtype, True))
        return made

    def _packed(self, load: Load, point: Point) -> Value:
        packed = self.frame.scope.packed[load]
        base, const, step = self.frame.packed_at(packed, point, self.lane)
        if self.lane is not None or self.lanes == 1:
            step = 0
        pointer = self.pointer(packed.name, load.dtype, base)
        return self._read(load, point, pointer, str(const), step, padded=not self.frame.reduces_lanes)

    def _read(self, load: Load, point: Point, pointer: str, const: str, step: int, *, padded: bool) -> Value:
        """One element, a vector in one piece, or a vector of elements `step` apart; `padded`: whole vectors
        may be read where only some lanes count."""
        if step == 0:
            return Value(f"{pointer}[{const}]", load.dtype, False)
        kind, filled = self._ctype(load.dtype, True), self.frame.filled(point)
        if step == 1 and (filled == self.lanes or padded):
            value = Value(f"*(const {kind} *)({pointer} + {const})", load.dtype, True)
            pinned = self.pin and not self.lazy and CTYPES[load.dtype].kind == "float"
            return self._pinned(value) if pinned else value
        if step == 1 and not self.lazy:
            name = self._fresh()
            self.out(f"{kind} {name} = {{0}};")
            size = filled * CTYPES[load.dtype].bytes
            self.out(f"__builtin_memcpy(&{name}, {pointer} + {const}, {size});")
            return Value(name, load.dtype, True)
        if self.lazy:
            return self._lane_by_lane(load, point)
        texts = (f"{pointer}[{int(const) + lane * step}]" for lane in range(filled))
        return Value(f"({kind}){{{', '.join(texts)}}}", load.dtype, True)

    def _pinned(self, value: Value) -> Value:
        """In a register, once: points of a window may share a vector by different expressions."""
        name = self.written.get(value.text)
        if name is None:
            name = self.written[value.text] = self._fresh()
            self.out(f"{self._ctype(value.dtype, True)} {name} = {value.text}; PIN({name});")
        return Value(name, value.dtype, True)

    def pointer(self, tensor: str, dtype: str, base: Index, write: bool = False) -> str:
        """A pointer to the block's corner in a tensor, declared with its first use."""
        if not base.terms:
            return tensor
        known = self.pointers.get((tensor, base))
        if known is None:
            known = f"P{len(self.pointers)}"
            self.pointers[tensor, base] = known
            const = "" if write else "const "
            text = c_index(base, self.frame.scope.bounds)
            self.out(f"{const}{CTYPES[dtype].name} *{known} = {tensor} + {text};")
        return known


@lru_cache(maxsize=4096)
def offset_of(tensor: Tensor | Region | Laid, load: Load) -> Index:
    """The flat position that a load reads."""
    return tensor.offset(load.index)


@lru_cache(maxsize=1 << 15)
def tensors_of(expr: Expr) -> frozenset[str]:
    """The tensors that an expression reads."""
    if isinstance(expr, Load):
        return frozenset((expr.tensor,))
    return frozenset().union(*map(tensors_of, expr.args)) if isinstance(expr, Call) else frozenset()


@lru_cache(maxsize=1 << 15)
def grains_of(expr: Expr) -> Grains:
    """The axes on which an expression depends, and how finely: 4 for one that stands only in `axis // 4`."""
    if isinstance(expr, Call):
        found = [grain for arg in expr.args for grain in grains_of(arg)]
    elif isinstance(expr, Load | AxisValue):
        parts = expr.index if isinstance(expr, Load) else (expr.index,)
        found = [grain for part in parts for atom, _ in part.terms for grain in _grains(atom)]
    else:
        found = []
    grains: dict[str, int] = {}
    for axis, grain in found:
        grains[axis] = gcd(grains.get(axis, 0), grain)
    return tuple(sorted(grains.items()))


def _grains(atom: Atom) -> Grains:
    match atom:
        case str():
            return ((atom, 1),)
        case Quotient(numerator=Index(const=0, terms=((str() as axis, 1),)), divisor=divisor):
            return ((axis, divisor),)
    return tuple((axis, 1) for axis in atom.numerator.axes)


def axes_of(expr: Expr) -> frozenset[str]:
    """The axes on which an expression depends."""
    return frozenset(axis for axis, _ in grains_of(expr))
