"""OpenVINO, told to answer quickly and to compute in float32."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import openvino


def ways(told: dict[str, Any], arrays: Sequence[np.ndarray], threads: int) -> dict[str, Callable[[], Any]]:
    core = openvino.Core()
    model = core.read_model(told["model"])
    model.reshape({one: list(array.shape) for one, array in zip(model.inputs, arrays, strict=True)})
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": "f32",
    }
    request = core.compile_model(model, "CPU", settings).create_infer_request()
    inputs, places = dict(enumerate(arrays)), range(len(model.outputs))

    def call() -> Any:
        found = request.infer(inputs, share_inputs=True, share_outputs=True)
        return tuple(found[place] for place in places)

    return {"request": call}
