"""Threads for what is done once, when a model is loaded: NumPy and native code let others run meanwhile."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

MOST = 8
"""More of them would wait for memory."""


def workers() -> ThreadPoolExecutor:
    """As many as this process has CPUs; they begin what they are given in its order."""
    return ThreadPoolExecutor(min(MOST, len(os.sched_getaffinity(0))), "ansord-load")
