"""ONNX Runtime with all of its graph optimisations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnxruntime


def ways(told: dict[str, Any], arrays: Sequence[np.ndarray], threads: int) -> dict[str, Callable[[], Any]]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(told["model"], options, providers=["CPUExecutionProvider"])
    named = dict(zip((one.name for one in session.get_inputs()), arrays, strict=True))
    return {"session": lambda: tuple(session.run(None, named))}
