"""Many tasks over time: an inbox, a plan, a tuner and a publisher under one small supervisor."""

from __future__ import annotations

from ansord.daemon.foreground import tune_all
from ansord.daemon.kernel import Fatal
from ansord.daemon.lease import Held, holder
from ansord.daemon.log import configure_logs
from ansord.daemon.owner import owner_of
from ansord.daemon.serve import opening, serve
from ansord.daemon.settings import Settings, load_settings
from ansord.daemon.status import read_status

__all__ = [
    "Fatal",
    "Held",
    "Settings",
    "configure_logs",
    "holder",
    "load_settings",
    "opening",
    "owner_of",
    "read_status",
    "serve",
    "tune_all",
]
