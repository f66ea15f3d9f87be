"""Reads a subgraph object: fields typed strictly, names resolved, nodes sorted, types and shapes inferred.

Called by `subgraph`. Raises BadSubgraph with the JSON path; evaluates nothing, allocates nothing large.
"""

from __future__ import annotations

import difflib
import heapq
import math
from dataclasses import replace
from typing import Any

from ansord_client.dtypes import DTYPES, Number
from ansord_client.grammar import NAME, WORDS
from ansord_client.graph import Contents, Input, Node, Tuning, Use
from ansord_client.limits import Limits
from ansord_client.ops import REQUIRED, TABLE, Row, Shape, Site
from ansord_client.ops.attributes import as_element, dtype_name
from ansord_client.reading import Value, shown


def read(value: Value, limits: Limits) -> Contents:
    """The contents of version 1 of the format.

    :raises BadSubgraph: anything that the format does not allow.
    """
    top = value.fields(
        ("ansord", "inputs", "nodes", "outputs"), ("name", "numerics", "weight", "for", "tuning")
    )
    if top["ansord"].number() != 1:
        top["ansord"].refuse("1", "unknown version", "this reader knows version 1")
    inputs = {one.name: one for one in (_input(item, limits) for item in top["inputs"].items())}
    _check_names(top, limits)
    nodes = _nodes(top["nodes"], inputs, limits)
    _check_bytes(value, (*inputs.values(), *nodes), limits)
    return Contents(
        inputs=tuple(inputs.values()),
        nodes=nodes,
        outputs=_outputs(top["outputs"], inputs, {node.name for node in nodes}),
        numerics=top["numerics"].choice(("fast", "strict"), "numerics") if "numerics" in top else "fast",
        name=_title(top["name"], limits) if "name" in top else "",
        uses=_uses(top, limits),
        tuning=_tuning(top["tuning"]) if "tuning" in top else Tuning(),
    )


def _input(value: Value, limits: Limits) -> Input:
    fields = value.fields(("name", "shape"), ("dtype", "constant"))
    shape = tuple(extent.integer(1, limits.extent) for extent in fields["shape"].items())
    dtype = dtype_name(fields["dtype"]) if "dtype" in fields else "float32"
    _check_shape(fields["shape"], shape, "this shape", limits)
    return Input(_name(fields["name"]), shape, dtype, "constant" in fields and fields["constant"].flag())


def _name(value: Value) -> str:
    name = value.text()
    if not NAME.fullmatch(name):
        value.refuse("a name: a letter or _, then at most 63 letters, digits or _", "bad name")
    if name in WORDS:
        value.refuse("a name that is no word of the grammar", "bad name", f"{name} is one; try {name}_1")
    return name


def _title(value: Value, limits: Limits) -> str:
    text = value.text()
    if len(text) > limits.name or not text.isprintable():
        value.refuse(
            f"printable text of at most {limits.name} characters", "bad name", found=ascii(text[:40])
        )
    return text


def _check_names(top: dict[str, Value], limits: Limits) -> None:
    """Every node is an object with a name; all names are distinct."""
    nodes = top["nodes"].items()
    if len(nodes) > limits.nodes:
        top["nodes"].refuse(f"at most {limits.nodes} nodes", "limit", found=f"{len(nodes)} nodes")
    seen: set[str] = set()
    for item in (*top["inputs"].items(), *nodes):
        if not isinstance(item.raw, dict) or "name" not in item.raw:
            item.fields(("name",), ("op", "args", "attrs"))
        name = _name(item.at("name"))
        if name in seen:
            item.at("name").refuse("a name of its own", "repeated name")
        seen.add(name)


def _nodes(value: Value, inputs: dict[str, Input], limits: Limits) -> tuple[Node, ...]:
    """Topological, by their place in the file where several could come next."""
    places = {item.raw["name"]: item for item in value.items()}
    fields = {name: item.fields(("name", "op", "args"), ("attrs",)) for name, item in places.items()}
    rank = {name: position for position, name in enumerate(places)}
    reads: dict[str, set[str]] = {}
    readers: dict[str, list[str]] = {name: [] for name in places}
    for name, members in fields.items():
        args = members["args"].items()
        for arg in args:
            if isinstance(arg.raw, str) and arg.raw not in places and arg.raw not in inputs:
                arg.refuse(
                    "the name of an input or node", "unknown name", _nearest(arg.raw, [*inputs, *places])
                )
        reads[name] = {arg.raw for arg in args if isinstance(arg.raw, str) and arg.raw in places}
        for read_name in reads[name]:
            readers[read_name].append(name)
    tensors: dict[str, Input | Node] = dict(inputs)
    ready = [rank[name] for name in places if not reads[name]]
    names, waiting = list(places), {name: len(needs) for name, needs in reads.items()}
    nodes: list[Node] = []
    while ready:
        name = names[heapq.heappop(ready)]
        tensors[name] = node = _node(places[name], fields[name], tensors, limits)
        nodes.append(node)
        for reader in readers[name]:
            waiting[reader] -= 1
            if not waiting[reader]:
                heapq.heappush(ready, rank[reader])
    if len(nodes) < len(places):
        _refuse_cycle(places, reads, {name for name in names if name not in tensors})
    return tuple(nodes)


def _nearest(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    return f"did you mean {near[0]}?" if near else ""


def _refuse_cycle(places: dict[str, Value], reads: dict[str, set[str]], stuck: set[str]) -> None:
    rank = {name: position for position, name in enumerate(places)}
    trail = [min(stuck, key=rank.__getitem__)]
    while trail[-1] not in trail[:-1]:
        trail.append(min(reads[trail[-1]] & stuck, key=rank.__getitem__))
    cycle = trail[trail.index(trail[-1]) :]
    shortened = cycle if len(cycle) <= 8 else [*cycle[:4], "…", *cycle[-3:]]
    places[cycle[0]].refuse("a graph without cycles", "cycle", "each reads the next", " → ".join(shortened))


def _node(item: Value, fields: dict[str, Value], tensors: dict[str, Input | Node], limits: Limits) -> Node:
    row = TABLE[fields["op"].choice(tuple(TABLE), "op")]
    args = tuple(fields["args"].items())
    _check_arity(row, fields["args"], args)
    given = tuple(tensors[arg.raw] if isinstance(arg.raw, str) else None for arg in args)
    dtype = _common_type(row, args, given)
    site = Site(
        node=item,
        attrs=fields.get("attrs", Value({}, f"{item.path}.attrs")),
        args=args,
        names=tuple(tensor.name if tensor else None for tensor in given),
        shapes=tuple(tensor.shape if tensor else () for tensor in given),
        dtype=dtype,
        limits=limits,
    )
    _check_ranks(row, site)
    attrs = row.finish(site, _attributes(row, site))
    shape = row.shape(site, attrs)
    _check_shape(item, shape, f"a result of shape {list(shape)}", limits)
    values: tuple[str | Number, ...] = tuple(
        arg.raw if isinstance(arg.raw, str) else as_element(arg, dtype) for arg in args
    )
    if row.name == "compute":
        values = attrs["definition"].tensors
    return Node(item.raw["name"], row.name, values, attrs, shape, row.result(dtype, attrs))


def _check_arity(row: Row, where: Value, args: tuple[Value, ...]) -> None:
    fewest, most = row.arity
    if row.name == "compute":
        fewest = 0
    if len(args) < fewest or (most is not None and len(args) > most):
        count = f"{fewest}" if most == fewest else f"at least {fewest}"
        where.refuse(
            f"{count} args of {row.name}: {', '.join(row.args)}", "wrong length", found=f"{len(args)} args"
        )


def _common_type(row: Row, args: tuple[Value, ...], given: tuple[Input | Node | None, ...]) -> str:
    """The one dtype of the tensor args; the condition of `where` stands aside."""
    dtype, first = "", ""
    for position, (arg, tensor) in enumerate(zip(args, given, strict=True)):
        condition = row.name == "where" and position == 0
        if tensor is None:
            if not row.numbers or condition:
                arg.refuse("the name of a tensor", "wrong type")
            continue
        if condition:
            if tensor.dtype != "bool":
                arg.refuse("a bool tensor", "dtype", "compare first", f"{shown(arg.raw)}, {tensor.dtype}")
        elif tensor.dtype not in row.accepts:
            wanted = f"{row.name} takes {', '.join(name for name in DTYPES if name in row.accepts)}"
            arg.refuse(wanted, "dtype", "cast first", f"{shown(arg.raw)}, {tensor.dtype}")
        elif dtype and tensor.dtype != dtype:
            arg.refuse(
                f"{dtype}, as {first} has", "dtype", "cast one of them", f"{shown(arg.raw)}, {tensor.dtype}"
            )
        else:
            dtype, first = tensor.dtype, tensor.name
    if not dtype and row.name != "compute":
        args[-1].refuse("at least one tensor beside the number", "wrong type")
    return dtype or "float32"


def _check_ranks(row: Row, site: Site) -> None:
    for position, shape in enumerate(site.shapes):
        low, high = row.ranks[min(position, len(row.ranks) - 1)]
        if not low <= len(shape) <= high:
            wanted = f"rank {low}" if low == high else f"rank {low} to {high}"
            site.misfit(position, f"{wanted} of {row.args[min(position, len(row.args) - 1)]}")


def _attributes(row: Row, site: Site) -> dict[str, Any]:
    required = [attr.name for attr in row.attrs if attr.default is REQUIRED]
    optional = [attr.name for attr in row.attrs if attr.default is not REQUIRED]
    given = site.attrs.fields(required, optional)
    for attr in row.attrs:
        given.setdefault(attr.name, Value(attr.default, f"{site.attrs.path}.{attr.name}"))
    return {attr.name: attr.read(given[attr.name], site) for attr in row.attrs}


def _check_shape(where: Value, shape: Shape, what: str, limits: Limits) -> None:
    if len(shape) > limits.rank:
        where.refuse(f"a rank of at most {limits.rank}", "limit", found=f"rank {len(shape)}")
    if any(extent > limits.extent for extent in shape):
        where.refuse(f"extents of at most {limits.extent}", "limit", found=what)
    if math.prod(shape) > limits.elements:
        where.refuse(f"at most {limits.elements} elements, not {math.prod(shape)}", "limit", found=what)


def _check_bytes(where: Value, tensors: tuple[Input | Node, ...], limits: Limits) -> None:
    total = sum(tensor.nbytes for tensor in tensors)
    if total > limits.bytes:
        hint = "limits.bytes in ansord.toml; the default is half of the memory"
        where.refuse(f"at most {limits.bytes} bytes", "limit", hint, f"tensors of {total} bytes together")


def _outputs(value: Value, inputs: dict[str, Input], nodes: set[str]) -> tuple[str, ...]:
    names: list[str] = []
    for item in value.items():
        name = item.text()
        if name in inputs:
            item.refuse("a node: an input is no output", "bad output", "the caller has it already")
        if name not in nodes:
            item.refuse("the name of a node", "unknown name", _nearest(name, sorted(nodes)))
        if name in names:
            item.refuse("each output once", "repeated name")
        names.append(name)
    if not names:
        value.refuse("at least one output", "wrong length")
    return tuple(names)


def _uses(top: dict[str, Value], limits: Limits) -> tuple[Use, ...]:
    """`weight` is what an item of `for` has where it says none."""
    weight = top["weight"].positive() if "weight" in top else 1.0
    if "for" not in top:
        return (Use(None, weight),)
    uses: list[Use] = []
    for item in top["for"].items():
        fields = item.fields(("model",), ("weight", "target_ms"))
        use = Use(
            _title(fields["model"], limits), fields["weight"].positive() if "weight" in fields else weight
        )
        if use.model in [other.model for other in uses]:
            fields["model"].refuse("each model once", "repeated name")
        if "target_ms" in fields and fields["target_ms"].raw is not None:
            use = replace(use, target_ms=fields["target_ms"].positive())
        uses.append(use)
    if not uses:
        top["for"].refuse("at least one model", "wrong length", "leave it out for an anonymous one")
    return tuple(uses)


def _tuning(value: Value) -> Tuning:
    fields = value.fields((), ("trials", "seconds", "cold", "priority", "deadline_s"))
    tuning = Tuning()
    if "trials" in fields:
        tuning = replace(tuning, trials=fields["trials"].integer(1, 100_000))
    if "seconds" in fields:
        tuning = replace(tuning, seconds=fields["seconds"].positive())
    if "cold" in fields:
        tuning = replace(tuning, cold=fields["cold"].flag())
    if "priority" in fields:
        tuning = replace(tuning, priority=fields["priority"].integer(-(2**31), 2**31 - 1))
    if "deadline_s" in fields and fields["deadline_s"].raw is not None:
        tuning = replace(tuning, deadline_s=fields["deadline_s"].positive())
    return tuning
