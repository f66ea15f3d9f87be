"""What is loaded is exactly what was checked; what should not be loaded is a reason."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansord.store import Store
from ansord_client import elf as elf_module
from ansord_client import load as load_module
from ansord_client.elf import objection
from ansord_client.entry import Entry
from ansord_client.host import host
from ansord_client.load import NotLoadable, ffi, load
from ansord_client.lookup import Cache, Hit
from tests.client.kernels import FLAGS, HEAD, add, compiled, entry

ARCH = host().arch
GOOD = compiled(add(1))
WITH_RUNTIME = tuple(flag for flag in FLAGS if flag != "-nostartfiles")
CONSTRUCTOR = (
    "static volatile int seen;\n__attribute__((constructor)) static void early(void) { seen++; }\n" + add(1)
)


def hit(root: Path, one: Entry) -> Hit:
    return Hit(one, Cache(root, "ansord"), degraded=False)


def put(root: Path, code: bytes, **more: object) -> Hit:
    with Store.open(root) as store:
        store.publish(entry(code, **more), code)
    return hit(root, entry(code, **more))


def place(root: Path, code: bytes) -> Hit:
    """An object that the store itself would refuse."""
    one = entry(code)
    path = root / "v1" / "objects" / one.object[:2] / f"{one.object}.so"
    path.parent.mkdir(parents=True)
    path.write_bytes(code)
    return hit(root, one)


def path_of(where: Hit) -> Path:
    return where.cache.top / "objects" / where.entry.object[:2] / f"{where.entry.object}.so"


def test_an_object_is_loaded_once_whatever_leads_to_it(tmp_path: Path) -> None:
    first = load(put(tmp_path / "one", GOOD))
    assert load(put(tmp_path / "two", GOOD)) is first
    x, y = ffi.new("float[16]", [2.0] * 16), ffi.new("float[16]")
    assert first.run(ffi.new("void *[]", [x, y]), ffi.NULL, ffi.NULL) == 0
    assert list(y) == [3.0] * 16


def test_the_loaded_memory_is_sealed_and_its_descriptor_stays(tmp_path: Path) -> None:
    native = load(put(tmp_path, compiled(add(11))))
    assert "memfd" in os.readlink(f"/proc/self/fd/{native.descriptor}")
    with pytest.raises(PermissionError):
        os.write(native.descriptor, b"x")
    with pytest.raises(PermissionError):
        os.ftruncate(native.descriptor, 0)


def test_the_same_name_with_other_content_is_another_library(tmp_path: Path) -> None:
    """glibc finds libraries by name: a reused descriptor number would give the first one again."""
    answers = []
    for number in (21, 22, 23):
        native = load(put(tmp_path / str(number), compiled(add(number))))
        x, y = ffi.new("float[16]"), ffi.new("float[16]")
        native.run(ffi.new("void *[]", [x, y]), ffi.NULL, ffi.NULL)
        answers.append(y[0])
    assert answers == [21.0, 22.0, 23.0]


def test_every_changed_byte_is_noticed(tmp_path: Path) -> None:
    code = compiled(add(31))
    where = put(tmp_path, code)
    path = path_of(where)
    path.chmod(0o644)
    for number in range(0, len(code), 97):
        changed = bytearray(code)
        changed[number] ^= 1
        path.write_bytes(changed)
        with pytest.raises(NotLoadable, match="not what its name says"):
            load(where)
    path.write_bytes(code[:-1])
    with pytest.raises(NotLoadable, match="bytes, its entry says"):
        load(where)
    path.write_bytes(code + b"x")
    with pytest.raises(NotLoadable, match="more than"):
        load(where)
    path.write_bytes(code)
    load(where)


def test_an_object_that_is_missing_a_link_or_open_to_all_is_refused(tmp_path: Path) -> None:
    where = put(tmp_path, compiled(add(41)))
    path = path_of(where)
    path.rename(tmp_path / "elsewhere")
    with pytest.raises(NotLoadable, match="No such file"):
        load(where)
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotLoadable, match="symbolic links"):
        load(where)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(NotLoadable, match="no regular file"):
        load(where)
    path.unlink()
    (tmp_path / "elsewhere").rename(path)
    path.chmod(0o666)
    with pytest.raises(NotLoadable, match="everybody can write"):
        load(where)
    path.chmod(0o444)
    path.parent.chmod(0o777)
    with pytest.raises(NotLoadable, match="everybody can write"):
        load(where)


def test_without_memory_files_the_checked_descriptor_itself_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*arguments: object) -> int:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(load_module.os, "memfd_create", refused)
    native = load(put(tmp_path, compiled(add(51))))
    assert native.digest in os.readlink(f"/proc/self/fd/{native.descriptor}")


def test_functions_that_are_missing_are_told(tmp_path: Path) -> None:
    with pytest.raises(NotLoadable, match="has no ansord_run"):
        load(put(tmp_path, compiled("int other(void) { return 0; }")))
    with pytest.raises(NotLoadable, match="has no ansord_pack"):
        load(put(tmp_path, compiled(add(61)), packed_bytes=64))


def test_a_missing_function_of_a_library_is_a_reason(tmp_path: Path) -> None:
    with pytest.raises(NotLoadable, match="no_such_function"):
        load(put(tmp_path, compiled("int no_such_function(void);\nRUN { return no_such_function(); }")))


def built(tmp_path: Path, text: str, *flags: str) -> bytes:
    (tmp_path / "k.c").write_text(HEAD + text)
    subprocess.run(["gcc", "-o", tmp_path / "k.so", tmp_path / "k.c", *flags], check=True)
    return (tmp_path / "k.so").read_bytes()


def library(tmp_path: Path, name: str) -> str:
    """A library to be linked with and then missing."""
    (tmp_path / "empty.c").write_text("int needed(void) { return 0; }")
    command = ["gcc", "-shared", "-fPIC", f"-Wl,-soname,{name}", "-o", tmp_path / name, tmp_path / "empty.c"]
    subprocess.run(command, check=True)
    return str(tmp_path / name)


def test_a_missing_openmp_runtime_is_a_reason_with_its_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elf_module, "NEEDED", elf_module.NEEDED | {"libgomp.so.77"})
    runtime = library(tmp_path, "libgomp.so.77")
    code = built(tmp_path, "int needed(void);\nRUN { return needed(); }", *FLAGS, runtime)
    os.unlink(runtime)
    with pytest.raises(NotLoadable, match=r"needs libgomp\.so\.77, .* install the package libgomp1"):
        load(put(tmp_path / "cache", code))


def test_what_gcc_makes_is_accepted_with_and_without_its_start_files(tmp_path: Path) -> None:
    assert objection(GOOD, ARCH) == ""
    text = "#include <math.h>\nRUN { float *y = args[0]; y[0] = expf(y[0]); return 0; }"
    for flags in (WITH_RUNTIME, (*FLAGS, "-fopenmp"), (*WITH_RUNTIME, "-fopenmp")):
        assert objection(built(tmp_path, text, *flags, "-lm"), ARCH) == ""


@pytest.mark.parametrize(
    ("text", "flags", "reason"),
    [
        (CONSTRUCTOR, FLAGS, "runs when it is loaded"),
        (CONSTRUCTOR, WITH_RUNTIME, "runs when it is loaded"),
        (CONSTRUCTOR.replace("constructor", "destructor"), WITH_RUNTIME, "runs when it is loaded"),
        (add(1), (*WITH_RUNTIME, "-Wl,-z,execstack"), "executable stack"),
        (add(1), (*FLAGS, "-Wl,-soname,libm.so.6"), "DT_SONAME"),
        (add(1), (*FLAGS, "-Wl,-rpath,/tmp"), "search path"),
        (add(1) + "\nint main(void) { return 0; }", ("-pie", "-fPIE"), "is a program"),
        (add(1), ("-c",), "no shared object"),
    ],
)
def test_objects_with_effects_of_their_own_are_refused(
    tmp_path: Path, text: str, flags: tuple[str, ...], reason: str
) -> None:
    code = built(tmp_path, text, *flags)
    assert reason in objection(code, ARCH)
    with pytest.raises(NotLoadable, match="object"):
        load(place(tmp_path / "cache", code))


def test_flags_that_change_the_floating_point_mode_of_the_process_are_noticed(tmp_path: Path) -> None:
    code = built(tmp_path, add(1), *WITH_RUNTIME, "-ffast-math")
    symbols = subprocess.run(["nm", tmp_path / "k.so"], capture_output=True, text=True, check=True).stdout
    linked = "set_fast_math" in symbols  # gcc before 13 puts crtfastmath.o into shared objects
    assert ("runs when it is loaded" in objection(code, ARCH)) == linked


def test_other_libraries_and_other_machines_are_refused(tmp_path: Path) -> None:
    strange = library(tmp_path, "libstrange.so.1")
    code = built(tmp_path, "int needed(void);\nRUN { return needed(); }", *FLAGS, strange)
    assert "needs libstrange.so.1" in objection(code, ARCH)
    other = "aarch64" if ARCH == "x86_64" else "x86_64"
    assert "is for machine" in objection(GOOD, other)
    assert "is for machine" in objection(GOOD, "sparc")


@given(st.binary(max_size=200), st.integers(0, len(GOOD)))
def test_any_bytes_get_a_reason_and_no_error(data: bytes, length: int) -> None:
    assert objection(data, ARCH)
    assert isinstance(objection(GOOD[:length], ARCH), str)


@given(st.lists(st.tuples(st.integers(0, 4095), st.integers(0, 255)), max_size=6))
def test_damaged_headers_raise_nothing(changes: list[tuple[int, int]]) -> None:
    data = bytearray(GOOD)
    for place, value in changes:
        data[place] = value
    assert isinstance(objection(bytes(data), ARCH), str)
