"""The client of ansord: read a subgraph, look up its tuned kernel, call it. Never imports `ansord`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ansord_client.client import Client, get_kernel
from ansord_client.errors import (
    AfterFork,
    AnsordError,
    BadCall,
    BadConfig,
    BadSubgraph,
    KernelNotFound,
    Timeout,
    TuningFailed,
)
from ansord_client.kernel import Kernel
from ansord_client.reference import reference
from ansord_client.subgraph import Subgraph, load_subgraph

if TYPE_CHECKING:
    from ansord_client.models import LoadedModel


def load_model(
    path: str | os.PathLike[str],
    dims: Mapping[str, int] | None = None,
    *,
    trusted: bool = False,
    client: Client | None = None,
    **options: Any,
) -> LoadedModel:
    """A callable that runs an ONNX model with the kernels of the cache; see `ansord_client.models`, which
    needs the extra `onnx`.

    `options` are those of Client, with on_miss="reference" unless told otherwise.
    """
    from ansord_client import models

    return models.load_model(path, dims, trusted=trusted, client=client, **options)


__all__ = [
    "AfterFork",
    "AnsordError",
    "BadCall",
    "BadConfig",
    "BadSubgraph",
    "Client",
    "Kernel",
    "KernelNotFound",
    "Subgraph",
    "Timeout",
    "TuningFailed",
    "get_kernel",
    "load_model",
    "load_subgraph",
    "reference",
]
