"""Bundles: what is exported comes back, equal contents give equal bytes, damage is refused in one line."""

from __future__ import annotations

import io
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from ansord.cli import main
from ansord.cli.bundle import MARK, VERSION, BadBundle, read_bundle, write_bundle
from tests.daemon.tiny import entry

KERNELS = [(entry(digit * 64, 4), b"code" + digit.encode()) for digit in "ba"]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    assert write_bundle(tmp_path / "a.tar", KERNELS) == 2
    assert list(read_bundle(tmp_path / "a.tar")) == sorted(KERNELS, key=lambda kernel: kernel[0].key)
    write_bundle(tmp_path / "b.tar", reversed(KERNELS))
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()


def test_every_cut_is_noticed(tmp_path: Path) -> None:
    write_bundle(tmp_path / "a.tar", KERNELS)
    data = (tmp_path / "a.tar").read_bytes()
    whole = list(read_bundle(tmp_path / "a.tar"))
    for cut in range(0, len(data) - 1024, 256):
        (tmp_path / "cut.tar").write_bytes(data[:cut])
        try:
            found = list(read_bundle(tmp_path / "cut.tar"))
        except BadBundle:
            continue
        assert found == whole[: len(found)], cut


def bundle(tmp_path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(tmp_path / "bad.tar", "w") as tar:
        mark = tarfile.TarInfo(MARK)
        mark.size = len(VERSION)
        tar.addfile(mark, io.BytesIO(VERSION))
        for member, data in members:
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return tmp_path / "bad.tar"


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    link = tarfile.TarInfo("x")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    with pytest.raises(BadBundle):
        list(read_bundle(bundle(tmp_path, (link, b""))))


def test_noise_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "noise").write_bytes(b"noise" * 1000)
    assert main(["import", str(tmp_path / "noise"), "--cache", str(tmp_path / "cache")]) == 1
    assert main(["import", str(bundle(tmp_path)), "--cache", str(tmp_path / "cache")]) == 0
    odd = bundle(tmp_path, (tarfile.TarInfo("a"), b"\xc1"), (tarfile.TarInfo("b"), b""))
    assert main(["import", str(odd), "--cache", str(tmp_path / "cache")]) == 1
    assert all(line.startswith(("ansord:", "0 kernels")) for line in capsys.readouterr().err.splitlines())


def test_code_that_is_not_what_its_entry_says_is_not_published(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    write_bundle(tmp_path / "a.tar", [(replace(KERNELS[0][0]), b"evil")])
    assert main(["import", str(tmp_path / "a.tar"), "--cache", str(tmp_path / "cache")]) == 1
    assert "cannot be published" in capsys.readouterr().err
    assert main(["ls", "--json", "--cache", str(tmp_path / "cache")]) == 0
    assert '"entries": []' in capsys.readouterr().out
