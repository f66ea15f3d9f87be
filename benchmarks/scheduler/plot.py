"""The paper's "no scheduler" as pictures: a network's latency over the trials and seconds of all its tasks.

    python -m benchmarks.scheduler plot [--into .bench/ablations]

The scheduler and the paper's gradient with several seeds, and round robin, on the curves that `record` wrote.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ansord.scheduler import PAPER, Rules, State
from benchmarks.scheduler.curves import Curve
from benchmarks.scheduler.simulate import Moment, Policy, gradient, round_robin, run
from benchmarks.search.plot import curves_svg


def draw(states: tuple[State, ...], curves: Mapping[str, Curve], into: Path, seeds: int) -> list[Path]:
    """Writes resnet50-trials.svg and resnet50-seconds.svg, from where each task has a kernel on."""
    each = max(state.trials_wanted for state in states)
    policies: dict[str, list[Policy]] = {
        "scheduler": [gradient(Rules(), seed) for seed in range(seeds)],
        "paper's": [gradient(PAPER, seed) for seed in range(seeds)],
        "round robin": [round_robin(each)],
    }
    runs: dict[str, list[list[Moment]]] = {
        name: [list(run(states, curves, policy)) for policy in some] for name, some in policies.items()
    }
    into.mkdir(parents=True, exist_ok=True)
    paths = []
    for axis in ("trials", "seconds"):
        points = {
            name: [[(float(getattr(one, axis)), one.latency * 1e6) for one in moments] for moments in some]
            for name, some in runs.items()
        }
        paths.append(into / f"resnet50-{axis}.svg")
        paths[-1].write_text(curves_svg("ResNet-50", axis, points))
    return paths
