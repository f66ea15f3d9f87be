"""What exporters spell out in several ops and we have as one: gelu, silu, layer_norm, padded convolutions.

Called at the end of the import. Each rewriting gives the same values up to rounding; what it leaves without
readers is dropped.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ansord_client.models.graph import Foreign, Model, Op

Arg = Any
Pattern = Any
"""A name (anything, the same wherever the name stands), a number (within 0.1%), or (op, pattern, …)."""

_COMMUTES = frozenset({"add", "mul"})


@dataclass
class _Match:
    names: dict[str, Arg] = field(default_factory=dict)
    ops: list[Op] = field(default_factory=list)

    def all_of(self, op: str) -> list[Op]:
        return [one for one in self.ops if one.op == op]


@dataclass(frozen=True)
class Rule:
    """`make` gives the op in place of the pattern's root, or None where the pattern means something else."""

    pattern: Pattern
    make: Callable[[Model, Op, _Match], Op | None]


def simplified(model: Model) -> Model:
    """The model with each pattern as one op."""
    nodes: list[Op | Foreign] = []
    by_result: dict[str, Op] = {}
    for node in model.nodes:
        if isinstance(node, Op):
            node = _rewritten(model, node, by_result)
            by_result[node.result] = node
        nodes.append(node)
    return needed(replace(model, nodes=tuple(nodes)))


def needed(model: Model) -> Model:
    """The model without nodes, constants and values that no output needs."""
    wanted = set(model.outputs)
    kept: list[Op | Foreign] = []
    for node in reversed(model.nodes):
        if wanted & set(node.results):
            kept.append(node)
            wanted.update(node.reads)
    made = {name for node in kept for name in node.results if name}
    every = wanted | made | set(model.inputs)
    return replace(
        model,
        nodes=tuple(reversed(kept)),
        constants={name: one for name, one in model.constants.items() if name in wanted},
        values={name: tensor for name, tensor in model.values.items() if name in every},
    )


def _rewritten(model: Model, op: Op, known: Mapping[str, Op]) -> Op:
    for rule in RULES.get(op.op, ()):
        for match in _matches(rule.pattern, op.result, {**known, op.result: op}, _Match()):
            made = rule.make(model, op, match)
            if made is not None:
                return made
    return op


def _matches(pattern: Pattern, arg: Arg, known: Mapping[str, Op], so_far: _Match) -> Iterator[_Match]:
    if isinstance(pattern, str):
        if so_far.names.get(pattern, arg) == arg:
            yield _Match({**so_far.names, pattern: arg}, so_far.ops)
    elif isinstance(pattern, int | float):
        if isinstance(arg, int | float) and math.isclose(arg, pattern, rel_tol=1e-3):
            yield so_far
    else:
        op = known.get(arg) if isinstance(arg, str) else None
        if op is None or op.op != pattern[0] or len(op.args) != len(pattern) - 1:
            return
        orders = [op.args, op.args[::-1]] if op.op in _COMMUTES else [op.args]
        for args in orders:
            yield from _each(pattern[1:], args, known, _Match(so_far.names, [*so_far.ops, op]))


def _each(patterns: Any, args: Any, known: Mapping[str, Op], so_far: _Match) -> Iterator[_Match]:
    if not patterns:
        yield so_far
        return
    for match in _matches(patterns[0], args[0], known, so_far):
        yield from _each(patterns[1:], args[1:], known, match)


def _unary(name: str, **attrs: Any) -> Callable[[Model, Op, _Match], Op | None]:
    """An op of x alone."""

    def make(model: Model, root: Op, match: _Match) -> Op | None:
        x = match.names["x"]
        if not isinstance(x, str) or model.values[x] != model.values[root.result]:
            return None
        return Op(name, (x,), attrs, root.result)

    return make


def _clipped(low: float, high: float) -> Callable[[Model, Op, _Match], Op | None]:
    """hard_swish, where the clip has these bounds."""

    def make(model: Model, root: Op, match: _Match) -> Op | None:
        if any((op.attrs.get("min"), op.attrs.get("max")) != (low, high) for op in match.all_of("clip")):
            return None
        return _unary("hard_swish")(model, root, match)

    return make


def _layer_norm(model: Model, root: Op, match: _Match) -> Op | None:
    """Over the last axis, with a scale and a bias of its extent that are weights."""
    x, scale, bias, epsilon = (match.names[name] for name in ("x", "scale", "bias", "epsilon"))
    if not all(isinstance(name, str) for name in (x, scale, bias)) or not isinstance(epsilon, int | float):
        return None
    shape = model.values[x].shape
    over_last = all(
        list(op.attrs.get("axes", ())) == [len(shape) - 1] and op.attrs.get("keepdims")
        for op in match.all_of("reduce_mean")
    )
    if not over_last or any(model.values[name].shape != shape[-1:] for name in (scale, bias)):
        return None
    return Op(
        "layer_norm", (x, scale, bias), {"axis": [len(shape) - 1], "epsilon": float(epsilon)}, root.result
    )


def _padded(model: Model, root: Op, match: _Match) -> Op | None:
    """A convolution that reads zeros around the picture: its own padding says that."""
    pad = match.all_of("pad")[0]
    pads, rank = pad.attrs["pads"], len(pad.attrs["pads"])
    if pad.attrs.get("value", 0) != 0 or any(map(any, (pads[0], pads[rank - 1]))):
        return None
    old = root.attrs["padding"]
    padding = [[a + c, b + d] for (a, b), (c, d) in zip(pads[1:-1], old, strict=True)]
    return Op(root.op, (match.names["x"], root.args[1]), {**root.attrs, "padding": padding}, root.result)


def _products(*factors: Pattern) -> list[Pattern]:
    """a·b·c in every grouping; the order of two does not matter anyway."""
    return [("mul", ("mul", *(other for other in factors if other is not last)), last) for last in factors]


_ERFS = [("erf", ("div", "x", math.sqrt(2))), ("erf", ("mul", "x", math.sqrt(0.5)))]
_CUBES = [("pow", "x", 3), ("mul", ("mul", "x", "x"), "x")]
_TANHS = [("tanh", ("mul", ("add", "x", ("mul", cube, 0.044715)), math.sqrt(2 / math.pi))) for cube in _CUBES]
_CENTRED = ("sub", "x", ("reduce_mean", "x"))
_DEVIATION = ("sqrt", ("add", ("reduce_mean", ("mul", _CENTRED, _CENTRED)), "epsilon"))
_NORMED = [("div", _CENTRED, _DEVIATION), ("mul", _CENTRED, ("div", 1, _DEVIATION))]
_FACTOR = ("mul", ("div", 1, _DEVIATION), "scale")
_UNCENTRED = ("add", ("mul", "x", _FACTOR), ("sub", "bias", ("mul", ("reduce_mean", "x"), _FACTOR)))
_SHIFTED = ("clip", ("add", "x", 3))

_ALL = (
    *(Rule(one, _unary("gelu")) for erf in _ERFS for one in _products("x", 0.5, ("add", erf, 1))),
    *(
        Rule(one, _unary("gelu", approximate=True))
        for tanh in _TANHS
        for one in _products("x", 0.5, ("add", tanh, 1))
    ),
    Rule(("mul", "x", ("sigmoid", "x")), _unary("silu")),
    Rule(("mul", "x", ("clip", ("add", ("mul", "x", 1 / 6), 0.5))), _clipped(0.0, 1.0)),
    Rule(("mul", "x", ("div", _SHIFTED, 6)), _clipped(0.0, 6.0)),
    Rule(("div", ("mul", "x", _SHIFTED), 6), _clipped(0.0, 6.0)),
    *(Rule(("add", ("mul", one, "scale"), "bias"), _layer_norm) for one in _NORMED),
    Rule(_UNCENTRED, _layer_norm),
    *(Rule((f"conv{rank}d", ("pad", "x"), "w"), _padded) for rank in (1, 2, 3)),
)

RULES: Mapping[str, tuple[Rule, ...]] = {
    op: tuple(rule for rule in _ALL if rule.pattern[0] == op) for op in {rule.pattern[0] for rule in _ALL}
}
"""By the op at the root."""
