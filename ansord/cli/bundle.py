"""A file that carries kernels from one cache to another: what `export` writes and `import` reads.

    bundle = tar file: the member "ansord-bundle" ("1\\n"), then for each kernel
             KEY.HOST.mpk (an entry, as in a shard) and KEY.HOST.so (its object)

Equal contents give equal bytes. Whoever imports a bundle runs its code: take it only from those you trust.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgpack

from ansord_client.entry import BadEntry, Entry
from ansord_client.errors import AnsordError

MARK, VERSION = "ansord-bundle", b"1\n"
LARGEST = 64 << 20
"""Bytes of a member; a kernel has some ten thousand."""


class BadBundle(AnsordError):
    """A file that is no bundle, or a damaged one."""


def write_bundle(path: Path, kernels: Iterable[tuple[Entry, bytes]]) -> int:
    """Writes them in the order of their names; says how many. Raises OSError."""
    count = 0
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        _add(tar, MARK, VERSION)
        for entry, code in sorted(kernels, key=lambda kernel: _name(kernel[0])):
            _add(tar, f"{_name(entry)}.mpk", msgpack.packb(entry.to_map()))
            _add(tar, f"{_name(entry)}.so", code)
            count += 1
    return count


def read_bundle(path: Path) -> Iterator[tuple[Entry, bytes]]:
    """Each kernel as it stands in the file, unchecked: that is the store's business. Raises BadBundle."""
    try:
        with tarfile.open(path, "r:") as tar:
            if _read(tar, tar.next()) != (MARK, VERSION):
                raise BadBundle(f"{path}: found no bundle of version 1")
            while (member := tar.next()) is not None:
                name, data = _read(tar, member)
                entry = Entry.from_map(msgpack.unpackb(data))
                other, code = _read(tar, tar.next())
                if (name, other) != (f"{_name(entry)}.mpk", f"{_name(entry)}.so"):
                    raise BadBundle(f"{path}: {name} and {other} do not belong together")
                yield entry, code
    except (tarfile.TarError, BadEntry, ValueError, msgpack.UnpackException) as error:
        raise BadBundle(f"{path}: {error}") from error


def _name(entry: Entry) -> str:
    return f"{entry.key}.{entry.host_key}"


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(data), 0o444
    tar.addfile(member, io.BytesIO(data))


def _read(tar: tarfile.TarFile, member: tarfile.TarInfo | None) -> tuple[str, bytes]:
    if member is None or not member.isfile() or member.size > LARGEST:
        raise BadBundle(f"found {member.name if member else 'the end'}, wanted a file of a bundle")
    stream = tar.extractfile(member)
    return member.name, stream.read() if stream else b""
