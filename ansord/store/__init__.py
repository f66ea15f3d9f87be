"""Remember and publish: the cache's one writer, and the journal of trials. Readers are the client's."""

from __future__ import annotations

from .errors import StoreBusy, StoreError, StoreFull
from .files import Files
from .journal import Journal, replay
from .store import Store
from .upkeep import Fault, faults

__all__ = ["Fault", "Files", "Journal", "Store", "StoreBusy", "StoreError", "StoreFull", "faults", "replay"]
