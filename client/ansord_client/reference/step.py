"""One node under evaluation: its arrays and the types that it computes and stores in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ansord_client.graph import Node

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Step:
    """`args`: arrays, plain numbers among them as arrays of rank 0; float arrays may be narrower than `work`.

    `work`: the dtype of arithmetic on the args. `store`: the dtype of the result, narrower than `work` only
    where the result is rounded for good.
    """

    node: Node
    args: tuple[Array, ...]
    work: np.dtype[Any]
    store: np.dtype[Any]

    @property
    def attrs(self) -> Mapping[str, Any]:
        """Those of the node."""
        return self.node.attrs

    @property
    def sum(self) -> np.dtype[Any]:
        """The dtype that sums of products are held in: `work`, int32 for 8-bit integers."""
        return np.dtype(np.int32) if self.work.itemsize == 1 else self.work

    def empty(self) -> Array:
        """The result, to be filled."""
        return np.empty(self.node.shape, self.store)
