"""Where things lie in a cache directory: names shared by the one writer and all readers.

    DIR/README  DIR/v1/FORMAT  DIR/v1/lock  DIR/v1/tmp/  DIR/v1/quarantine/
    DIR/v1/objects/ab/SHA256.so         a kernel, named by its content, never written again
    DIR/v1/index/HOST_KEY/ab.mpk        the shard of the keys that start with ab

A change of format is a new folder beside v1, so that readers of the old one keep working during an upgrade.
"""

from __future__ import annotations

VERSION = "v1"
FORMAT = "ansord-cache 1\n"
OBJECTS, INDEX, TEMPORARY, QUARANTINE = "objects", "index", "tmp", "quarantine"
LOCK = "lock"

DIRECTORY_MODE, FILE_MODE = 0o755, 0o444


def object_parts(digest: str) -> tuple[str, ...]:
    """The path of an object below v1."""
    return OBJECTS, digest[:2], f"{digest}.so"


def shard_parts(host_key: str, key: str) -> tuple[str, ...]:
    """The path of the shard that would hold `key`, below v1."""
    return INDEX, host_key, f"{key[:2]}.mpk"
