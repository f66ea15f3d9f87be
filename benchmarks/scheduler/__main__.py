"""The task scheduler in figures.

python -m benchmarks.scheduler replay          trials and seconds to round robin's final latency, as a share
python -m benchmarks.scheduler plot            the same as pictures, beside round robin ("no scheduler")
python -m benchmarks.scheduler scale           milliseconds and memory of 10,000 tasks: a plan, a status
python -m benchmarks.scheduler record          tunes ResNet-50's tasks anew (13 minutes)
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import anyio
import numpy as np

from ansord.daemon.plan import Order, Plan
from ansord.daemon.spool import Drop
from ansord.daemon.tuner import progress
from ansord.record import BATCH, FIRST
from ansord.scheduler import PAPER, Rules, State, Table, choose, similar
from ansord_client.subgraph import Subgraph, Use
from benchmarks.scheduler.curves import Curve, fitted, recorded
from benchmarks.scheduler.plot import draw
from benchmarks.scheduler.resnet50 import subgraphs
from benchmarks.scheduler.simulate import gradient, reached, round_robin, run

EACH = tuple(FIRST + BATCH * rounds for rounds in (3, 7))
"""Trials of each task under round robin: a quarter and a half of what is recorded of it."""
SEEDS = 5


def network(curves: Mapping[str, Curve]) -> tuple[State, ...]:
    """The 24 tasks, each with as many trials as its curve has."""
    found = map(Subgraph.from_dict, subgraphs())
    return tuple(
        State(one.name, curves[one.name].trials, uses=one.uses, flops=one.flops, group=similar(one),
              least=curves[one.name].least)
        for one in found
    )  # fmt: skip


def share(curves: Mapping[str, Curve], rules: Rules, each: int) -> tuple[float, float]:
    """Trials and seconds that the scheduler needs for round robin's last latency, as shares of its."""
    states = network(curves)
    *_, last = run(states, curves, round_robin(each))
    rules = replace(rules, mature=1 << 30)  # the budget is all that ends a run
    shares = []
    for seed in range(SEEDS):
        found = reached(run(states, curves, gradient(rules, seed)), last.latency)
        assert found is not None, "a run ends with all that the curves have"
        shares.append((found.trials / last.trials, found.seconds / last.seconds))
    trials, seconds = zip(*shares, strict=True)
    return statistics.median(trials), statistics.median(seconds)


def replay() -> None:
    """Two recordings and the power laws through them; the medians of the seeds."""
    print("each  curves        rules     trials  seconds   of round robin's")
    for seed in (0, 1):
        found = recorded(seed)
        laws = {name: fitted(curve) for name, curve in found.items()}
        sources: tuple[tuple[str, Mapping[str, Curve]], ...] = (("recorded", found), ("power law", laws))
        for each in EACH:
            for name, curves in sources:
                for said, rules in (("ours", Rules()), ("paper's", PAPER)):
                    trials, seconds = share(curves, rules, each)
                    print(f"{each:4}  {name:9} {seed}  {said:8} {trials:7.2f} {seconds:8.2f}")


def crowd(count: int, generator: np.random.Generator) -> list[State]:
    """Tasks of a hundred models in the middle of their tuning."""
    states = []
    for number in range(count):
        uses = (Use(f"m{number % 100}", 1.0), Use("shared", 2.0))
        state = State(str(number), 256, 600.0, uses, flops=10**8, group=f"g{number % 500}")
        curve = state.curve
        for best in 1e-3 * np.minimum.accumulate(generator.random(8)):
            curve = curve.extended(16, 1.0, float(best))
        states.append(replace(state, curve=curve))
    return states


def queued(count: int) -> Plan:
    """So many layers of a hundred models, dropped and not begun."""
    plan = Plan()
    for number in range(count):
        layer = Subgraph.from_dict({
            "ansord": 1, "name": f"l{number}", "for": [{"model": f"m{number % 100}"}],
            "inputs": [{"name": "x", "shape": [number + 1, 48]}],
            "nodes": [{"name": "y", "op": "relu", "args": ["x"]}], "outputs": ["y"],
        })  # fmt: skip
        plan.add(Order(Drop(number, layer.name, b"", 0.0), layer))
    return plan


def scale(count: int = 10_000, turns: int = 50) -> None:
    """Each turn makes a new state of one task and plans with all of them."""
    generator = np.random.default_rng(0)
    states = crowd(count, generator)
    took = []
    for turn in range(turns):
        started = time.perf_counter()
        choice = choose(Table(tuple(states)), Rules(), generator, 0.0)
        took.append(time.perf_counter() - started)
        place = choice.next
        assert place is not None
        grown = states[place].curve.extended(16, 1.0, states[place].curve.best * 0.99)
        states[place] = replace(states[place], curve=grown, turn=turn + 1)
    took_ms = sorted(1e3 * one for one in took)
    queue, now = queued(count), time.time()
    for _ in range(3):
        given = queue.next(now)
        assert given is not None
        queue.heard(given.task, FIRST, 1e-3, 1.0, 1e-4)
    started = time.perf_counter()
    text = json.dumps([progress(task, None, queue.outlook(task)) for task in queue])
    print(f"their status: {1e3 * (time.perf_counter() - started):.0f} ms, {len(text) >> 10} KiB")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{count} tasks: a turn is planned in {statistics.median(took_ms):.1f} ms (worst {took_ms[-1]:.1f})"
    )
    print(f"memory of the whole process: {memory:.0f} MiB")


def main() -> None:
    """Read the options."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("what", choices=("replay", "scale", "plot", "record"))
    parser.add_argument("--trials", type=int, default=256, help="of each task, for record")
    parser.add_argument("--seed", type=int, default=1, help="of the search, for record and plot")
    parser.add_argument("--seeds", type=int, default=10, help="of the scheduler, for plot")
    parser.add_argument("--into", type=Path, default=Path(".bench/ablations"), metavar="DIR", help="for plot")
    options = parser.parse_args()
    if options.what == "record":
        from benchmarks.scheduler.record import record

        anyio.run(record, options.trials, options.seed, float("inf"))
    elif options.what == "plot":
        curves = recorded(options.seed)
        print(*draw(network(curves), curves, options.into, options.seeds), sep="\n")
    else:
        {"replay": replay, "scale": scale}[options.what]()


if __name__ == "__main__":
    main()
