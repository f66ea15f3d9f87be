"""Structure times numbers: steps and sketches, knobs and populations, programs and their loop nests. Pure."""

from ansord.nest.loops import Nest
from ansord.nest.program import Program, parse_program
from ansord.nest.replay import replay
from ansord.nest.sketch import Group, Sketch, default_loops
from ansord.nest.target import Target, target_of

__all__ = [
    "Group", "Nest", "Program", "Sketch", "Target", "default_loops", "parse_program", "replay", "target_of",
]  # fmt: skip
