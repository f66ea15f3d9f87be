"""A program: one sketch and one value for each knob. Prints itself, and the text parses back."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

from ansord.dag import Dag
from ansord.nest.knob import neutral
from ansord.nest.plan import plans
from ansord.nest.sketch import Sketch, factorised
from ansord.nest.step import parse_step
from ansord.nest.target import Target
from ansord.nest.tiles import Plan


@dataclass(frozen=True)
class Program:
    """One row of a population with its sketch: everything that the C text depends on."""

    sketch: Sketch
    target: Target
    values: tuple[tuple[str, int], ...]
    """Knob name and value, of the knobs that the sketch uses."""

    @cached_property
    def knobs(self) -> dict[str, int]:
        """`values` by name."""
        return dict(self.values)

    @cached_property
    def plans(self) -> dict[str, Plan]:
        """The tiles of every group by name, as Python integers."""

        def value(name: str) -> int:
            return self.knobs.get(name, neutral(name))

        return {name: _plain(tiles) for name, tiles in plans(self.sketch, self.target, value).items()}

    def __str__(self) -> str:
        return f"{self.sketch} | {' '.join(f'{name}={value}' for name, value in self.values)}"


def _plain(tiles: Plan) -> Plan:
    """NumPy scalars back to Python integers, so that texts and divisions are plain."""

    def side(value: Any) -> Any:
        return replace(value, **{f.name: int(getattr(value, f.name)) for f in fields(value)})

    numbers = {
        f.name: int(getattr(tiles, f.name)) for f in fields(tiles) if f.name not in ("spatial", "reduce")
    }
    return Plan(
        {name: side(axis) for name, axis in tiles.spatial.items()},
        {name: side(axis) for name, axis in tiles.reduce.items()},
        **numbers,
    )


def parse_program(text: str, dag: Dag, target: Target) -> Program:
    """The program of `dag` that prints as `text`.

    :raises ValueError: not such a text, or steps for stages that the dag lacks.
    """
    structure, found, numbers = text.partition(" | ")
    if not found:
        raise ValueError("no ' | ' between steps and knobs")
    steps = tuple(parse_step(step) for step in structure.split("; "))
    try:
        dag = factorised(dag, steps)
    except KeyError as error:
        raise ValueError(f"no stage, axis or rewrite {error}") from error
    for step in steps:
        if step.stage not in dag.by_name:
            raise ValueError(f"no stage {step.stage}")
    pairs = (pair.partition("=") for pair in numbers.split())
    return Program(Sketch(dag, steps), target, tuple((name, int(value)) for name, _, value in pairs))
