"""A model ready to be called: kernels from the cache, constants laid out once, memory planned once.

Thread-safe: each calling thread has an arena of its own, made at its first call and freed with the thread;
constants and kernels are shared. Better kernels are swapped in by the client while the model is in use.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ansord_client.client import Client
from ansord_client.errors import BadCall, BadConfig
from ansord_client.models import weights
from ansord_client.models.arena import layout
from ansord_client.models.binding import bound, kernels_of, tuned
from ansord_client.models.frame import Frame
from ansord_client.models.plan import Plan
from ansord_client.models.profile import Profile, profiled

Array = NDArray[Any]


class LoadedModel:
    """Call it with one array per input of the file, in its order and layout, or by name.

    `model(x)` gives a fresh array, or a tuple for several outputs; `out=` (an array, or a tuple) is filled
    and returned instead, and then a call whose tasks all have kernels allocates no tensor. Inputs are NumPy
    arrays or speak DLPack; one that is not C-contiguous is copied. `model.plan` says what runs.

    Raises BadCall; AfterFork as kernels do.
    """

    def __init__(self, plan: Plan, known: Mapping[str, Array], client: Client) -> None:
        self.plan = plan
        self.client = client  # it swaps kernels as long as it lives
        self._known = dict(known)
        self._kernels = bound(plan, kernels_of(plan, client), known)
        self._layout = layout(plan)
        self._thread = threading.local()
        self._inputs = [(name, plan.whole(name).shape, _dtype(plan, name)) for name in plan.inputs]
        self._outputs = [(name, plan.whole(name).shape, _dtype(plan, name)) for name in plan.outputs]

    def __repr__(self) -> str:
        return f"<LoadedModel {self.plan.name}: {self.tuned} of {len(self._kernels)} calls have kernels>"

    def __call__(self, *arrays: Any, out: Any = None, **named: Any) -> Any:
        inputs = self._adopted(arrays, named)
        results = self._results(out)
        self._frame().run(inputs, results)
        if out is not None:
            return out
        return results[0] if len(results) == 1 else tuple(results)

    @property
    def tuned(self) -> int:
        """How many of the calls in `plan` native code answers now; NumPy answers the others."""
        return sum(map(tuned, self._kernels))

    @property
    def arena_bytes(self) -> int:
        """What each calling thread holds for the values between inputs and outputs."""
        return self._layout.size

    def profile(self, *arrays: Any, runs: int = 20, **named: Any) -> Profile:
        """Median times of each step over some runs, in this thread; without inputs, of random ones."""
        inputs = self._adopted(arrays, named) if arrays or named or not self._inputs else self._drawn()
        return profiled(self.plan, self._kernels, self._frame(), inputs, runs)

    def _frame(self) -> Frame:
        try:
            frame: Frame = self._thread.frame
        except AttributeError:
            frame = self._thread.frame = Frame(self.plan, self._layout, self._known, self._kernels)
        return frame

    def _adopted(self, arrays: Sequence[Any], named: Mapping[str, Any]) -> list[Array]:
        if named or len(arrays) != len(self._inputs):
            arrays = self._ordered(arrays, named)
        found = []
        for value, (name, shape, dtype) in zip(arrays, self._inputs, strict=True):
            array = _adopt(value, name)
            if array.shape != shape or array.dtype != dtype:
                raise BadCall(f"{name}: found {array.dtype} {array.shape}, wanted {dtype} {shape}")
            flags = array.flags
            found.append(array if flags.c_contiguous and flags.aligned else np.array(array, order="C"))
        return found

    def _ordered(self, arrays: Sequence[Any], named: Mapping[str, Any]) -> list[Any]:
        """Positional ones first, the rest by name."""
        rest = self.plan.inputs[len(arrays) :]
        if len(arrays) > len(self._inputs) or set(rest) != set(named):
            given = len(arrays) + len(named)
            raise BadCall(f"found {given} inputs, wanted {len(self._inputs)}: {', '.join(self.plan.inputs)}")
        return [*arrays, *(named[name] for name in rest)]

    def _results(self, out: Any) -> Sequence[Array]:
        if out is None:
            return [np.empty(shape, dtype) for _, shape, dtype in self._outputs]
        several: Sequence[Any] = out if isinstance(out, tuple | list) else (out,)
        if len(several) != len(self._outputs):
            raise BadCall(f"out: found {len(several)} arrays, wanted {len(self._outputs)}")
        for array, (name, shape, dtype) in zip(several, self._outputs, strict=True):
            fits = isinstance(array, np.ndarray) and array.flags.writeable
            if not fits or array.shape != shape or array.dtype != dtype:
                raise BadCall(f"output {name}: wanted an array to write of {dtype} {shape}")
        return several

    def _drawn(self) -> list[Array]:
        """Normal floats, zeros else: an index is then inside any table."""
        rng = np.random.default_rng(0)
        return [
            np.asarray(rng.standard_normal(shape)).astype(dtype)
            if dtype.kind == "f"
            else np.zeros(shape, dtype)
            for _, shape, dtype in self._inputs
        ]


def load_model(
    path: str | os.PathLike[str],
    dims: Mapping[str, int] | None = None,
    *,
    trusted: bool = False,
    client: Client | None = None,
    **options: Any,
) -> LoadedModel:
    """The model in an ONNX file, ready to be called.

    `dims` and `trusted` as for `import_model`. `options` are those of Client (cache, inbox, threads, on_miss,
    timeout), with on_miss="reference" unless told otherwise: NumPy answers what has no kernel, which the
    daemon is asked for; or `client` is one that there is already.

    :raises BadModel: as `import_model`, or a weight is missing. :raises OSError: the file cannot be read.
    :raises KernelNotFound, Timeout, TuningFailed: as the client does for what is missed.
    """
    from ansord_client.models import load_plan

    if client is not None and options:
        raise BadConfig(f"load_model: found a client and {', '.join(options)}, wanted one of them")
    plan = load_plan(path, dims, trusted=trusted)
    client = client or Client(**{"on_miss": "reference", **options})
    return LoadedModel(plan, weights.load(plan, Path(path)), client)


def _adopt(value: Any, name: str) -> Array:
    if isinstance(value, np.ndarray | np.generic):
        return np.asarray(value)
    try:
        return np.from_dlpack(value)
    except Exception as error:  # each library raises its own kinds: another device, a gradient, a type
        raise BadCall(f"{name}: {type(value).__name__} is no array, and cannot be read: {error}") from error


def _dtype(plan: Plan, name: str) -> np.dtype[Any]:
    return np.dtype(plan.values[name].dtype)
