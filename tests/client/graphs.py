"""Short ways to write subgraphs in tests."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from ansord_client.compare import inputs
from ansord_client.subgraph import Subgraph

Array = NDArray[Any]


def obj(
    inputs: dict[str, Any], *nodes: tuple[Any, ...], outputs: list[str] | None = None, **more: Any
) -> dict[str, Any]:
    """`inputs`: name → shape or (shape, dtype); nodes: (name, op, args, attrs?)."""
    tensors = []
    for name, given in inputs.items():
        shape, dtype = given if isinstance(given, tuple) else (given, "float32")
        tensors.append({"name": name, "shape": shape, "dtype": dtype})
    made = [dict(zip(("name", "op", "args", "attrs"), node, strict=False)) for node in nodes]
    return {"ansord": 1, "inputs": tensors, "nodes": made, "outputs": outputs or [nodes[-1][0]]} | more


def graph(
    inputs: dict[str, Any], *nodes: tuple[Any, ...], outputs: list[str] | None = None, **more: Any
) -> Subgraph:
    """The same, read."""
    return Subgraph.from_dict(obj(inputs, *nodes, outputs=outputs, **more))


def one(op: str, shapes: list[Any], attrs: dict[str, Any] | None = None, dtype: str = "float32") -> Subgraph:
    """A single node y over inputs x0, x1 …"""
    inputs = {f"x{place}": (shape, dtype) for place, shape in enumerate(shapes)}
    return graph(inputs, ("y", op, list(inputs), attrs or {}))


def drawn(sg: Subgraph, kind: str = "normal") -> tuple[Array, ...]:
    arrays = inputs(sg, 0, kind)
    assert arrays is not None
    return arrays
