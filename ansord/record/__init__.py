"""What became of a candidate, as values: the outcomes, and the trial that the journal keeps.

Everybody above floor 2 speaks these; nothing here runs, reads or writes anything.
"""

from ansord.record.outcome import BuildFailed, Crashed, Measured, Outcome, TimedOut, WrongAnswer
from ansord.record.trial import BATCH, FIRST, BadRecord, Trial

__all__ = [
    "BATCH", "FIRST", "BadRecord", "BuildFailed", "Crashed", "Measured", "Outcome", "TimedOut", "Trial",
    "WrongAnswer",
]  # fmt: skip
