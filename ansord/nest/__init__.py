"""Structure times numbers: steps and sketches, knobs and populations, programs and their loop nests. Pure."""

from ansord.nest.access import Access, accesses, lane_work, operations, vector_axes
from ansord.nest.knob import SIZES, WINDOW_LIMIT, Knob, itemsize
from ansord.nest.loops import (
    Attach,
    Block,
    Clear,
    Fetch,
    Finish,
    Fits,
    GroupNest,
    Leaf,
    Loop,
    Nest,
    Node,
    Parallel,
    Side,
    Spill,
    Update,
    When,
)
from ansord.nest.population import Rows, Space, distinct
from ansord.nest.program import Program, parse_program
from ansord.nest.region import regions
from ansord.nest.replay import replay
from ansord.nest.sketch import Group, Sketch, along, default_loops
from ansord.nest.step import LEVELS, Define, Fuse, Inline, Loops, Pack, Place, Rfactor, Step, Tile
from ansord.nest.target import Target, target_of
from ansord.nest.tiles import Number, Plan, Reduce, Spatial, ceil, product

__all__ = [
    "Access",
    "Attach",
    "Block",
    "Clear",
    "Define",
    "Fetch",
    "Finish",
    "Fits",
    "Fuse",
    "Group",
    "GroupNest",
    "Inline",
    "Knob",
    "LEVELS",
    "Leaf",
    "Loop",
    "Loops",
    "Nest",
    "Node",
    "Number",
    "Pack",
    "Parallel",
    "Place",
    "Reduce",
    "Rfactor",
    "Plan",
    "Program",
    "Rows",
    "SIZES",
    "Side",
    "Sketch",
    "Space",
    "Spatial",
    "Spill",
    "Step",
    "Target",
    "Tile",
    "WINDOW_LIMIT",
    "Update",
    "When",
    "accesses",
    "along",
    "ceil",
    "default_loops",
    "distinct",
    "itemsize",
    "lane_work",
    "operations",
    "parse_program",
    "product",
    "regions",
    "replay",
    "target_of",
    "vector_axes",
]
