"""How soon a search is done: what it publishes after 32 and 96 trials beside what it does after 1,000.

    python -m benchmarks.search converge [--only REGEX] [--into DIR] [--marks 32 96 1000] [--seconds S]

One search for each of the paper's cases, those of batch 1 unless told otherwise. What is published at each
mark is kept, and in the end all of them are measured in turn in fresh processes: the search's own minimum,
which is partly luck, judges nothing. A case that is done is kept in DIR/converge.json while the sources and
the machine stay the same.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ansord.measure import Candidate, Race
from ansord.search import Task
from ansord.tune import Session
from benchmarks.paper import cases
from benchmarks.search.sessions import Bench, add_budget, opened, resumed, searched_until

MARKS = (32, 96, 1000)
WANTED = {32: ("median", 0.5), 96: ("worst tenth", 0.9)}
"""Of each mark, the quantile over the cases that is to be within `WITHIN` of the last."""
WITHIN = 0.03

Found = dict[str, Any]
"""gaps: by mark, the time of its winner over the last mark's, less one; seconds, trials: of the search."""


def arguments(parser: argparse.ArgumentParser) -> None:
    add_budget(parser, ".bench/converge")
    parser.add_argument("--only", default="", metavar="REGEX", help="cases by name, such as c2d_3_b1")
    parser.add_argument("--batch", type=int, nargs="+", default=[1], metavar="N")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--marks", type=int, nargs="+", default=list(MARKS), help="trials; the last judges")


def run(options: argparse.Namespace) -> None:
    """Does the cases that are missing, for at most so long; then the verdict."""
    marks = sorted(options.marks)
    steps = {
        f"{case.name}/{options.seed}/{marks}": partial(converged, case=case, seed=options.seed, marks=marks)
        for case in cases.table(options.batch, options.only)
        if "-" not in case.operator
    }
    print(verdict(resumed(options.into / "converge.json", steps, options.seconds, line)))


async def converged(shared: Bench, case: cases.Case, seed: int, marks: Sequence[int]) -> Found:
    """One case."""
    task = Task(case.subgraph, shared.tools.target)
    winners: list[Candidate] = []
    try:
        async with opened(shared, task, seed) as session:
            started, took = time.monotonic(), []
            for mark in marks:
                await searched_until(session, mark)
                took.append(round(time.monotonic() - started, 2))
                winners.append(published(session, shared.place / f"{case.name}-{mark}.so"))
            gaps = await raced(session, winners)
    finally:
        for winner in winners:
            winner.path.unlink(missing_ok=True)
    return {"gaps": dict(zip(map(str, marks), gaps, strict=True)), "seconds": took, "trials": session.trials}


def published(session: Session, path: Path) -> Candidate:
    """What a client would get now, kept for later."""
    entry = session.best
    code = None if entry is None else session.tools.store.code(entry)
    if entry is None or code is None:
        raise RuntimeError(f"{session.task.subgraph.name}: nothing published in {session.trials} trials")
    path.write_bytes(code)
    return Candidate(path, entry.packed_bytes, entry.scratch_bytes, entry.relaxed)


async def raced(session: Session, winners: Sequence[Candidate]) -> list[float]:
    """Each one's time over the last one's, less one. A kernel that was not replaced is the last itself."""
    code = [winner.path.read_bytes() for winner in winners]
    others = [place for place, one in enumerate(code) if one not in code[place + 1 :]]
    gaps = [0.0] * len(winners)
    if len(others) > 1:
        race = await (await session.runner()).race([winners[place] for place in others])
        if not isinstance(race, Race):
            raise RuntimeError(f"{session.task.subgraph.name}: a winner fails: {race}")
        by = {code[place]: paired.ratio - 1 for place, paired in zip(others, race.against_last, strict=True)}
        gaps = [by[one] for one in code]
    return [round(gap, 4) for gap in gaps]


def line(name: str, found: Found) -> str:
    """One case in words."""
    gaps = list(found["gaps"].items())[:-1]
    words = ", ".join(f"{gap:+.1%} after {mark}" for mark, gap in gaps)
    return f"{name}: {words}; {found['trials']} trials in {found['seconds'][-1]:.0f} s"


def verdict(done: Mapping[str, Found]) -> str:
    """Each mark's figures over the cases, and what is wanted."""
    lines = [f"{len(done)} cases"]
    for mark in next(iter(done.values()))["gaps"] if done else ():
        gaps = np.array([found["gaps"][mark] for found in done.values() if mark in found["gaps"]])
        text = f"after {mark}: median {np.median(gaps):+.1%}, worst tenth {np.quantile(gaps, 0.9):+.1%}"
        if int(mark) in WANTED:
            name, share = WANTED[int(mark)]
            text += f"; wanted: {name} within {WITHIN:.0%}, "
            text += "kept" if np.quantile(gaps, share) <= WITHIN else "MISSED"
        lines.append(text)
    return "\n".join(lines)
