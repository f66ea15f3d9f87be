"""Remember and publish: the cache's one writer, and the journal of trials. Readers are the client's."""

from __future__ import annotations

from ansord.store.errors import StoreBusy, StoreError, StoreFull
from ansord.store.files import Files
from ansord.store.journal import Journal, replay
from ansord.store.store import Store
from ansord.store.upkeep import Fault, faults

__all__ = ["Fault", "Files", "Journal", "Store", "StoreBusy", "StoreError", "StoreFull", "faults", "replay"]
