"""The guard of parallel kernels after a fork. OpenMP's threads do not survive one, and libgomp in the child
would wait for them for ever; so whoever starts a team comes by here first.
"""

from __future__ import annotations

import os

from ansord_client.errors import AfterFork

_ran = False
_lost = False


def enter_parallel() -> None:
    """Before every native call that starts a team. Raises AfterFork where that would hang."""
    global _ran
    if _lost:
        raise AfterFork(
            "this process was forked from one that had run a parallel kernel, whose threads are gone here; "
            "start it with multiprocessing's 'spawn' or 'forkserver' method, or fork before the first call"
        )
    _ran = True


def _forked() -> None:
    global _lost
    _lost = _lost or _ran


os.register_at_fork(after_in_child=_forked)
