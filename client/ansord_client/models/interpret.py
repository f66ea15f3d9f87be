"""NumPy's answer for a plan: the oracle of a runtime, and the way to run without kernels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ansord_client.errors import BadCall
from ansord_client.models import weights
from ansord_client.models.plan import Plan

Array = NDArray[Any]


def interpret(plan: Plan, known: Mapping[str, Array], *inputs: Array) -> tuple[Array, ...]:
    """One array per output; `known` are the weights, as `weights.load` gives them.

    :raises BadCall: arrays that do not fit.
    """
    if len(inputs) != len(plan.inputs):
        raise BadCall(f"found {len(inputs)} arrays, wanted {len(plan.inputs)}: {', '.join(plan.inputs)}")
    for name, array in zip(plan.inputs, inputs, strict=True):
        tensor = plan.whole(name)
        if array.shape != tensor.shape or array.dtype != np.dtype(tensor.dtype):
            raise BadCall(f"{name}: found {array.dtype} {array.shape}, wanted {tensor.dtype} {tensor.shape}")
    found = [_part(plan, known, given) for given in plan.cut(inputs)]
    return tuple(np.concatenate(parts) if plan.parts > 1 else parts[0] for parts in zip(*found, strict=True))


def _part(plan: Plan, known: Mapping[str, Array], inputs: Sequence[Array]) -> tuple[Array, ...]:
    values = dict(known)
    for name, array in zip(plan.inputs, inputs, strict=True):
        values[name] = np.ascontiguousarray(array).reshape(array.shape)
    readers: dict[str, int] = dict.fromkeys(plan.outputs, 1)
    for step in plan.steps:
        for name in step.args:
            readers[name] = readers.get(name, 0) + 1
    for step in plan.steps:
        values.update(zip(step.results, weights.run(step, values, plan), strict=True))
        for name in step.args:
            readers[name] -= 1
            if not readers[name]:
                values.pop(name, None)
    return tuple(np.array(values[name]) for name in plan.outputs)
