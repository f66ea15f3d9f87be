"""One thread's memory for a model, and its steps as calls without arguments over arrays that stay the same.

Made by the runtime at a thread's first call. Because interior arrays never change, a kernel's call is that of
its C function with the same arguments as before, as long as no kernel was replaced; only what reads the
caller's own arrays looks them up each time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ansord_client.errors import BadCall
from ansord_client.kernel import Kernel, swaps
from ansord_client.models import weights
from ansord_client.models.arena import ALIGNMENT, Layout, nbytes
from ansord_client.models.graph import Foreign
from ansord_client.models.plan import Call, Plan, View
from ansord_client.plan import Settled, failed
from ansord_client.thread import reserve

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
        entries = [kernel.entry for kernel in kernels]
        reserve(
            max((one.scratch_bytes for one in entries if one), default=0),
            max((one.scratch_align for one in entries if one), default=1),
        )
        self._rows: list[Settled] = []
        self._state: object = None

    def run(self, inputs: Sequence[Array], out: Sequence[Array]) -> None:
        """Fill `out`; the inputs are C-contiguous and fit. They are not kept."""
        arrays, plan = self.arrays, self.plan
        try:
            if self._state is not swaps.last:
                self._settle()
            for given, wanted in zip(plan.cut(inputs), plan.cut(out), strict=True):
                arrays.update(zip(plan.inputs, given, strict=True))
                for run, args, packed, scratch, _ in self._rows:
                    status = run(args, packed, scratch)
                    if status:
                        raise failed(status)
                for name, array in zip(plan.outputs, wanted, strict=True):
                    np.copyto(array, arrays[name])
        finally:
            self.forget()

    def forget(self) -> None:
        """Let go of the caller's arrays."""
        for name in self.passing:
            self.arrays.pop(name, None)

    def _settle(self) -> None:
        """All steps as native calls, those that are none as Python's. Raises AfterFork."""
        state = swaps.last  # before they are looked at: a swap meanwhile is seen in the next call
        self._rows = [_row(action) for action in self.actions if action is not None]
        self._state = state

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


def _row(action: Action) -> Settled:
    """Of a kernel whose arrays stay, its native call; Python's of all else."""
    found = None
    if isinstance(action, partial) and isinstance(action.func, Kernel):
        found = action.func.settled(action.args, action.keywords["out"])
    return found or (_called, action, None, None, None)


def _called(action: Action, packed: None, scratch: None) -> None:
    action()


def _gather(arrays: Mapping[str, Array], step: Foreign, place: Array) -> None:
    """Rows looked up into their place. Raises BadCall for an index outside the table."""
    table, index = (arrays[name] for name in step.args)
    axis = step.attrs.get("axis", 0)
    extent = table.shape[axis]
    if index.size and not (index.min() >= -extent and index.max() < extent):
        raise BadCall(f"{step.args[1]}: found an index outside the table, wanted {-extent} to {extent - 1}")
    np.take(table, index, axis, out=place, mode="wrap")
