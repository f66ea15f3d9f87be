"""ansord: a daemon that finds the fastest verified CPU kernel for a tensor subgraph."""

from __future__ import annotations

__version__ = "0.1.0"
