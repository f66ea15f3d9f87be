"""Records how the best of each ResNet-50 task falls over trials and seconds, for the simulation to replay.

    python -m benchmarks.scheduler record [--trials 256] [--seed 1]

It tunes every task on this machine (13 minutes on two cores) and adds what it saw to curves.json: only the
trials that improved, and the seconds that each round took. A task that is there already is left alone.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any

from ansord.scheduler import roof
from ansord.tune import Workshop, open_workshop
from ansord_client.subgraph import Subgraph
from benchmarks.scheduler.resnet50 import subgraphs

CURVES = Path(__file__).with_name("curves.json")


async def record(trials: int, seed: int, patience_s: float) -> int:
    """Tunes what is missing for about `patience_s` seconds; how many tasks are still missing."""
    curves: dict[str, Any] = json.loads(CURVES.read_text()) if CURVES.exists() else {}
    wanted = {f"{one['name']}/{seed}": Subgraph.from_dict(one) for one in subgraphs()}
    missing = [name for name in wanted if name not in curves]
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        async with open_workshop(root / "cache", root / "state", seed=seed) as workshop:
            while missing and time.monotonic() - started < patience_s:
                name = missing.pop(0)
                curves[name] = await _curve(workshop, wanted[name], trials)
                _save(curves)
                print(name, curves[name]["falls"][-1], f"{sum(curves[name]['seconds']):.1f} s", flush=True)
    return len(missing)


async def _curve(workshop: Workshop, subgraph: Subgraph, trials: int) -> dict[str, Any]:
    """One task's rounds: [trial, µs] of each improvement, trials and seconds of each round."""
    session = await workshop.open(subgraph)
    rounds: list[int] = []
    seconds: list[float] = []
    try:
        while session.trials < trials and not session.done:
            report = await session.round(trials - session.trials)
            rounds.append(len(report.trials))
            seconds.append(round(report.seconds, 3))
    finally:
        await session.close()
    falls = [
        [number, round(best * 1e6, 3)]
        for number, best in enumerate(session.curve, 1)
        if best < (session.curve[number - 2] if number > 1 else float("inf"))
    ]
    best = session.best
    assert best is not None
    return {"least": round(roof(best) * 1e6, 3), "falls": falls, "rounds": rounds, "seconds": seconds}


def _save(curves: dict[str, Any]) -> None:
    """One task a line, so that a new recording reads well as a difference."""
    lines = [f" {json.dumps(name)}: {json.dumps(curve)}" for name, curve in sorted(curves.items())]
    CURVES.write_text("{\n" + ",\n".join(lines) + "\n}\n")
