"""Options beat the environment, which beats ansord.toml, which beats the defaults."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import Any

import pytest

from ansord_client import config as config_module
from ansord_client.config import load_config
from ansord_client.errors import BadConfig


def environment(tmp_path: Path, **more: str) -> dict[str, str]:
    return {"HOME": str(tmp_path), **more}


def file(tmp_path: Path, text: str) -> str:
    (tmp_path / "ansord.toml").write_text(text)
    return str(tmp_path / "ansord.toml")


def test_the_defaults_are_the_xdg_directories(tmp_path: Path) -> None:
    config = load_config({}, environment(tmp_path))
    assert config.cache == tmp_path / ".cache/ansord"
    assert config.inbox == tmp_path / ".local/state/ansord/inbox"
    assert config.state == tmp_path / ".local/state/ansord"
    assert (config.threads, config.user, config.file) == (None, "ansord", None)
    assert set(config.origin.values()) == {"default"}
    config = load_config({}, environment(tmp_path, XDG_CACHE_HOME="/x", XDG_STATE_HOME="relative"))
    assert config.cache == Path("/x/ansord")
    assert config.state == tmp_path / ".local/state/ansord"


def test_the_directories_of_the_system_are_used_where_the_user_owns_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    me = pwd.getpwuid(os.geteuid()).pw_name
    spool = tmp_path / "spool"
    spool.mkdir()
    table = {"cache": "/no/such", "inbox": str(spool), "state": "/no/such"}
    replaced = {name: (table[name], *rest) for name, (_, *rest) in config_module._DIRECTORIES.items()}
    monkeypatch.setattr(config_module, "_DIRECTORIES", replaced)
    assert load_config({"user": me}, environment(tmp_path)).inbox == spool
    assert load_config({"user": "nobody-else"}, environment(tmp_path)).inbox != spool


def test_each_layer_beats_the_next(tmp_path: Path) -> None:
    text = 'cache = ["one", "/two"]\ninbox = "~/in"\nstate = "s"\nthreads = 3\n[daemon]\nworkers = 2\n'
    environ = environment(
        tmp_path, ANSORD_CONFIG=file(tmp_path, text), ANSORD_STATE="/from/env", ANSORD_THREADS="5"
    )
    config = load_config({"threads": 7}, environ)
    assert config.caches == (tmp_path / "one", Path("/two"))
    assert config.inbox == Path.home() / "in"
    assert config.state == Path("/from/env")
    assert config.threads == 7
    assert config.origin == {
        "cache": "file",
        "inbox": "file",
        "state": "environment",
        "threads": "option",
        "user": "default",
    }
    assert config.rest == {"daemon": {"workers": 2}}
    assert load_config({}, environ).threads == 5


def test_the_files_that_are_looked_for(tmp_path: Path) -> None:
    (tmp_path / ".config/ansord").mkdir(parents=True)
    (tmp_path / ".config/ansord/ansord.toml").write_text("threads = 2\n")
    assert load_config({}, environment(tmp_path)).threads == 2
    other = file(tmp_path, "threads = 4\n")
    assert load_config({"config": other}, environment(tmp_path)).threads == 4


def test_several_caches(tmp_path: Path) -> None:
    environ = environment(tmp_path, ANSORD_CACHE="/a:/b")
    assert load_config({}, environ).caches == (Path("/a"), Path("/b"))
    assert load_config({"cache": ["/c", Path("/d")]}, environ).caches == (Path("/c"), Path("/d"))
    assert load_config({"cache": "relative"}, environ).cache == Path.cwd() / "relative"


@pytest.mark.parametrize(
    ("options", "text", "complaint"),
    [
        ({"threads": 0}, "", "option threads"),
        ({"threads": True}, "", "option threads"),
        ({"cache": []}, "", "empty list"),
        ({"inbox": 3}, "", "option inbox"),
        ({"inbox": ""}, "", "option inbox"),
        ({"user": ""}, "", "option user"),
        ({}, "threads = 'many'", "ansord.toml: threads"),
        ({}, "cache = [1]", "ansord.toml: cache"),
        ({}, "cache = ", "no TOML"),
        ({"config": "/no/such/file"}, "", "cannot be read"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_place(
    tmp_path: Path, options: dict[str, Any], text: str, complaint: str
) -> None:
    environ = environment(tmp_path, ANSORD_CONFIG=file(tmp_path, text))
    with pytest.raises(BadConfig, match=complaint):
        load_config(options, environ)


def test_a_number_in_the_environment_must_be_one(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="ANSORD_THREADS"):
        load_config({}, environment(tmp_path, ANSORD_THREADS="two"))
