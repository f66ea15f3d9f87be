"""The client of ansord: read a subgraph, look up its tuned kernel, call it. Never imports `ansord`."""

from __future__ import annotations

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
    "load_subgraph",
    "reference",
]
