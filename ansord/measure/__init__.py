"""Run it where it cannot hurt: is a kernel right, how fast is it, and what could this machine do at all.

`tune` opens a Stand and takes runners from it. Candidates are loaded in child processes, never here.
"""

from ansord.measure.answers import MeasureFailed
from ansord.measure.lock import MeasureLock
from ansord.measure.peak import peak
from ansord.measure.runner import Runner
from ansord.measure.stand import Stand
from ansord.measure.statistics import latency_interval
from ansord.measure.values import Budget, Candidate, Level, Paired, Peak, Race

__all__ = [
    "Budget",
    "Candidate",
    "Level",
    "MeasureFailed",
    "MeasureLock",
    "Paired",
    "Peak",
    "Race",
    "Runner",
    "Stand",
    "latency_interval",
    "peak",
]
