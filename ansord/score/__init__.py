"""Judge without running: features of a whole population and the learned cost model. Pure."""

from ansord.score.features import NAMES, VERSION, Judged, judge, paper_cycles
from ansord.score.model import Model, fit, load
from ansord.score.quality import Quality, ceiling, pairwise, quality
from ansord.score.samples import Samples, joined, samples
from ansord.score.statement import Table

__all__ = [
    "NAMES",
    "VERSION",
    "Judged",
    "Model",
    "Quality",
    "Samples",
    "Table",
    "ceiling",
    "fit",
    "joined",
    "judge",
    "load",
    "paper_cycles",
    "pairwise",
    "quality",
    "samples",
]
