"""`python -m benchmarks.networks`: writes the networks, tunes what the cache lacks, times all in turn.

A peer's packages must be in this Python (onnxruntime, openvino, torch); one that is not there says so.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from ansord_client.host import host
from benchmarks.accept.daemon import serving
from benchmarks.paper.measure import Findings, take_turns
from benchmarks.paper.peer import REPO, Peer, open_all

NETWORKS = ("resnet50", "mobilenetv2", "resnet3d18", "dcgan", "bert")
PEERS = ("ansord", "ort", "openvino", "eager", "compiled")
TOKENS = 128
CLOSE = 1e-3
"""How far from ONNX Runtime's answer, beside its largest element, an answer may be."""


def main(arguments: Sequence[str] | None = None) -> int:
    options = parsed(arguments)
    home = options.home.resolve()
    (home / "models").mkdir(parents=True, exist_ok=True)
    peers = [
        Peer(name, sys.executable, {"ANSORD_CACHE": str(home / "cache")}, "benchmarks.networks")
        for name in options.peers
    ]
    rows: list[dict[str, Any]] = []
    try:
        for name in options.only:
            for batch in options.batch:
                told = written(name, batch, home / "models")
                if options.tune:
                    warm(told, home, options.tune)
                rows.append(row(f"{name}_b{batch}", measured(told, peers, options.sample_seconds)))
                print(line(rows[-1]), flush=True)
    finally:
        for peer in peers:
            peer.close()
    ratios = [one["ratio"] for one in rows if one["ratio"]]
    if ratios:
        print(f"against the better of the others: {statistics.geometric_mean(ratios):.2f}")
    if options.json:
        options.json.write_text(json.dumps({"schema_version": 1, "rows": rows}, indent=1) + "\n")
    return 0


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.networks", description=__doc__)
    add = parser.add_argument
    add("--only", nargs="+", default=list(NETWORKS), choices=NETWORKS)
    add("--batch", type=int, nargs="+", default=[1, 16], metavar="N")
    add("--peers", nargs="+", default=list(PEERS), choices=PEERS)
    add("--tune", type=float, default=0.0, metavar="S", help="spend so much on each network's tasks")
    add("--sample-seconds", type=float, default=5.0, metavar="S", help="of taking time, for each network")
    add("--home", type=Path, default=REPO / ".bench" / "networks", metavar="DIR")
    add("--json", type=Path, metavar="FILE", help="the rows, for programs")
    return parser.parse_args(arguments)


def written(name: str, batch: int, folder: Path) -> dict[str, Any]:
    """What the peers are told of one network: its file, its open dimensions, its inputs' names and shapes."""
    place = folder / f"b{batch}"
    path = place / f"{name}.onnx"
    if not path.exists():
        command = [sys.executable, str(REPO / "examples" / "models.py"), str(place)]
        subprocess.run([*command, "--only", name, "--batch", str(batch)], check=True)
    dims = {"batch": batch, "sequence": TOKENS} if name == "bert" else {}
    inputs = []
    for one in onnx.load(path, load_external_data=False).graph.input:
        kind = one.type.tensor_type
        shape = [dim.dim_value or dims[dim.dim_param] for dim in kind.shape.dim]
        inputs.append((one.name, shape, onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type).name))
    return {"model": str(path), "dims": dims, "batch": batch, "inputs": inputs}


def warm(told: dict[str, Any], home: Path, seconds: float) -> None:
    """Drops the network's tasks and lets a daemon work on them for so long."""
    dims = [f"--dim={name}={value}" for name, value in told["dims"].items()]
    with serving(home) as daemon:
        daemon.warm(told["model"], seconds, *dims, "--min-coverage=0")


def measured(told: dict[str, Any], peers: Sequence[Peer], seconds: float) -> Findings:
    found = Findings()
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory(prefix="ansord-bench-") as name:
        paths = []
        for place, (_, shape, dtype) in enumerate(told["inputs"]):
            drawn = rng.standard_normal(shape) if np.dtype(dtype).kind == "f" else np.ones(shape)
            paths.append(os.path.join(name, f"input-{place}.npy"))
            np.save(paths[-1], drawn.astype(dtype))
        words = open_all(peers, told, paths, Path(name), host().threads)
        answered = [peer for peer, word in words.items() if "none" not in word]
        said = {peer: answers(os.path.join(name, f"{peer}.npy")) for peer in answered}
    for peer, word in words.items():
        if "none" in word:
            found.none[peer] = word["none"]
        elif not (error := furthest(said[peer], said.get("ort", said[peer]))) <= CLOSE:
            found.none[peer] = f"{error:.1e} from ONNX Runtime's answer"
        else:
            found.way[peer], found.samples[peer] = word["way"], []
    take_turns(found, peers, seconds, lambda _: None)
    return found


def answers(path: str) -> list[np.ndarray]:
    """One for each output of the network."""
    with np.load(path) as found:
        return [found[name] for name in found.files]


def furthest(got: Sequence[np.ndarray], wanted: Sequence[np.ndarray]) -> float:
    """The largest distance of an output; infinite where one is no number, or they are not as many."""
    if len(got) != len(wanted):
        return math.inf
    found = [distance(one, other) for one, other in zip(got, wanted, strict=True)]
    return math.inf if any(map(math.isnan, found)) else max(found, default=0.0)


def distance(got: np.ndarray, wanted: np.ndarray) -> float:
    """The largest difference, beside the largest element."""
    return float(np.abs(got - wanted).max() / np.abs(wanted).max()) if got.shape == wanted.shape else math.inf


def row(name: str, found: Findings) -> dict[str, Any]:
    """Medians in milliseconds, and how many times faster than the best of the others ansord is."""
    medians = {peer: statistics.median(seconds) * 1e3 for peer, seconds in found.samples.items()}
    others = [value for peer, value in medians.items() if peer != "ansord"]
    ratio = min(others) / medians["ansord"] if others and "ansord" in medians else None
    return {"name": name, "ms": medians, "ratio": ratio, "way": found.way, "none": found.none}


def line(row: dict[str, Any]) -> str:
    times = "  ".join(f"{peer} {value:.2f} ms" for peer, value in row["ms"].items())
    ratio = f"  {row['ratio']:.2f}" if row["ratio"] else ""
    why = "".join(f"  {peer}: {word}" for peer, word in row["none"].items())
    return f"{row['name']:15}{ratio}  {times}  ({row['way'].get('ansord', 'not run')}){why}"


if __name__ == "__main__":
    sys.exit(main())
