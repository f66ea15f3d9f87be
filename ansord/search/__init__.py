"""Choose what to try: evolution over populations, and the proposer that learns from measurements."""

from ansord.search.at_random import AtRandom
from ansord.search.evolve import Settings, evolve
from ansord.search.knowledge import Knowledge, shipped
from ansord.search.proposer import Proposer
from ansord.search.task import Task

__all__ = ["AtRandom", "Knowledge", "Proposer", "Settings", "Task", "evolve", "shipped"]
