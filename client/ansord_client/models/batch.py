"""A batch in parts: where images do not meet, a model may run for some of them after the others.

What flows between its layers then stays in the last cache, where all images at once would go through memory
layer by layer. On two busy cores with 32 MiB, 16 images of MobileNet-V2 in parts of two took 0.96 and 1.00 of
all at once, each beside the other; what is sure is that small tasks are soon tuned, and serve many batches.
Inputs and outputs have the images along their first axis. Pure; called by `partition`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ansord_client.errors import BadSubgraph
from ansord_client.graph import Node
from ansord_client.models.arena import nbytes
from ansord_client.models.building import alone
from ansord_client.models.fusion import SHAPES
from ansord_client.models.graph import Foreign, Model, Op, Tensor
from ansord_client.ops import TABLE, Fusion, Shape
from ansord_client.subgraph import Subgraph

KEPT = 1 / 2
"""Of the last cache, which others use too: for what one layer reads and writes, weights aside."""
LEFT = 1 / 4
"""Of the last cache, what a model may count on for its constants: the rest is for what flows between its
layers, and for others. Of 32 MiB that two CPUs of a virtual machine saw, MobileNet-V2's 14 MB came at
memory's pace (22 GB/s), for each part anew."""
CALL_BYTES = 150e3
"""What a step costs beside its work, 5 us, as bytes from memory."""
FLOPS = 8
"""In the time of a byte from memory, on two cores with 32-byte registers."""
NEAR = 1.02
"""The smallest parts so near the best are taken: their tasks are tuned sooner, and serve more batches."""

_ROWS = frozenset(
    {"max_pool", "avg_pool", *(f"conv{n}d{kind}" for n in (1, 2, 3) for kind in ("", "_transpose"))}
)
"""Ops whose first arg alone is an image's, and whose result has its first axis."""


def parted(model: Model, cache_bytes: int) -> tuple[Model, int]:
    """The model for a part of its images, and how many parts there are: 1 where images meet, or where all at
    once are faster by what they read from memory, beside a last cache of so many bytes."""
    images, alones = images_of(model), _alones(model)
    sizes = [size for size in range(images, 0, -1) if images % size == 0]
    batched = _batched(model, images, alones)
    if alones is None or batched is None:
        return model, 1
    work = sum(one.flops for one in alones.values()) / images
    costs = [work / FLOPS + _moved(model, batched, images, size, cache_bytes) for size in sizes]
    size = min(size for size, cost in zip(sizes, costs, strict=True) if cost <= NEAR * min(costs))
    part = _of(model, batched, images, size) if size < images else None
    return (model, 1) if part is None else (part, images // size)


def of_images(model: Model, size: int) -> Model | None:
    """The model of so many images instead; None where images meet."""
    images = images_of(model)
    batched = _batched(model, images, _alones(model))
    return None if batched is None else _of(model, batched, images, size)


def _of(model: Model, batched: set[str], images: int, size: int) -> Model | None:
    def fewer(tensor: Tensor) -> Tensor:
        shape, at = tensor.shape, _axis(tensor.shape)
        return replace(tensor, shape=(*shape[:at], shape[at] * size // images, *shape[at + 1 :]))

    values = {name: fewer(one) if name in batched else one for name, one in model.values.items()}
    nodes: list[Op | Foreign] = []
    for node in model.nodes:
        if isinstance(node, Op) and batched.intersection(node.reads):
            if node.op == "reshape":
                node = replace(node, attrs={**node.attrs, "shape": list(values[node.result].shape)})
            try:
                found = _alone(node, values).nodes[0]
            except BadSubgraph:
                return None
            if found.shape != values[node.result].shape:
                return None
        nodes.append(node)
    return replace(model, values=values, nodes=tuple(nodes))


def _alone(op: Op, values: Mapping[str, Tensor]) -> Subgraph:
    return alone(op.op, op.args, op.attrs, values)


def _alones(model: Model) -> dict[str, Subgraph] | None:
    """Each op by its result; None where there is no batch, or an op moves values of types beyond ours."""
    if images_of(model) < 2:
        return None
    try:
        return {op.result: _alone(op, model.values) for op in model.nodes if isinstance(op, Op)}
    except BadSubgraph:
        return None


def images_of(model: Model) -> int:
    """The first extent of all inputs and outputs; 1 where they differ."""
    shapes = [model.values[name].shape for name in (*model.inputs, *model.outputs)]
    found = {shape[0] if shape else 1 for shape in shapes}
    return found.pop() if len(found) == 1 else 1


def _batched(model: Model, images: int, alones: Mapping[str, Subgraph] | None) -> set[str] | None:
    """The values that hold one image after the other, the inputs among them; None where images meet."""
    if alones is None:
        return None
    batched = set(model.inputs)
    for node in model.nodes:
        if batched.isdisjoint(node.reads):
            continue
        shapes = {name: model.values[name].shape for name in (*node.reads, *node.results)}
        mine = batched.intersection(node.reads)
        if isinstance(node, Foreign):
            apart = _looks_up(node, mine, shapes)
        else:
            apart = _keeps_apart(node, alones[node.result].nodes[0], mine, shapes)
        if not apart or any(_extent(shapes[name]) % images for name in node.results):
            return None
        batched.update(node.results)
    return batched if batched.issuperset(model.outputs) else None


def _axis(shape: Shape) -> int:
    """Along which the images of a batched value lie: the first that is longer than 1."""
    return next((axis for axis, extent in enumerate(shape) if extent > 1), 0)


def _extent(shape: Shape) -> int:
    return shape[_axis(shape)] if shape else 1


def _looks_up(node: Foreign, batched: set[str], shapes: Mapping[str, Shape]) -> bool:
    """Whether it takes rows of a table that all images share."""
    return (
        node.op == "Gather"
        and node.attrs.get("axis", 0) == 0
        and batched == {node.args[1]} != {node.args[0]}
        and shapes[node.args[1]][0] > 1
    )


def _keeps_apart(op: Op, node: Node, batched: set[str], shapes: Mapping[str, Shape]) -> bool:
    """Whether image by image gives the same. `node`: the op with normal attributes."""
    attrs: Mapping[str, Any] = node.attrs
    first, result = op.args[0], shapes[op.result]
    at = _axis(shapes[min(batched)])
    if op.op in _ROWS:
        return batched == {first} and at == 0
    if op.op == "matmul":
        return _multiplies_apart(op, attrs, batched, shapes)
    if op.op in ("softmax", "log_softmax"):
        return bool(attrs["axis"] != at)
    if op.op == "layer_norm":
        return batched == {first} and at not in attrs["axis"]
    if op.op.startswith("reduce_"):
        return at not in attrs["axes"]
    if op.op == "transpose":
        return bool(attrs["perm"][: at + 1] == tuple(range(at + 1)))
    if op.op == "pad":
        return all(pair == (0, 0) for pair in attrs["pads"][: at + 1])
    if op.op == "slice":
        return bool(attrs["bounds"][at] == (0, shapes[str(first)][at], 1))
    if op.op == "concat":
        return attrs["axis"] > at and batched.issuperset(op.reads)
    if op.op in SHAPES:
        return True
    return TABLE[op.op].fusion <= Fusion.BROADCAST and _aligned(op.reads, batched, shapes, result)


def _multiplies_apart(
    op: Op, attrs: Mapping[str, Any], batched: set[str], shapes: Mapping[str, Shape]
) -> bool:
    """Rows of a matrix times one that all share, or images along a leading axis of all that have them."""
    left, right = map(str, op.args)
    if batched == {left} and len(shapes[left]) == len(shapes[right]) == 2:
        return not attrs["transpose_a"]
    result = shapes[op.result]
    return len(result) > 2 + _axis(result) and _aligned(op.reads, batched, shapes, result)


def _aligned(reads: Iterable[str], batched: set[str], shapes: Mapping[str, Shape], result: Shape) -> bool:
    """Whether images of the args are those of the result, and what has none is the same for all."""
    at = _axis(result)
    for name in reads:
        shape = shapes[name]
        if name in batched:
            apart = len(shape) == len(result) and _axis(shape) == at and shape[at] == result[at]
        else:
            apart = len(result) - len(shape) > at or shape[at - len(result) + len(shape)] == 1
        if not apart:
            return False
    return True


def _moved(model: Model, batched: set[str], images: int, size: int, cache_bytes: int) -> float:
    """Bytes from memory for each image, where `size` of them make a part."""
    held = sum(nbytes(constant.tensor) for constant in model.constants.values())
    shared = held if held > LEFT * cache_bytes else 0.0
    flowing, steps = 0.0, 0
    for node in model.nodes:
        own = [*batched.intersection(node.reads), *batched.intersection(node.results)]
        if len(own) < 2 or (isinstance(node, Op) and _joins(node) and len(own) < 3):
            continue  # as part of what it follows it moves nothing
        steps += 1
        bytes_each = sum(nbytes(model.values[name]) for name in own) / images
        flowing += bytes_each if bytes_each * size > KEPT * cache_bytes else 0.0
    return flowing + (shared + max(1, steps) * CALL_BYTES) / size


def _joins(op: Op) -> bool:
    return not op.unit and TABLE[op.op].fusion <= Fusion.INJECTIVE

