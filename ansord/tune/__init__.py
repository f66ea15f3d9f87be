"""One task, round by round: the only room that knows both the search and the compiler."""

from ansord.search import Task
from ansord.tune.searcher import Proposal
from ansord.tune.session import RoundReport, Session
from ansord.tune.stages import STAGES, View
from ansord.tune.target import target_for
from ansord.tune.workshop import JOURNAL, MEMORY, Workshop, open_workshop, trials_by_key

__all__ = [
    "JOURNAL",
    "MEMORY",
    "STAGES",
    "Proposal",
    "RoundReport",
    "Session",
    "Task",
    "View",
    "Workshop",
    "open_workshop",
    "target_for",
    "trials_by_key",
]
