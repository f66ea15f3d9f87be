"""Logs: structlog on stderr. Under journald JSON lines with a priority, at a terminal text; never a file.

Called once by the command line before anything logs.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

import structlog

PRIORITY = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
"""syslog's, which journald reads from a leading `<N>`."""


def configure_logs(level: str = "info", json: bool | None = None) -> None:
    """`json`: None means JSON unless stderr is a terminal."""
    as_json = not sys.stderr.isatty() if json is None else json
    journal = "JOURNAL_STREAM" in os.environ
    processors: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if as_json:
        processors += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        plain = structlog.dev.plain_traceback
        colors = sys.stderr.isatty()
        processors.append(structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=plain))
    if journal:
        processors.append(_with_priority)
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.getLogger("watchdog").addHandler(logging.NullHandler())


def _with_priority(_: Any, method: str, line: str) -> str:
    return f"<{PRIORITY.get(method, 6)}>{line}"
