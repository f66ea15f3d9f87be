"""The arrays behind a plan's constants: mapped from their files, and what `prepare` makes of them.

Called by who runs a model, never by who tunes it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ansord_client.errors import BadModel
from ansord_client.models import fallback
from ansord_client.models.beside import beside
from ansord_client.models.graph import Constant, Extent, Foreign
from ansord_client.models.plan import Call, Plan, Step, View
from ansord_client.models.turned import turned
from ansord_client.models.workers import workers
from ansord_client.reference import evaluate

Array = NDArray[Any]


def load(plan: Plan, path: Path) -> dict[str, Array]:
    """Constants and results of `prepare` that steps or outputs read, C-contiguous, not to be written.

    `path` is the model's file. It stays mapped, as do those beside it: they may be replaced, not written.

    :raises BadModel: a weight is missing, or its file has become shorter since the import.
    """
    maps: dict[str, Array] = {}
    return prepared(plan, {name: _array(name, one, path, maps) for name, one in plan.constants.items()})


def prepared(plan: Plan, constants: Mapping[str, Array]) -> dict[str, Array]:
    """The same from the arrays of all constants, C-contiguous."""
    found = dict(constants)
    readers: dict[str, int] = {}
    for step in plan.prepare:
        for name in step.args:
            readers[name] = readers.get(name, 0) + 1
    kept = {name for step in plan.steps for name in step.args} | set(plan.outputs)
    makers: dict[str, Future[None]] = {}
    lock = threading.Lock()

    def done(step: Step) -> None:
        for name in step.args:
            if name in makers:
                makers[name].result()  # it was submitted before this one, so it has begun
        arrays = _prepared(step, found, plan)
        with lock:
            found.update(zip(step.results, arrays, strict=True))
            for name in step.args:
                readers[name] -= 1
                if not readers[name] and name not in kept:
                    found.pop(name, None)

    with workers() as pool:
        for step in plan.prepare:
            future = pool.submit(done, step)
            makers.update((name, future) for name in step.results)
    for future in makers.values():
        future.result()
    ready = [name for name in found if name in kept]
    with workers() as pool:  # in a file they may lie at any address
        arrays = pool.map(lambda name: np.require(found[name], None, ("C", "A")), ready)
        return dict(zip(ready, arrays, strict=True))


def _prepared(step: Step, known: Mapping[str, Array], plan: Plan) -> tuple[Array, ...]:
    """As `run`, but what is only transposed may be a view that the next step reads."""
    if isinstance(step, Call) and [node.op for node in step.subgraph.nodes] == ["transpose"]:
        return (turned(known[step.args[0]], step.subgraph.nodes[0].attrs["perm"]),)
    return run(step, known, plan)


def run(step: Step, known: Mapping[str, Array], plan: Plan) -> tuple[Array, ...]:
    """The results of one step, by NumPy in the declared types."""
    if isinstance(step, View):
        return (known[step.arg].reshape(plan.values[step.result].shape),)
    if isinstance(step, Call):
        return evaluate(step.subgraph, [known[name] for name in step.args], wide=False)
    return _foreign(step, known, plan)


def _foreign(step: Foreign, known: Mapping[str, Array], plan: Plan) -> tuple[Array, ...]:
    """Held to what the import promised: shapes and types that kernels after it rely on."""
    results = fallback.run(step, [known[name] if name else None for name in step.args])
    made = []
    for name, array in zip(step.results, results, strict=True):
        tensor = plan.values.get(name)
        if tensor is not None and array.shape != tensor.shape:
            raise BadModel(f"{step.op}: found a result of shape {array.shape}, wanted {tensor.shape}")
        made.append(np.ascontiguousarray(array, tensor.dtype if tensor else None).reshape(array.shape))
    return tuple(made)


def inline(constant: Constant) -> Array:
    """One whose bytes are in the plan. Raises BadModel where they are not."""
    if not isinstance(constant.data, bytes):
        raise BadModel("a weight is missing")
    dtype = np.dtype(constant.dtype).newbyteorder("<")
    return np.frombuffer(constant.data, dtype).reshape(constant.shape)


def _array(name: str, constant: Constant, path: Path, maps: dict[str, Array]) -> Array:
    dtype = np.dtype(constant.dtype).newbyteorder("<")
    if isinstance(constant.data, bytes):
        return inline(constant)
    if isinstance(constant.data, Extent):
        flat = _mapped(name, constant.data, path, maps).view(dtype)
    else:
        raise BadModel(f"{path}: the weight {name} is missing: the file with its external data is not there")
    return flat.reshape(constant.shape)


def _mapped(name: str, extent: Extent, path: Path, maps: dict[str, Array]) -> Array:
    file = beside(path, extent.file) if extent.file else path
    if extent.file not in maps:
        try:
            maps[extent.file] = np.memmap(file, np.uint8, "r")
        except (OSError, ValueError) as error:
            raise BadModel(f"{path}: the weight {name} is missing: {file}: {error}") from error
    part = maps[extent.file][extent.offset : extent.offset + extent.length]
    if len(part) < extent.length:
        raise BadModel(f"{path}: the weight {name} is cut off in {file}")
    return part
