"""Choose what to try: evolution over populations, and the proposer that learns from measurements."""

from ansord.search.evolve import Settings, evolve
from ansord.search.proposer import Proposer

__all__ = ["Proposer", "Settings", "evolve"]
