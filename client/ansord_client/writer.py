"""Writes a subgraph as the object that the reader reads back to an equal one."""

from __future__ import annotations

from typing import Any

from ansord_client.graph import Contents, Node, Tuning, Use
from ansord_client.ops import Definition


def write(contents: Contents) -> dict[str, Any]:
    """Version 1 of the format; attributes are spelled out in their normal form."""
    obj: dict[str, Any] = {"ansord": 1}
    if contents.name:
        obj["name"] = contents.name
    obj["inputs"] = [
        {"name": one.name, "shape": list(one.shape), "dtype": one.dtype}
        | ({"constant": True} if one.constant else {})
        for one in contents.inputs
    ]
    obj["nodes"] = [_node(node) for node in contents.nodes]
    obj["outputs"] = list(contents.outputs)
    obj["numerics"] = contents.numerics
    obj |= _uses(contents.uses)
    if contents.tuning != Tuning():
        fields = {name: getattr(contents.tuning, name) for name in Tuning.__slots__}
        obj["tuning"] = {name: value for name, value in fields.items() if value is not None}
    return obj


def _node(node: Node) -> dict[str, Any]:
    obj = {"name": node.name, "op": node.op, "args": list(node.args)}
    attrs = _attrs(node)
    return obj | {"attrs": attrs} if attrs else obj


def _attrs(node: Node) -> dict[str, Any]:
    definition = node.attrs.get("definition")
    if isinstance(definition, Definition):
        return {"expr": definition.text, "shape": list(definition.shape)} | _ranges(definition)
    if node.op == "slice":
        return _slice(node.attrs["bounds"])
    attrs = {name: _plain(value) for name, value in node.attrs.items() if value is not None}
    if node.op.startswith("reduce_") and not attrs["axes"]:
        del attrs["axes"]
    return attrs


def _ranges(definition: Definition) -> dict[str, Any]:
    return {"ranges": dict(definition.named)} if definition.named else {}


def _slice(bounds: tuple[tuple[int, int, int], ...]) -> dict[str, list[int | None]]:
    """An end beyond the start of the axis is null: -1 would count from the end."""
    ends: list[int | None] = []
    for start, count, step in bounds:
        end = start + count * step
        ends.append(end if end >= 0 else None)
    starts: list[int | None] = [start for start, _, _ in bounds]
    return {"starts": starts, "ends": ends, "steps": [step for _, _, step in bounds]}


def _uses(uses: tuple[Use, ...]) -> dict[str, Any]:
    if len(uses) == 1 and uses[0].model is None:
        return {"weight": uses[0].weight}
    return {
        "for": [
            {"model": use.model, "weight": use.weight}
            | ({"target_ms": use.target_ms} if use.target_ms else {})
            for use in uses
        ]
    }


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
