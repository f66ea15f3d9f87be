"""From the parsed `compute` statement to a Definition: types, integer index forms, ranges, bounds.

Called by the row of `compute`. Every refusal points at a character of the expression.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ansord_client.dtypes import FLOATS, NUMBERS, held
from ansord_client.expr import COMPARISONS, LOGIC, AxisValue, Call, Const, Expr, Load
from ansord_client.grammar import Access, Apply, Axis, GrammarError, Number, Part, Statement, parts
from ansord_client.index import Index
from ansord_client.ops.definition import Definition
from ansord_client.ops.elementwise import ROWS
from ansord_client.ops.forms import Forms
from ansord_client.ops.row import Shape

_ACCEPTS = {row.name: row.accepts for row in ROWS}


@dataclass(frozen=True, slots=True)
class _Untyped:
    """A literal before the values beside it say its type."""

    value: int | float
    position: int


def elaborate(
    statement: Statement, shape: Shape, ranges: Mapping[str, int], tensors: Mapping[str, Shape], dtype: str
) -> Definition:
    """The meaning of a statement over tensors of one dtype.

    :raises GrammarError: types, ranges or indices that do not fit, with the position in the text.
    """
    return _Elaboration(statement, shape, ranges, tensors, dtype).definition()


def tensors_read(statement: Statement) -> dict[str, int]:
    """The tensors of a statement by first use, and where."""
    found: dict[str, int] = {}
    for part in parts(statement.value):
        if isinstance(part, Access):
            found.setdefault(part.tensor, part.position)
    return found


class _Elaboration:
    def __init__(
        self,
        statement: Statement,
        shape: Shape,
        ranges: Mapping[str, int],
        tensors: Mapping[str, Shape],
        dtype: str,
    ) -> None:
        self.statement, self.tensors, self.dtype = statement, tensors, dtype
        if len(shape) != len(statement.axes):
            raise GrammarError(
                0, f"{len(statement.axes)} axes on the left", f"{len(shape)}, one per extent of shape"
            )
        self.axes = dict(zip(statement.axes, shape, strict=True))
        self.named = tuple(ranges.items())
        self.reduce = self.reduce_axes(ranges)
        every = {**self.axes, **self.reduce}
        self.forms = Forms({name: (0, extent - 1) for name, extent in every.items()})

    def definition(self) -> Definition:
        body = self.typed(self.value(self.statement.value), self.dtype)
        if self.statement.combiner and body.dtype == "bool":
            position = self.statement.value.position
            raise GrammarError(position, "a condition", "a number to reduce: select(condition, 1, 0)")
        axes, reduce = tuple(self.axes.items()), tuple(self.reduce.items())
        return Definition(axes, reduce, self.statement.combiner, body, self.statement.text, self.named)

    def reduce_axes(self, ranges: Mapping[str, int]) -> dict[str, int]:
        """The axes that are not on the left, by first use; a load that one indexes alone fixes its extent."""
        found: dict[str, int | None] = {}
        where: dict[str, int] = {}
        for part in parts(self.statement.value):
            if isinstance(part, Axis) and part.name not in self.axes:
                found.setdefault(part.name, None)
                where.setdefault(part.name, part.position)
        for part in parts(self.statement.value):
            for place, index in enumerate(part.index) if isinstance(part, Access) else ():
                shape = self.shape_of(part) if isinstance(part, Access) else ()
                if isinstance(index, Axis) and index.name in found and place < len(shape):
                    if found[index.name] not in (None, shape[place]):
                        wanted = f"one extent: {found[index.name]} was fixed before"
                        raise GrammarError(index.position, f"{index.name} over {shape[place]}", wanted)
                    found[index.name] = shape[place]
        return self.with_ranges(found, where, ranges)

    def with_ranges(
        self, found: dict[str, int | None], where: dict[str, int], ranges: Mapping[str, int]
    ) -> dict[str, int]:
        if found and self.statement.combiner is None:
            name = next(iter(found))
            raise GrammarError(
                where[name], f"the axis {name}", "axes of the left side, or += to reduce over it"
            )
        for name in ranges:
            if found.get(name, 0) is not None:
                what = "an axis that a load fixes" if name in found else "no reduce axis"
                raise GrammarError(
                    where.get(name, 0), f"{name} in ranges, {what}", "exactly the axes that nothing fixes"
                )
        for name, extent in found.items():
            if extent is None and name not in ranges:
                wanted = "a load that it alone indexes, or its extent in ranges"
                raise GrammarError(where[name], f"the reduce axis {name} without extent", wanted)
        return {name: ranges[name] if extent is None else extent for name, extent in found.items()}

    def shape_of(self, access: Access) -> Shape:
        if access.tensor not in self.tensors:
            raise GrammarError(access.position, f"the tensor {access.tensor}", "a tensor that args names")
        return self.tensors[access.tensor]

    def value(self, part: Part) -> Expr | _Untyped:
        if isinstance(part, Number):
            return _Untyped(part.value, part.position)
        if isinstance(part, Axis):
            raise GrammarError(part.position, f"the axis {part.name}", "axes only in indices and comparisons")
        if isinstance(part, Access):
            return self.load(part)
        if part.op in ("floordiv", "mod"):
            raise GrammarError(part.position, "// or %", "these only in indices and on axes in comparisons")
        if part.op in COMPARISONS:
            return self.comparison(part)
        if part.op == "neg" and isinstance(part.args[0], Number):
            return _Untyped(-part.args[0].value, part.position)
        return self.apply(part)

    def apply(self, part: Apply) -> Expr:
        args = [self.value(arg) for arg in part.args]
        if part.op == "where":
            condition = self.typed(args[0], "bool")
            self.expect(condition, "bool", part.args[0])
            kind = self.common(args[1:])
            return Call("where", (condition, *self.all_of(args[1:], kind, part.args[1:])), kind)
        kind = "bool" if part.op in LOGIC else self.dtype
        accepts = _ACCEPTS[part.op]
        if kind not in accepts:
            among = (
                "float types" if accepts == FLOATS else "number types" if accepts == NUMBERS else "conditions"
            )
            raise GrammarError(part.position, f"{part.op} of {kind}", f"{part.op} takes {among}")
        typed = self.all_of(args, kind, part.args)
        plain = all(isinstance(arg, Const) for arg in typed[1:])
        if part.op == "clip" and not plain:
            return Call("minimum", (Call("maximum", (typed[0], typed[1]), kind), typed[2]), kind)
        if part.op == "leaky_relu" and not plain:
            positive = Call("greater_equal", (typed[0], self.typed(_Untyped(0, part.position), kind)), "bool")
            return Call("where", (positive, typed[0], Call("mul", (typed[0], typed[1]), kind)), kind)
        return Call(part.op, typed, kind)

    def comparison(self, part: Apply) -> Expr:
        """Of two values, of two integer forms of axes, or of such a form with a value whose type holds it."""
        whole = [self.integer_form(arg) for arg in part.args]
        if all(form is not None for form in whole) and any(form.axes for form in whole if form):
            return Call(part.op, tuple(AxisValue(form) for form in whole if form is not None), "bool")
        sides: list[Expr | _Untyped] = []
        for form, arg in zip(whole, part.args, strict=True):
            if form is not None and form.axes:
                for end in self.forms.bounds(form):
                    if held(end, self.dtype) != end:
                        wanted = f"axes whose values {self.dtype} holds exactly; cast the tensor before"
                        raise GrammarError(arg.position, f"{form} up to {end}", wanted)
                sides.append(Call("cast", (AxisValue(form),), self.dtype))
            else:
                sides.append(self.value(arg))
        kind = self.common(sides)
        return Call(part.op, self.all_of(sides, kind, part.args), "bool")

    def integer_form(self, part: Part) -> Index | None:
        """An integer form of axes; None where the part reads a tensor, calls a function or has a fraction."""
        for inside in parts(part):
            named = isinstance(inside, Apply) and inside.op not in (
                "add",
                "sub",
                "mul",
                "floordiv",
                "mod",
                "neg",
            )
            if (
                named
                or isinstance(inside, Access)
                or (isinstance(inside, Number) and inside.value != int(inside.value))
            ):
                return None
        if not any(isinstance(inside, Axis) for inside in parts(part)) and not isinstance(part, Number):
            return None
        return self.forms.read(part)

    def all_of(self, args: list[Expr | _Untyped], kind: str, where: tuple[Part, ...]) -> tuple[Expr, ...]:
        typed = tuple(self.typed(arg, kind) for arg in args)
        for arg, part in zip(typed, where, strict=True):
            self.expect(arg, kind, part)
        return typed

    def common(self, args: list[Expr | _Untyped]) -> str:
        """The type that the typed ones have; where all are literals, that of the loads."""
        return next((arg.dtype for arg in args if not isinstance(arg, _Untyped)), self.dtype)

    def typed(self, value: Expr | _Untyped, kind: str) -> Expr:
        if not isinstance(value, _Untyped):
            return value
        number = held(value.value, kind)
        if number is None:
            raise GrammarError(value.position, f"the number {value.value}", f"a number that {kind} holds")
        return Const(int(number) if kind == "bool" else number, kind)

    def expect(self, value: Expr, kind: str, part: Part) -> None:
        if value.dtype != kind:
            names = {"bool": "a condition"}
            found, wanted = names.get(value.dtype, "a number"), names.get(kind, "a number")
            raise GrammarError(part.position, found, wanted)

    def load(self, access: Access) -> Load:
        shape = self.shape_of(access)
        if len(access.index) != len(shape):
            raise GrammarError(
                access.position,
                f"{len(access.index)} indices of {access.tensor}",
                f"{len(shape)}, one per axis",
            )
        forms = []
        for part, extent in zip(access.index, shape, strict=True):
            form = self.forms.read(part)
            outside = self.forms.inside(form, extent)
            if outside is not None:
                found = f"an index of {access.tensor} from {outside[0]} to {outside[1]}"
                wanted = f"0 to {extent - 1} over the full ranges of its axes; use pad"
                raise GrammarError(part.position, found, wanted)
            forms.append(form)
        return Load(access.tensor, tuple(forms), self.dtype)
