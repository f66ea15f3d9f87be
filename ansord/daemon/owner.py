"""Which daemon publishes into a cache: the note that it leaves there, and how others find its inbox.

`ansord tune` asks, since a cache has one writer. The note counts only while the daemon that wrote it lives.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ansord.daemon.files import replace_text
from ansord.daemon.lease import holder
from ansord.daemon.settings import Settings
from ansord.daemon.status import read_status

NOTE = "daemon.json"


@dataclass(frozen=True, slots=True)
class Owner:
    """A living daemon's places."""

    inbox: Path
    state: Path


@contextlib.contextmanager
def noted(settings: Settings) -> Iterator[None]:
    """Leaves the note for the block; the cache's lock is held. A note that cannot be written is no loss."""
    path = settings.cache / NOTE
    note = {"pid": os.getpid(), "inbox": str(settings.inbox), "state": str(settings.state)}
    with contextlib.suppress(OSError):
        replace_text(path, json.dumps(note).encode() + b"\n")
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink()


def owner_of(settings: Settings) -> Owner | None:
    """The daemon that publishes into `settings.cache`, if one lives: that of our own state directory, else
    the one that the cache names. Waits while ours is only starting."""
    while (status := read_status(settings.state)) is not None:
        if "cache" in status:
            if status["cache"] == str(settings.cache):
                return Owner(Path(status["inbox"]), settings.state)
            break
        time.sleep(0.1)
    try:
        note = json.loads((settings.cache / NOTE).read_bytes())
        found = Owner(Path(note["inbox"]), Path(note["state"]))
        return found if holder(found.state) == note["pid"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
