"""Opening a file of the cache only where nobody but trusted people could have put it there.

Used for shards and objects alike, since both decide what code runs in this process. Trusted owners: root,
me, the configured user. A place that others can write is refused, except sticky directories (others cannot
touch what is not theirs there) and write permission for the owner's private group. No link is followed.
"""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import stat
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

_STEP = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Untrusted(Exception):  # noqa: N818 - a verdict, not a malfunction
    """Someone who is not trusted owns a file or a directory above it, or could have replaced it."""


@contextlib.contextmanager
def opened(root: Path, parts: tuple[str, ...], user: str) -> Iterator[int]:
    """A descriptor of the regular file `root/parts`, every directory above it checked, from `/` down.

    Raises Untrusted, or OSError where something is missing or no regular file.
    """
    real = os.path.realpath(root)  # links above the root are the administrator's; where they lead is checked
    steps = ["/", *[step for step in real.split("/") if step], *parts[:-1]]
    here = -1
    try:
        path = ""
        for step in steps:
            below = os.open(step, _STEP, dir_fd=here if here >= 0 else None)
            if here >= 0:
                os.close(here)
            here = below
            path = os.path.join(path, step)
            _judge(path, os.fstat(here), user)
        file = os.open(parts[-1], _FILE, dir_fd=here)
    finally:
        if here >= 0:
            os.close(here)
    try:
        found = os.fstat(file)
        path = os.path.join(path, parts[-1])
        if not stat.S_ISREG(found.st_mode):
            raise Untrusted(f"{path} is no regular file")
        _judge(path, found, user)
        yield file
    finally:
        os.close(file)


def read_file(file: int, limit: int) -> bytes:
    """All of an open file, once. Raises Untrusted beyond `limit` bytes."""
    with open(file, "rb", closefd=False) as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise Untrusted(f"more than {limit} bytes")
    return data


def _judge(path: str, found: os.stat_result, user: str) -> None:
    if found.st_uid not in (0, os.geteuid()) and found.st_uid != _uid(user):
        raise Untrusted(f"{path} belongs to {_name(found.st_uid)}, who is neither root, nor me, nor {user}")
    if stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX:
        return
    if found.st_mode & stat.S_IWOTH:
        raise Untrusted(f"everybody can write {path}; fix it with: chmod o-w {path}")
    if found.st_mode & stat.S_IWGRP and not _private(found.st_uid, found.st_gid):
        raise Untrusted(f"a group that others share can write {path}; fix it with: chmod g-w {path}")


@lru_cache(maxsize=64)
def _uid(user: str) -> int | None:
    try:
        return pwd.getpwnam(user).pw_uid
    except KeyError:
        return None


@lru_cache(maxsize=64)
def _private(uid: int, gid: int) -> bool:
    """Whether the group is the owner's own: the primary one, of the same name, with nobody else in it. Where
    they have no names, as in many containers, the same number is all there is to go by."""
    try:
        account, group = pwd.getpwuid(uid), grp.getgrgid(gid)
    except KeyError:
        return uid == gid
    name = account.pw_name
    return account.pw_gid == gid and group.gr_name == name and set(group.gr_mem) <= {name}


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
