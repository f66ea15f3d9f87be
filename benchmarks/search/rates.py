"""How many candidates a second are judged: features and prediction of a random population.

    python -m benchmarks.search rates [--seconds 3] [--rows 4096] [paper/c2d_3]

The searching process computes on one thread, so two cores are two processes side by side. Once with rows of
the sketch that has most of the random ones' best, once with rows of all sketches.
"""

from __future__ import annotations

import argparse
import os
import time
from multiprocessing import get_context

import numpy as np
from threadpoolctl import threadpool_limits

from ansord.nest import Rows, Space
from ansord.score import Model, judge
from ansord.search import Knowledge, Task, shipped
from ansord.sketch import annotate
from ansord.tune import target_for
from ansord_client.host import host
from ansord_client.subgraph import load_subgraph
from benchmarks.search.record import EXAMPLES

WANTED = 200_000


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", default="paper/c2d_3", metavar="EXAMPLE")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    parser.add_argument("--rows", type=int, default=4096, help="of a population")


def run(options: argparse.Namespace) -> None:
    """Measure and print."""
    target = target_for(host())
    task = Task(load_subgraph(EXAMPLES / f"{options.name}.json"), target)
    model = Knowledge(shipped(target.vector_bytes)).fit("", None, seed=0)
    cores = len(os.sched_getaffinity(0))
    every = population(task.space, options.rows, None)
    scores = model.predict(judge(task.space, every))
    best = int(np.bincount(every[np.argsort(scores)[: len(every) // 10], 0]).argmax())
    one = population(task.space, options.rows, best)
    print(f"{options.name}, {options.rows} rows at once, candidates a second on 1 and on {cores} processes")
    for words, rows in ((f"sketch {best}", one), (f"all {len(task.space.sketches)} sketches", every)):
        for what, judging in (("features", None), ("features and prediction", model)):
            single, all_ = (
                together(task.space, rows, judging, options.seconds, count) for count in (1, cores)
            )
            print(f"{words:16}{what:26}{single:12,.0f}{all_:12,.0f}", flush=True)
    print(f"wanted: {WANTED:,} of one conv2d sketch, features and prediction, on two cores")


def population(space: Space, count: int, sketch: int | None) -> Rows:
    """Random rows of one sketch or of all, repeated where there are not so many."""
    rows = annotate(space, count, np.random.default_rng(0), None if sketch is None else [sketch])
    return np.resize(rows, (count, rows.shape[1]))


def rate(space: Space, rows: Rows, model: Model | None, seconds: float) -> float:
    """Candidates a second of this process, for about so long; without a model, features alone."""
    with threadpool_limits(1):
        if model is not None:
            model.predict(judge(space, rows))  # the first call makes tables
        done, started = 0, time.perf_counter()
        while (took := time.perf_counter() - started) < seconds or not done:
            judged = judge(space, rows)
            if model is not None:
                model.predict(judged)
            done += len(rows)
        return done / took


def together(space: Space, rows: Rows, model: Model | None, seconds: float, count: int) -> float:
    """The rates of so many processes at the same time, added up."""
    with threadpool_limits(1):
        context = get_context("fork")
        queue = context.SimpleQueue()

        def work() -> None:
            queue.put(rate(space, rows, model, seconds))

        started = [context.Process(target=work) for _ in range(count)]
        for process in started:
            process.start()
        found = sum(queue.get() for _ in started)
        for process in started:
            process.join()
    return float(found)
