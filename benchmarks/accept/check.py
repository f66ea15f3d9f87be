"""A process that has only the client: loads the published kernel of a file, calls it, judges its answers.

    python check.py CACHE FILE      prints {"wrong": why or "", "share": error over tolerance}

The inputs are others than the daemon's own, from another seed.
"""

from __future__ import annotations

import json
import sys

import numpy as np

import ansord_client as client
from ansord_client.compare import answers, draws, judge

SEED = 20


def check(cache: str, file: str) -> dict[str, object]:
    """Every draw that the subgraph admits: called plainly, and bound with an output given. A kernel whose
    definition changes rounding is judged by the rule of normal draws, where all is finite."""
    sg = client.load_subgraph(file)
    kernel = client.Client(cache=cache).get_kernel(sg)
    share, relaxed = 0.0, bool(kernel.info["relaxed"])
    for kind, arrays in draws(sg, SEED):
        if relaxed and kind == "special":
            continue
        ref64, ref32 = answers(sg, arrays)
        named = {one.name: array for one, array in zip(sg.inputs, arrays, strict=True) if one.constant}
        free = [array for one, array in zip(sg.inputs, arrays, strict=True) if not one.constant]
        out = tuple(np.empty(one.shape, one.dtype) for one in ref64)
        kernel.bind(named)(*free, out=out)
        plain = kernel(*arrays)
        for got in (plain if isinstance(plain, tuple) else (plain,), out):
            verdict = judge(sg, got, ref64, ref32, "normal" if relaxed else kind)
            if not verdict.ok:
                return {"wrong": f"{kind}: {verdict.message}", "share": share}
            if verdict.tolerance:
                share = max(share, verdict.worst_error / verdict.tolerance)
    return {"wrong": "", "share": round(share, 4)}


if __name__ == "__main__":
    print(json.dumps(check(*sys.argv[1:])))
