"""The unit, the users and the directories, checked by systemd's own tools on a root of their own."""

from __future__ import annotations

import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

SYSTEMD = Path(__file__).resolve().parent.parent / "systemd"


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"no {name} here")
    return found


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """As installed, but with a program that exists."""
    text = (SYSTEMD / "ansord.service").read_text()
    path = tmp_path / "ansord.service"
    path.write_text(re.sub(r"ExecStart=\S+", "ExecStart=/bin/true", text))
    return path


def test_the_unit_is_what_systemd_understands(unit: Path) -> None:
    done = subprocess.run(
        [tool("systemd-analyze"), "verify", unit], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and "ansord.service" not in done.stderr, done.stderr


def test_the_unit_is_hardened(unit: Path) -> None:
    command = [tool("systemd-analyze"), "security", "--offline=true", "--no-pager", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0 and "offline" in done.stderr:
        pytest.skip("this systemd cannot judge a unit offline")
    score = re.search(r"exposure level for ansord\.service: ([0-9.]+)", done.stdout)
    assert score is not None and float(score.group(1)) <= 1.0, done.stdout[-300:]


def test_the_unit_survives_what_it_must() -> None:
    text = (SYSTEMD / "ansord.service").read_text()
    for line in ("Type=notify", "WatchdogSec=60", "KillMode=mixed", "User=ansord", "CacheDirectoryMode=0755"):
        assert f"\n{line}\n" in text
    assert "DynamicUser" not in [line.split("=")[0] for line in text.splitlines()]
    assert re.search(r"^RestartPreventExitStatus=.*\b78\b", text, re.M), "a bad configuration must not loop"


def test_users_and_directories_are_made(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    users, files = tool("systemd-sysusers"), tool("systemd-tmpfiles")
    subprocess.run(
        [users, f"--root={tmp_path}", SYSTEMD / "ansord.sysusers"], check=True, capture_output=True
    )
    assert "ansord" in (tmp_path / "etc/passwd").read_text()
    members = re.search(r"^ansord-submit:\w*:\d+:(.*)$", (tmp_path / "etc/group").read_text(), re.M)
    assert members is not None and members.group(1) == "ansord"
    command = [files, f"--root={tmp_path}", "--create", SYSTEMD / "ansord.tmpfiles"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    inbox = tmp_path / "var/spool/ansord"
    if done.returncode != 0 and "not permitted" in done.stderr:
        pytest.skip("only root may give directories away")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (inbox, *inbox.iterdir())}
    assert modes == {"ansord": 0o3770, ".work": 0o2700, "done": 0o2755, "failed": 0o2755}
    assert len({path.stat().st_gid for path in (inbox, *inbox.iterdir())}) == 1
