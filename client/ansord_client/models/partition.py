"""Cuts a model into tasks: groups of ops become subgraphs, equal ones share a key, the plan wires them up.

Pure and deterministic: `warm` and a client that runs the model cut it alike. Weights are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansord_client.errors import BadModel, BadSubgraph
from ansord_client.limits import Limits
from ansord_client.models.batch import parted
from ansord_client.models.building import written
from ansord_client.models.fusion import SHAPES, Kind, groups, kind_of
from ansord_client.models.graph import Foreign, Model, Op
from ansord_client.models.plan import Call, Plan, Step, View
from ansord_client.subgraph import Subgraph

_LIMITS = Limits(bytes=2**62)
_COMMUTES = frozenset({"add", "mul", "maximum", "minimum", "equal", "logical_and", "logical_or"})


def partition(model: Model, cache_bytes: int | None = None) -> Plan:
    """The plan of a model. `cache_bytes`: of the last cache of who will run it; where that lets a batch in
    parts through with less traffic than at once, the plan is that of a part.

    :raises BadModel: a task that no subgraph file can hold.
    """
    model, parts = (model, 1) if cache_bytes is None else parted(model, cache_bytes)
    known, early, late = _split(model)
    subgraphs: dict[str, Subgraph] = {}
    """By the text of its object, and by key: layers repeat."""
    prepare = [step for node in early for step in _steps([node], model, known, subgraphs)]
    steps = [
        step
        for group in groups(late, model.values, model.outputs)
        for step in _steps(group, model, known, subgraphs)
    ]
    used = {name for step in (*prepare, *steps) for name in (*step.args, *step.results)}
    used |= {*model.inputs, *model.outputs}
    return Plan(
        model.name,
        model.inputs,
        model.outputs,
        {name: tensor for name, tensor in model.values.items() if name in used},
        {name: constant for name, constant in model.constants.items() if name in used},
        tuple(prepare),
        tuple(steps),
        parts,
    )


def _split(model: Model) -> tuple[set[str], list[Op | Foreign], list[Op | Foreign]]:
    """The names known before the first call, the nodes that compute them, and the others."""
    known = set(model.constants)
    early: list[Op | Foreign] = []
    late: list[Op | Foreign] = []
    for node in model.nodes:
        if node.reads and known.issuperset(node.reads):
            known.update(name for name in node.results if name)
            early.append(node)
        else:
            late.append(node)
    return known, early, late


def _steps(
    group: Sequence[Op | Foreign], model: Model, known: set[str], subgraphs: dict[str, Subgraph]
) -> Iterator[Step]:
    """A group as one call, what only changes the shape at its ends as views."""
    ops = [node for node in group if isinstance(node, Op)]
    if len(ops) < len(group):
        (foreign,) = group
        assert isinstance(foreign, Foreign)
        yield foreign
        return
    last = ops[-1]
    before, ops = _peeled(ops)
    yield from (View(str(op.args[0]), op.result) for op in before)
    after: list[Op] = []
    while ops and ops[-1].op in SHAPES:
        after.append(ops.pop())
    if ops:
        yield _call(ops, model, known, subgraphs)
    yield from (View(str(op.args[0]), op.result) for op in reversed(after))
    assert last.result in {op.result for op in (*before, *ops, *after)}


def _peeled(ops: Sequence[Op]) -> tuple[list[Op], list[Op]]:
    """The ops that change the shape of what comes from outside, and the rest."""
    before: list[Op] = []
    rest: list[Op] = []
    inside: set[str] = set()
    for op in ops:
        if op.op in SHAPES and not inside.intersection(op.reads):
            before.append(op)
        else:
            rest.append(op)
            inside.add(op.result)
    return before, rest


def _call(ops: Sequence[Op], model: Model, known: set[str], subgraphs: dict[str, Subgraph]) -> Call:
    made = {op.result: op for op in ops}
    order = _walk(ops[-1].result, {name: _arranged(op, made, known) for name, op in made.items()})
    args: dict[str, str] = {}
    names: dict[str, str] = {}
    nodes: list[dict[str, Any]] = []
    for op in order:
        for name in op.reads:
            if name not in made and name not in names:
                names[name] = f"{'w' if name in known else 'x'}{len(args)}"
                args[name] = names[name]
        names[op.result] = f"n{len(nodes)}"
        spelled = [names[arg] if isinstance(arg, str) else arg for arg in op.args]
        attrs = written(op.attrs, spelled, names[op.result])
        nodes.append({"name": names[op.result], "op": op.op, "args": spelled, "attrs": attrs})
    inputs = [
        {
            "name": short,
            "shape": model.values[name].shape,
            "dtype": model.values[name].dtype,
            "constant": name in known,
        }
        for name, short in args.items()
    ]
    title = _title(order, model)
    obj = {"ansord": 1, "name": title, "inputs": inputs, "nodes": nodes, "outputs": [nodes[-1]["name"]]}
    text = repr(obj)
    try:
        if text not in subgraphs:
            subgraphs[text] = Subgraph.from_dict(obj, _LIMITS)
    except BadSubgraph as error:
        raise BadModel(f"{model.name}: {ops[-1].result}: {error}") from error
    sg = subgraphs[text]
    return Call(subgraphs.setdefault(sg.key, sg), tuple(args), ops[-1].result)


def _arranged(op: Op, made: Mapping[str, Op], known: set[str]) -> Op:
    """Args of commutative ops in one order, so that equal work has one key: inner values, inputs, weights."""
    if op.op not in _COMMUTES:
        return op

    def rank(arg: object) -> int:
        if not isinstance(arg, str):
            return 3
        return 0 if arg in made else 2 if arg in known else 1

    return Op(op.op, tuple(sorted(op.args, key=rank)), op.attrs, op.result, op.unit)


def _walk(output: str, made: Mapping[str, Op]) -> list[Op]:
    """Depth first from the result, args in order: the order in which the key sees them too."""
    ordered: dict[str, Op] = {}
    pending = [output]
    while pending:
        op = made[pending[-1]]
        missing = next((name for name in op.reads if name in made and name not in ordered), None)
        if missing is None:
            ordered[op.result] = op
            pending.pop()
        else:
            pending.append(missing)
    return list(ordered.values())


def _title(ops: Sequence[Op], model: Model) -> str:
    """Such as "conv2d add relu 1x56x56x64": the ops but for mere moves, the shape of the result."""
    said = [op.op for op in ops if kind_of(op) != Kind.INJECTIVE] or [ops[-1].op]
    shown = said if len(said) <= 5 else [*said[:4], f"and {len(said) - 4} more"]
    shape = "x".join(map(str, model.values[ops[-1].result].shape)) or "scalar"
    return f"{' '.join(shown)} {shape}"
