"""A process that has only the client: the rate of a published kernel, in turn with the machine's peak.

    python rates.py CACHE FILE PEAK_OBJECT      prints {"kernel": flops a second, "peak": the same}

Both take samples of equal length one after the other; of each the best counts, since whatever disturbs a
sample only makes it slower.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np
from cffi import FFI

import ansord_client as client
from ansord_client.compare import inputs

SAMPLE_S = 0.008
PAIRS = 40
WARM_S = 0.1


def rates(cache: str, file: str, peak_object: str) -> dict[str, float]:
    sg = client.load_subgraph(file)
    kernel = client.Client(cache=cache).get_kernel(sg)
    arrays = inputs(sg, 0, "normal") or ()
    fast = kernel.bind(
        {one.name: array for one, array in zip(sg.inputs, arrays, strict=True) if one.constant}
    )
    free = [array for one, array in zip(sg.inputs, arrays, strict=True) if not one.constant]
    result = sg.tensor(sg.outputs[0])
    out = np.empty(result.shape, result.dtype)
    ffi = FFI()
    ffi.cdef("double ansord_peak(int32_t which, int32_t threads, int64_t bytes, double seconds);")
    library = ffi.dlopen(peak_object)
    threads = kernel.info.threads

    def kernel_rate(calls: int) -> float:
        started = time.perf_counter()
        for _ in range(calls):
            fast(*free, out=out)
        return sg.flops * calls / (time.perf_counter() - started)

    library.ansord_peak(0, threads, 0, WARM_S)  # float32; fresh threads need a core each
    calls = max(1, round(SAMPLE_S * kernel_rate(3) / sg.flops))
    best = {"kernel": 0.0, "peak": 0.0}
    for _ in range(PAIRS):
        best["peak"] = max(best["peak"], library.ansord_peak(0, threads, 0, SAMPLE_S))
        best["kernel"] = max(best["kernel"], kernel_rate(calls))
    return best


if __name__ == "__main__":
    print(json.dumps(rates(*sys.argv[1:])))
