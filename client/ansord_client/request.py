"""Asking the daemon for a kernel, and hearing that it gave up.

Called by the client on a miss. A subgraph is dropped as KEY.json, at most once per process and key in ten
minutes; a failure is told by `failed/KEY.error.json`, which counts only if it is newer than the drop.
"""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path

from ansord_client.drop import drop
from ansord_client.errors import TuningFailed
from ansord_client.subgraph import Subgraph

AGAIN_S = 600.0

_Mark = tuple[int, int] | None
_asked: dict[tuple[str, str], tuple[float, _Mark]] = {}
_lock = threading.Lock()


def request(inbox: Path, sg: Subgraph) -> None:
    """Drop `sg` unless this process did so lately. Raises OSError where the inbox cannot be written."""
    slot = (str(inbox), sg.key)
    with _lock:
        asked = _asked.get(slot)
        if asked and time.monotonic() - asked[0] < AGAIN_S:
            return
        mark = _mark(_error_file(inbox, sg.key))
        drop(inbox, f"{sg.key}.json", json.dumps(sg.to_dict(), indent=1).encode())
        _asked[slot] = (time.monotonic(), mark)


def raise_failure(inbox: Path, key: str) -> None:
    """Raises TuningFailed if the daemon has given up what was asked for here; else does nothing."""
    asked = _asked.get((str(inbox), key))
    path = _error_file(inbox, key)
    mark = _mark(path)
    if asked is None or mark is None or mark == asked[1]:
        return
    raise TuningFailed(_text(path))


def _error_file(inbox: Path, key: str) -> Path:
    return inbox / "failed" / f"{key}.error.json"


def _mark(path: Path) -> _Mark:
    """Changes whenever the file is written anew."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def _text(path: Path) -> str:
    try:
        error = json.loads(path.read_bytes())
        cause, hint = error["cause"], error.get("hint") or ""
        text = f"{error['path']}: {cause}: found {error['found']}, wanted {error['wanted']}"
        return f"{text}; {hint}" if hint else text
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return f"the daemon gave up; see {path}"


def _forked() -> None:
    """A child is a process of its own, and another thread may have held the lock."""
    global _lock
    _lock = threading.Lock()
    _asked.clear()


os.register_at_fork(after_in_child=_forked)
