"""Every stage of one task as text, in the order in which they follow from each other: what `show` prints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ansord.emit import Source, emit
from ansord.nest import Program, parse_program, replay
from ansord.record import Trial
from ansord.search import Proposer, Task


@dataclass(frozen=True)
class View:
    """A task, the text of its best program if it has been tuned, and its trials in order."""

    task: Task
    program_text: str | None = None
    trials: Sequence[Trial] = ()
    seed: int = 0

    @cached_property
    def program(self) -> Program:
        """The best program known; for a task never tuned, the one that the estimate likes best."""
        if self.program_text:
            return parse_program(self.program_text, self.task.dag, self.task.target)
        return Proposer(self.task.space, np.random.default_rng(self.seed)).propose(1)[0]

    @cached_property
    def source(self) -> Source:
        """Its C text."""
        return emit(self.program)


def show_dag(view: View) -> str:
    """The tensor expressions."""
    return str(view.task.dag)


def show_sketches(view: View) -> str:
    """The structures that the rules derive."""
    derivation = view.task.derivation
    lines = [f"{position}: {sketch}" for position, sketch in enumerate(derivation.sketches)]
    if derivation.cut:
        lines.append(f"… and {derivation.cut} more, not searched")
    return "\n".join(lines) + "\n"


def show_knobs(view: View) -> str:
    """The numbers to choose, and the program's own."""
    chosen = view.program.knobs
    table = view.task.space.knobs
    return "".join(f"{k.name:24} {k.low}…{k.high:<6} {chosen.get(k.name, '')}\n" for k in table)


def show_program(view: View) -> str:
    """The program's one line."""
    return f"{view.program}\n"


def show_nest(view: View) -> str:
    """The loops."""
    return str(replay(view.program))


def show_c(view: View) -> str:
    """The kernel's C."""
    return view.source.text


def show_curve(view: View) -> str:
    """Every trial that improved on those before."""
    lines, best = [], float("inf")
    for number, trial in enumerate(view.trials, 1):
        if trial.outcome.seconds < best:
            best = trial.outcome.seconds
            lines.append(f"{number:6} {trial.outcome}")
    return "\n".join(lines or ["no trials yet"]) + "\n"


STAGES: tuple[tuple[str, Callable[[View], str]], ...] = (
    ("dag", show_dag),
    ("sketches", show_sketches),
    ("knobs", show_knobs),
    ("program", show_program),
    ("nest", show_nest),
    ("c", show_c),
    ("curve", show_curve),
)
"""Name and text of each stage, in order."""
