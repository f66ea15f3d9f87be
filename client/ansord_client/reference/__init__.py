"""NumPy's answer for any subgraph: what a kernel is compared with, and what a client falls back to.

Every op's meaning is written here apart from the daemon's expansion of it; tests hold the two together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ansord_client.errors import BadCall
from ansord_client.reference.evaluate import FUNCTIONS, evaluate
from ansord_client.subgraph import Subgraph

Array = NDArray[Any]


def reference(sg: Subgraph, *arrays: Any) -> Array | tuple[Array, ...]:
    """The output, or a tuple of several, of the graph in float64, rounded once at the end; integers wrap.

    Arrays are NumPy's or anything that speaks DLPack, in the order of the inputs, with exactly their
    shapes and dtypes; strides are free. Contractions run
    through BLAS in slices with at most 256 MiB beside the arrays.

    :raises BadCall: arrays that do not fit.
    """
    outputs = evaluate(sg, checked(sg, arrays))
    return outputs[0] if len(outputs) == 1 else outputs


def checked(sg: Subgraph, arrays: Sequence[Any]) -> tuple[Array, ...]:
    """The arrays as NumPy's.

    :raises BadCall: number, shapes or dtypes that do not fit.
    """
    if len(arrays) != len(sg.inputs):
        raise BadCall(
            f"found {len(arrays)} arrays, wanted {len(sg.inputs)}: {', '.join(one.name for one in sg.inputs)}"
        )
    found = []
    for one, given in zip(sg.inputs, arrays, strict=True):
        dlpack = hasattr(given, "__dlpack__") and not isinstance(given, np.ndarray | np.generic)
        array = np.from_dlpack(given) if dlpack else np.asarray(given)
        if array.shape != one.shape or array.dtype != np.dtype(one.dtype):
            raise BadCall(f"{one.name}: found {array.dtype} {array.shape}, wanted {one.dtype} {one.shape}")
        found.append(array)
    return tuple(found)


__all__ = ["FUNCTIONS", "checked", "evaluate", "reference"]
