"""Where things are: cache, inbox and state directories, threads, the trusted user.

Read once at the start, by the client and by every command of the daemon: options beat environment variables,
these beat ansord.toml, that beats the defaults. It never creates anything, and leaves fields of the file
that it does not know to the daemon, so that an old client can share a newer daemon's file.
"""

from __future__ import annotations

import os
import pwd
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansord_client.errors import BadConfig

NAMES = ("cache", "inbox", "state", "threads", "user")
DEFAULT_USER = "ansord"
_DIRECTORIES = {
    # name: (the system's, used where the user `ansord` owns it; XDG variable, its default, what we add to it)
    "cache": ("/var/cache/ansord", "XDG_CACHE_HOME", ".cache", "ansord"),
    "inbox": ("/var/spool/ansord", "XDG_STATE_HOME", ".local/state", "ansord/inbox"),
    "state": ("/var/lib/ansord", "XDG_STATE_HOME", ".local/state", "ansord"),
}


@dataclass(frozen=True, slots=True)
class Config:
    """`caches`: in the order of lookup, the first one is the daemon's own. `threads`: None = what the host
    grants. `user`: whose files are trusted besides root's and mine. `origin`: per name, where it came from
    ("option", "environment", "file", "default"). `rest`: the fields of ansord.toml that have no name here."""

    caches: tuple[Path, ...]
    inbox: Path
    state: Path
    threads: int | None
    user: str
    file: Path | None
    origin: Mapping[str, str]
    rest: Mapping[str, Any]

    @property
    def cache(self) -> Path:
        return self.caches[0]


def load_config(options: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None) -> Config:
    """The configuration. `options`: any of `config`, `cache` (one path or several), `inbox`, `state`,
    `threads`, `user`; None means not given. Raises BadConfig with the place of what cannot be used."""
    options = {name: value for name, value in (options or {}).items() if value is not None}
    environ = os.environ if environ is None else environ
    file = _file(options, environ)
    written = _read(file) if file else {}
    found: dict[str, Any] = {}
    origin: dict[str, str] = {}
    for name in NAMES:
        variable = f"ANSORD_{name.upper()}"
        if name in options:
            found[name], origin[name] = _value(name, options[name], f"option {name}", Path.cwd()), "option"
        elif environ.get(variable):
            found[name] = _value(name, _split(name, environ[variable]), variable, Path.cwd())
            origin[name] = "environment"
        elif file and name in written:
            found[name], origin[name] = _value(name, written[name], f"{file}: {name}", file.parent), "file"
        else:
            origin[name] = "default"
    user = found.get("user", DEFAULT_USER)
    return Config(
        caches=found["cache"] if "cache" in found else (_default("cache", user, environ),),
        inbox=found["inbox"] if "inbox" in found else _default("inbox", user, environ),
        state=found["state"] if "state" in found else _default("state", user, environ),
        threads=found.get("threads"),
        user=user,
        file=file,
        origin=origin,
        rest={name: value for name, value in written.items() if name not in NAMES},
    )


def _file(options: Mapping[str, Any], environ: Mapping[str, str]) -> Path | None:
    """The file that was asked for, which must exist, else the first of the user's and the system's."""
    asked = options.get("config") or environ.get("ANSORD_CONFIG")
    if asked:
        return Path(asked).expanduser().absolute()
    places = [Path("/etc/ansord/ansord.toml")]
    home = _xdg("XDG_CONFIG_HOME", ".config", environ)
    if home:
        places.insert(0, home / "ansord" / "ansord.toml")
    return next((place for place in places if place.is_file()), None)


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise BadConfig(f"{file}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadConfig(f"{file}: is no TOML: {error}") from error


def _split(name: str, text: str) -> Any:
    """An environment variable's text as the value that a file would hold."""
    if name == "cache":
        return [part for part in text.split(os.pathsep) if part]
    if name == "threads":
        return int(text) if text.strip().isdecimal() else text
    return text


def _value(name: str, value: Any, where: str, base: Path) -> Any:
    if name == "threads":
        if type(value) is not int or value < 1:
            raise BadConfig(f"{where}: found {value!r}, wanted a whole number of at least 1")
        return value
    if name == "user":
        if not isinstance(value, str) or not value:
            raise BadConfig(f"{where}: found {value!r}, wanted the name of a user")
        return value
    if name == "cache":
        several = value if isinstance(value, list | tuple) else [value]
        if not several:
            raise BadConfig(f"{where}: found an empty list, wanted at least one directory")
        return tuple(_path(one, where, base) for one in several)
    return _path(value, where, base)


def _path(value: Any, where: str, base: Path) -> Path:
    if not isinstance(value, str | os.PathLike) or not os.fspath(value) or "\0" in str(value):
        raise BadConfig(f"{where}: found {value!r}, wanted a directory")
    try:
        return base / Path(value).expanduser()
    except RuntimeError as error:  # `~` of a user who has no home
        raise BadConfig(f"{where}: {value}: {error}") from error


def _default(name: str, user: str, environ: Mapping[str, str]) -> Path:
    system, variable, below_home, ours = _DIRECTORIES[name]
    if _owner(system) == user:
        return Path(system)
    base = _xdg(variable, below_home, environ)
    if base is None:
        raise BadConfig(f"no home directory to keep the {name} in: set ANSORD_{name.upper()}")
    return base / ours


def _xdg(variable: str, below_home: str, environ: Mapping[str, str]) -> Path | None:
    """An XDG base directory; relative values are ignored, as its specification asks."""
    value = environ.get(variable, "")
    if value.startswith("/"):
        return Path(value)
    home = environ.get("HOME", "")
    if not home.startswith("/"):
        try:
            home = pwd.getpwuid(os.geteuid()).pw_dir
        except KeyError:
            return None
    return Path(home) / below_home


def _owner(path: str) -> str | None:
    try:
        return pwd.getpwuid(os.stat(path).st_uid).pw_name
    except (OSError, KeyError):
        return None
