"""One thread's memory for a model, and its steps as calls without arguments over arrays that stay the same.

Made by the runtime at a thread's first call. Because interior arrays never change, a kernel's call costs no
checks (half a microsecond in all); only what reads the caller's own arrays looks them up each time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ansord_client.errors import BadCall
from ansord_client.kernel import Kernel
from ansord_client.models import weights
from ansord_client.models.arena import ALIGNMENT, Layout, nbytes
from ansord_client.models.graph import Foreign
from ansord_client.models.plan import Call, Plan, View

Array = NDArray[Any]
Action = Callable[[], Any]


class Frame:
    """`actions[i]` does `plan.steps[i]`, None where there is nothing to do; `arrays` has the values by name.

    `kernels` has one for each call, its constants bound, in the order of `plan.calls`.
    """

    def __init__(
        self, plan: Plan, layout: Layout, known: Mapping[str, Array], kernels: Sequence[Kernel]
    ) -> None:
        self.plan = plan
        self.arrays: dict[str, Array] = dict(known)
        block = np.empty(layout.size + ALIGNMENT, np.uint8)
        start = -block.ctypes.data % ALIGNMENT
        for name, offset in layout.offsets.items():
            tensor = plan.values[name]
            part = block[start + offset : start + offset + nbytes(tensor)]
            self.arrays[name] = part.view(tensor.dtype).reshape(tensor.shape)
        self.block = block
        self.passing = list(plan.inputs)  # what belongs to the caller, views included
        rest = iter(kernels)
        self.actions: list[Action | None] = [
            self._call(step, next(rest))
            if isinstance(step, Call)
            else self._view(step)
            if isinstance(step, View)
            else self._foreign(step)
            for step in plan.steps
        ]
        self.todo = [action for action in self.actions if action is not None]

    def run(self, inputs: Sequence[Array], out: Sequence[Array]) -> None:
        """Fill `out`; the inputs are C-contiguous and fit. They are not kept."""
        arrays = self.arrays
        for name, array in zip(self.plan.inputs, inputs, strict=True):
            arrays[name] = array
        try:
            for action in self.todo:
                action()
            for name, array in zip(self.plan.outputs, out, strict=True):
                np.copyto(array, arrays[name])
        finally:
            self.forget()

    def forget(self) -> None:
        """Let go of the caller's arrays."""
        for name in self.passing:
            self.arrays.pop(name, None)

    def _call(self, step: Call, kernel: Kernel) -> Action:
        free = [name for name, one in zip(step.args, step.subgraph.inputs, strict=True) if not one.constant]
        result = self.arrays[step.result]
        if all(name in self.arrays for name in free):
            return partial(kernel, *(self.arrays[name] for name in free), out=result)
        arrays = self.arrays
        return lambda: kernel(*[arrays[name] for name in free], out=result)

    def _view(self, step: View) -> Action | None:
        """Nothing to do, where the same bytes lie in the arena."""
        arrays, shape = self.arrays, self.plan.values[step.result].shape
        if step.arg in arrays:
            arrays[step.result] = arrays[step.arg].reshape(shape)
            return None

        self.passing.append(step.result)

        def view() -> None:
            arrays[step.result] = arrays[step.arg].reshape(shape)

        return view

    def _foreign(self, step: Foreign) -> Action:
        arrays, plan = self.arrays, self.plan
        places = {name: arrays[name] for name in step.results if name in arrays}
        if step.op == "Gather" and places:
            return partial(_gather, arrays, step, places[step.results[0]])

        def run() -> None:
            for name, array in zip(step.results, weights.run(step, arrays, plan), strict=True):
                if name in places:
                    np.copyto(places[name], array)
                elif name:
                    arrays[name] = array

        return run


def _gather(arrays: Mapping[str, Array], step: Foreign, place: Array) -> None:
    """Rows looked up into their place. Raises BadCall for an index outside the table."""
    table, index = (arrays[name] for name in step.args)
    axis = step.attrs.get("axis", 0)
    extent = table.shape[axis]
    if index.size and not (index.min() >= -extent and index.max() < extent):
        raise BadCall(f"{step.args[1]}: found an index outside the table, wanted {-extent} to {extent - 1}")
    np.take(table, index, axis, out=place, mode="wrap")
