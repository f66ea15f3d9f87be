"""`torch.compile` by Inductor, weights frozen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import torch._inductor.config
from torch._inductor.fx_passes import fuse_attention

from benchmarks.networks.torch_graph import Graph

# PyTorch 2.13 takes BERT's attention, as exported, for one whose heads lie elsewhere, and then fails. The
# others have none.
fuse_attention._sfdp_init = lambda *_, **__: None


def ways(told: dict[str, Any], arrays: Sequence[np.ndarray], threads: int) -> dict[str, Callable[[], Any]]:
    torch.set_num_threads(threads)
    torch._inductor.config.freezing = True
    inputs = [torch.from_numpy(array) for array in arrays]
    torch._dynamo.reset()
    run = torch.compile(Graph(told["model"], arrays).eval(), dynamic=False)

    def call() -> Any:
        with torch.no_grad():
            return tuple(one.numpy() for one in run(*inputs))

    call()
    return {"inductor": call}
