"""The settings, read once at the start and passed down; nobody else looks at the environment or the file.

The fields that the client has too (cache, inbox, state, threads, user) and the daemon's own, all from the
same options, ANSORD_* variables and ansord.toml. Unlike the client, the daemon refuses an unknown field.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from ansord.scheduler import OBJECTIVES, Rules
from ansord_client.config import NAMES, load_config
from ansord_client.errors import BadConfig

LOG_LEVELS = ("debug", "info", "warning", "error")


@dataclass(frozen=True, slots=True)
class Settings:
    """`origin` says of every field where its value came from: option, environment, file or default."""

    cache: Path
    inbox: Path
    state: Path
    threads: int | None = None
    """CPUs of a kernel; None: what the affinity mask and the cgroup quota grant."""
    user: str = "ansord"
    compiler: str | None = None
    """A path or a name; None: gcc, else clang."""
    builders: int = 2
    """Compilers at work at the same time."""
    keep_days: float = 30.0
    """How long `done` and `failed` keep a drop."""
    rescan_seconds: float = 30.0
    """How often the inbox is read although no event came."""
    seed: int = 0
    objective: str = "latency"
    """What turns are given for: the summed latency of all models, or the geometric mean of their speedups."""
    patience: int | None = None
    """Trials of a task without any gain, after which it is given no more; None: as many as it wants."""
    log_level: str = "info"
    file: Path | None = None
    origin: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def rules(self) -> Rules:
        """How turns are given."""
        return Rules(objective=self.objective, patience=self.patience)


_WANTED = {
    "compiler": "the path or the name of a C compiler",
    "builders": "a whole number from 1 to 256",
    "keep_days": "a number from 0 to 3650",
    "rescan_seconds": "a number from 0.1 to 3600",
    "seed": "a whole number of at least 0",
    "objective": f"one of {', '.join(OBJECTIVES)}",
    "patience": "a whole number of at least 1",
    "log_level": f"one of {', '.join(LOG_LEVELS)}",
}
OWN = tuple(_WANTED)
"""The fields of ansord.toml that are the daemon's alone."""


def load_settings(
    options: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None
) -> Settings:
    """The settings. `options`: None means not given. Raises BadConfig and says where and what was wanted."""
    options = {name: value for name, value in (options or {}).items() if value is not None}
    environ = os.environ if environ is None else environ
    config = load_config({name: options[name] for name in (*NAMES, "config") if name in options}, environ)
    for name in config.rest:
        if name not in OWN:
            near = difflib.get_close_matches(name, (*NAMES, *OWN), 1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join((*NAMES, *OWN))}"
            raise BadConfig(f"{config.file}: {name}: no such field; {hint}")
    found: dict[str, Any] = {}
    origin = dict(config.origin)
    for name in OWN:
        variable = f"ANSORD_{name.upper()}"
        if name in options:
            found[name], origin[name] = _value(name, options[name], f"option {name}"), "option"
        elif environ.get(variable):
            found[name], origin[name] = _value(name, _number(environ[variable]), variable), "environment"
        elif name in config.rest:
            found[name], origin[name] = _value(name, config.rest[name], f"{config.file}: {name}"), "file"
        else:
            origin[name] = "default"
    return Settings(
        cache=config.cache,
        inbox=config.inbox,
        state=config.state,
        threads=config.threads,
        user=config.user,
        file=config.file,
        origin=origin,
        **found,
    )


def _number(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _value(name: str, value: Any, where: str) -> Any:
    whole = type(value) is int
    number = whole or type(value) is float
    fits = {
        "compiler": isinstance(value, str) and value != "",
        "builders": whole and 1 <= value <= 256,
        "keep_days": number and 0 <= value <= 3650,
        "rescan_seconds": number and 0.1 <= value <= 3600,
        "seed": whole and value >= 0,
        "objective": value in tuple(OBJECTIVES),
        "patience": whole and value >= 1,
        "log_level": value in LOG_LEVELS,
    }
    if not fits[name]:
        raise BadConfig(f"{where}: found {value!r}, wanted {_WANTED[name]}")
    return value


RELOADED = ("keep_days", "rescan_seconds", "log_level")
"""What SIGHUP can change; the rest is fixed for the life of a daemon."""


def fixed_differences(before: Settings, after: Settings) -> list[str]:
    """The fields that differ and need a restart."""
    names = [one.name for one in fields(Settings) if one.name not in (*RELOADED, "origin")]
    return [name for name in names if getattr(before, name) != getattr(after, name)]
