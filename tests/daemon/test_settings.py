"""Settings: who beats whom, and that every mistake is named with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansord.daemon.settings import fixed_differences, load_settings
from ansord_client.errors import BadConfig


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}


def write(home: dict[str, str], text: str) -> Path:
    path = Path(home["HOME"]) / "ansord" / "ansord.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def test_options_beat_environment_beats_file_beats_default(home: dict[str, str]) -> None:
    write(home, 'builders = 3\nkeep_days = 7\ncompiler = "clang"\ncache = "c"\n')
    environ = home | {"ANSORD_BUILDERS": "4", "ANSORD_KEEP_DAYS": "8"}
    settings = load_settings({"builders": 5, "keep_days": None}, environ)
    assert (settings.builders, settings.keep_days, settings.compiler, settings.seed) == (5, 8, "clang", 0)
    assert settings.cache == Path(home["HOME"]) / "ansord" / "c"
    wanted = {"builders": "option", "keep_days": "environment", "compiler": "file", "seed": "default"}
    assert {name: settings.origin[name] for name in wanted} == wanted


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("biulders = 2", "did you mean builders"),
        ("wholly_unknown = 2", "known are cache"),
        ("builders = true", "found True, wanted a whole number"),
        ("builders = 0", "wanted a whole number from 1"),
        ("patience = 0", "found 0, wanted a whole number of at least 1"),
        ('keep_days = "long"', "found 'long', wanted a number"),
        ('log_level = "loud"', "one of debug"),
        ("rescan_seconds = nan", "found nan"),
        ("not toml", "TOML"),
        ("threads = 0", "threads"),
    ],
)
def test_a_mistake_is_named_with_its_place(home: dict[str, str], text: str, complaint: str) -> None:
    path = write(home, text)
    with pytest.raises(BadConfig, match=complaint) as caught:
        load_settings(environ=home)
    assert str(path) in str(caught.value)


def test_a_bad_variable_is_named(home: dict[str, str]) -> None:
    with pytest.raises(BadConfig, match="ANSORD_SEED: found 'x'"):
        load_settings(environ=home | {"ANSORD_SEED": "x"})


def test_what_a_reload_can_change(home: dict[str, str]) -> None:
    before = load_settings(environ=home)
    write(home, 'keep_days = 1\nlog_level = "debug"\nbuilders = 7\n')
    after = load_settings(environ=home)
    assert fixed_differences(before, after) == ["builders", "file"]
    write(home, "keep_days = 2\n")
    assert fixed_differences(after, load_settings(environ=home)) == ["builders"]
