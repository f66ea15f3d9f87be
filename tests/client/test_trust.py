"""Whose files are opened: root's, mine, the configured user's, where nobody else could have put them."""

from __future__ import annotations

import os
import pwd
import stat
from pathlib import Path

import pytest

from ansord_client.trust import Untrusted, _judge, opened, read_file

ME = os.geteuid()
STRANGER = 54321


def found(uid: int = ME, gid: int = 0, mode: int = stat.S_IFREG | 0o644) -> os.stat_result:
    return os.stat_result((mode, 1, 1, 1, uid, gid, 0, 0, 0, 0))


def judge(user: str = "nobody-of-that-name", **fields: int) -> str:
    try:
        _judge("/x", found(**fields), user)
    except Untrusted as error:
        return str(error)
    return ""


def test_owners() -> None:
    assert judge() == ""
    assert judge(uid=0) == ""
    assert "belongs to user 54321" in judge(uid=STRANGER)
    other = next(one for one in pwd.getpwall() if one.pw_uid not in (0, ME))
    assert "belongs to" in judge(uid=other.pw_uid)
    assert judge(user=other.pw_name, uid=other.pw_uid) == ""


def test_what_others_could_write() -> None:
    folder = stat.S_IFDIR
    assert "everybody can write" in judge(mode=stat.S_IFREG | 0o646)
    assert "everybody can write" in judge(mode=folder | 0o777)
    assert judge(mode=folder | 0o1777) == ""  # sticky, like /tmp
    assert "everybody can write" in judge(mode=stat.S_IFREG | 0o1646)


def test_groups() -> None:
    mode = stat.S_IFDIR | 0o775
    own = next((one for one in pwd.getpwall() if one.pw_name == "root"), None)
    assert own is not None
    assert judge(uid=0, gid=own.pw_gid, mode=mode) == ""  # the owner's private group
    assert "group" in judge(uid=0, gid=STRANGER, mode=mode)
    shared = next(one for one in pwd.getpwall() if one.pw_gid not in (0, STRANGER))
    assert "chmod g-w" in judge(uid=0, gid=shared.pw_gid, mode=mode)
    assert judge(uid=0, gid=STRANGER, mode=stat.S_IFDIR | 0o3770) == ""


def read(root: Path, *parts: str) -> bytes:
    with opened(root, parts, "ansord") as file:
        return read_file(file, 100)


def test_every_directory_on_the_way_is_checked(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "file").write_bytes(b"data")
    assert read(tmp_path, "a", "b", "file") == b"data"
    (tmp_path / "a").chmod(0o777)
    with pytest.raises(Untrusted, match="everybody can write .*/a;"):
        read(tmp_path, "a", "b", "file")
    with pytest.raises(Untrusted, match="everybody can write .*/a;"):
        read(tmp_path / "a" / "b", "file")  # above the root as well
    (tmp_path / "a").chmod(0o755)
    (tmp_path / "a" / "b" / "file").chmod(0o666)
    with pytest.raises(Untrusted, match="/b/file;"):
        read(tmp_path, "a", "b", "file")


def test_links_lead_to_the_root_but_not_below_it(tmp_path: Path) -> None:
    (tmp_path / "real" / "sub").mkdir(parents=True)
    (tmp_path / "real" / "sub" / "file").write_bytes(b"data")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "real" / "shortcut").symlink_to("sub")
    assert read(tmp_path / "link", "sub", "file") == b"data"
    with pytest.raises(OSError, match="Not a directory|symbolic"):
        read(tmp_path / "real", "shortcut", "file")


def test_a_file_that_grows_beyond_its_limit_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(101))
    with pytest.raises(Untrusted, match="more than 100"):
        read(tmp_path, "file")
    with pytest.raises(FileNotFoundError):
        read(tmp_path, "none")
