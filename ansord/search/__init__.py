"""Choose what to try: evolution over populations, and the proposer that learns from measurements."""

from ansord.search.ablated import AtRandom
from ansord.search.assess import Assessment, assess
from ansord.search.evolve import Settings, evolve
from ansord.search.knowledge import Knowledge
from ansord.search.known import Known, packed, unpacked
from ansord.search.prior import shipped
from ansord.search.proposer import Proposer
from ansord.search.task import Task

__all__ = [
    "Assessment",
    "AtRandom",
    "Knowledge",
    "Known",
    "Proposer",
    "Settings",
    "Task",
    "assess",
    "evolve",
    "packed",
    "shipped",
    "unpacked",
]
