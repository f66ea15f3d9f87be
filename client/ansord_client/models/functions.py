"""The bodies that ONNX's own schemas give for some ops: attention, norms, losses as nodes that we know.

Called by the importer once the types of a node's inputs have numbers: what a body looks like may depend on
them. Nothing of the model but the node is touched, so that no weight is copied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import onnx
from onnx import AttributeProto, FunctionProto, NodeProto

from ansord_client.models.file import branches


@dataclass(frozen=True, slots=True)
class Body:
    """Nodes in order, written in the operator set `opset`; `results` are its names for the node's outputs."""

    nodes: tuple[NodeProto, ...]
    results: tuple[str, ...]
    opset: int


def body(node: NodeProto, opset: int, types: Sequence[onnx.TypeProto], prefix: str) -> Body | None:
    """What a node of ONNX's own operator set stands for, None where no schema says or control flow does.

    `types`: of the inputs, in order, an empty one for what is left out. Inner names start with `prefix`, the
    node's own inputs keep theirs.
    """
    found = _function(node, opset, types)
    if found is None or any(map(branches, found.node)):
        return None
    names = dict(zip(found.input, node.input, strict=False))
    names |= dict.fromkeys(list(found.input)[len(node.input) :], "")
    given = {one.name: one for one in (*found.attribute_proto, *node.attribute)}
    nodes = []
    for one in found.node:
        copy = NodeProto(op_type=one.op_type, domain=one.domain, name=f"{prefix}{one.name}")
        copy.input.extend(names.get(name, "") if name else "" for name in one.input)
        for name in one.output:
            names[name] = prefix + name if name else ""
            copy.output.append(names[name])
        copy.attribute.extend(_bound(one, given))
        nodes.append(copy)
    versions = [one.version for one in found.opset_import if one.domain in ("", "ai.onnx")]
    results = tuple(names.get(name, "") for name in found.output)
    return Body(tuple(nodes), results, max(versions, default=opset))


def _function(node: NodeProto, opset: int, types: Sequence[onnx.TypeProto]) -> FunctionProto | None:
    try:
        schema = onnx.defs.get_schema(node.op_type, opset, "")
        depends = schema.context_dependent_function_opset_versions
        versions = [one for one in depends or schema.function_opset_versions if one <= opset]
        if not versions:
            return None
        if depends:
            spelled = _with_defaults(node, schema).SerializeToString()
            data = schema.get_context_dependent_function_with_opset_version(
                max(versions), spelled, [one.SerializeToString() for one in types]
            )
        else:
            data = schema.get_function_with_opset_version(max(versions))
        found = FunctionProto.FromString(data)
    except Exception:  # whatever the C++ builder raises: the node stays one
        return None
    found.attribute_proto.extend(
        one.default_value for one in schema.attributes.values() if one.default_value.name
    )
    return found if found.node else None


def _with_defaults(node: NodeProto, schema: onnx.defs.OpSchema) -> NodeProto:
    """Some builders read attributes that the node leaves to their defaults."""
    copy = NodeProto()
    copy.CopyFrom(node)
    there = {one.name for one in node.attribute}
    copy.attribute.extend(
        one.default_value
        for name, one in schema.attributes.items()
        if one.default_value.name and name not in there
    )
    return copy


def _bound(node: NodeProto, given: dict[str, AttributeProto]) -> list[AttributeProto]:
    """The attributes, references to those of the function replaced; what it was not given is left out."""
    found = []
    for one in node.attribute:
        copy = AttributeProto()
        if not one.ref_attr_name:
            copy.CopyFrom(one)
        elif one.ref_attr_name in given:
            copy.CopyFrom(given[one.ref_attr_name])
            copy.name = one.name
        else:
            continue
        found.append(copy)
    return found
