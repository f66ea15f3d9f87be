"""PyTorch as it is, channels last where it convolves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from benchmarks.networks.torch_graph import Graph


def ways(told: dict[str, Any], arrays: Sequence[np.ndarray], threads: int) -> dict[str, Callable[[], Any]]:
    torch.set_num_threads(threads)
    inputs = [torch.from_numpy(array) for array in arrays]
    graphs = {"as written": Graph(told["model"], arrays), "channels last": Graph(told["model"], arrays)}
    graphs["channels last"].channels_last()

    def call(graph: Graph) -> Any:
        with torch.inference_mode():
            return tuple(one.numpy() for one in graph(*inputs))

    return {way: lambda graph=graph: call(graph) for way, graph in graphs.items()}  # type: ignore[misc]
