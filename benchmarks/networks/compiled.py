"""`torch.compile` by Inductor, weights frozen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import torch._inductor.config

from benchmarks.networks.torch_graph import Graph


def ways(told: dict[str, Any], arrays: Sequence[np.ndarray], threads: int) -> dict[str, Callable[[], Any]]:
    torch.set_num_threads(threads)
    torch._inductor.config.freezing = True
    inputs = [torch.from_numpy(array) for array in arrays]
    run = torch.compile(Graph(told["model"], arrays).eval())

    def call() -> Any:
        with torch.no_grad():
            return run(*inputs).numpy()

    call()
    return {"inductor": call}
