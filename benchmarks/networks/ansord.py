"""ansord as a server runs a model: kernels from the cache, the result given."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import ansord_client as client


def ways(told: dict[str, Any], arrays: Sequence[np.ndarray], threads: int) -> dict[str, Callable[[], Any]]:
    """The cache is the one that ANSORD_CACHE names; what it lacks NumPy answers."""
    model = client.load_model(
        told["model"], told["dims"], trusted=True, cache=os.environ["ANSORD_CACHE"], threads=threads
    )
    first = model(*arrays)
    results = first if isinstance(first, tuple) else (first,)
    out = tuple(np.empty_like(one) for one in results)
    way = f"{model.tuned} of {len(model.plan.calls)} calls, {len(model.plan.foreign)} foreign"
    return {way: lambda: model(*arrays, out=out)}
