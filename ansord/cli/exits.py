"""Exit codes by name, and which mistake ends with which. The numbers are those of sysexits.h."""

from __future__ import annotations

from ansord_client.errors import AnsordError, BadConfig, BadModel, BadSubgraph, Timeout

OK = 0
FAILED = 1
USAGE = 2
BAD_SUBGRAPH = 65
NO_DAEMON = 69
DEADLINE = 75
PERMISSION = 77
CONFIG = 78


class NoDaemon(AnsordError):
    """Nobody serves here."""


class Usage(AnsordError):
    """Options that do not go together."""


def code_of(error: BaseException) -> int:
    """The exit code that a mistake deserves: its own, or that of what caused it."""
    from ansord.build import NoCompiler
    from ansord.daemon import Held
    from ansord.store import StoreBusy

    table: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], int], ...] = (
        ((BadSubgraph, BadModel), BAD_SUBGRAPH),
        ((BadConfig, NoCompiler), CONFIG),
        (NoDaemon, NO_DAEMON),
        ((Timeout, Held, StoreBusy), DEADLINE),
        (Usage, USAGE),
        (PermissionError, PERMISSION),
    )
    for kinds, code in table:
        if isinstance(error, kinds):
            return code
    return code_of(error.__cause__) if error.__cause__ is not None else FAILED
