"""Short ways to write the subgraphs and dags of these tests."""

from __future__ import annotations

from typing import Any

from ansord.dag import Axis, Dag, Stage, Tensor, expand
from ansord_client.expr import Call, Expr, Load
from ansord_client.index import Index
from ansord_client.subgraph import Subgraph


def node(name: str, op: str, *args: str | float, **attrs: Any) -> dict[str, Any]:
    return {"name": name, "op": op, "args": list(args), "attrs": attrs}


def subgraph(inputs: dict[str, tuple[int, ...]], *nodes: dict[str, Any], **more: Any) -> Subgraph:
    """`inputs` are shapes by name, float32 unless `dtypes` says otherwise; `constant` names weights."""
    dtypes, constant = more.get("dtypes", {}), more.get("constant", ())
    return Subgraph.from_dict(
        {
            "ansord": 1,
            "inputs": [
                {
                    "name": name,
                    "shape": list(shape),
                    "dtype": dtypes.get(name, "float32"),
                    "constant": name in constant,
                }
                for name, shape in inputs.items()
            ],
            "nodes": list(nodes),
            "outputs": list(more.get("outputs", [nodes[-1]["name"]])),
        }
    )


def dag(inputs: dict[str, tuple[int, ...]], *nodes: dict[str, Any], **more: Any) -> Dag:
    """As `subgraph`, expanded."""
    return expand(subgraph(inputs, *nodes, **more))


def load(tensor: str, *index: int | str | Index) -> Load:
    return Load(tensor, tuple(Index.of(part) for part in index), "float32")


def call(op: str, *args: Expr) -> Call:
    return Call(op, args, args[-1].dtype)


def stage(
    name: str, axes: dict[str, int], body: Expr, shape: tuple[int, ...] | None = None, **more: Any
) -> Stage:
    """A float32 stage over `axes`; its shape is theirs unless given."""
    tensor = Tensor(name, tuple(axes.values()) if shape is None else shape, "float32")
    return Stage(tensor, tuple(Axis(*axis) for axis in axes.items()), body, **more)
