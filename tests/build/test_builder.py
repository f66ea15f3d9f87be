from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
import pytest_asyncio

from ansord.build import Artifact, Builder, Compiler, find_compiler
from ansord.build.builder import explain, sweep
from ansord.record import BuildFailed

SMALL = "int ansord_run(void *const *args, const void *packed, void *scratch) { return %d; }\n"
LONG = "".join(f"x = x * {i} + (x >> {i % 7});\n" for i in range(60_000))
BOMB = "int f(int x) {\n" + LONG + "return x; }\n"


@pytest.fixture(scope="module")
def compiler() -> Compiler:
    return find_compiler("gcc")


@pytest_asyncio.fixture
async def builder(compiler: Compiler, tmp_path: Path) -> AsyncIterator[Builder]:
    async with Builder(compiler, workers=2, directory=tmp_path) as pool:
        yield pool


def dynamic_section(path: Path) -> str:
    """What `readelf -d` says of an object."""
    return subprocess.run(["readelf", "-dW", path], capture_output=True, text=True, check=True).stdout


def touching(directory: Path) -> dict[int, str]:
    """Processes whose command line or environment names `directory`, with their states."""
    found = {}
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdecimal() and int(entry.name) != os.getpid():
                known = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
                if str(directory).encode() in known:
                    found[int(entry.name)] = (entry / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
    return found


async def until(condition: object, seconds: float = 5.0) -> None:
    with anyio.fail_after(seconds):
        while not condition():  # type: ignore[operator]  # noqa: ASYNC110 - other processes set no event
            await anyio.sleep(0.01)


@pytest.mark.asyncio
async def test_text_becomes_an_object(builder: Builder) -> None:
    built = await builder.build(SMALL % 7)
    assert isinstance(built, Artifact)
    assert built.read()[:4] == b"\x7fELF" and b"kernel.c" not in built.read()
    dynamic = dynamic_section(built.path)
    assert "NEEDED" not in dynamic and "INIT" not in dynamic and "NOW" in dynamic
    built.discard()
    assert not built.path.exists()


@pytest.mark.asyncio
async def test_equal_text_gives_equal_bytes_under_other_names(builder: Builder) -> None:
    one, two = await builder.build(SMALL % 1), await builder.build(SMALL % 1)
    other = await builder.build(SMALL % 2)
    assert isinstance(one, Artifact) and isinstance(two, Artifact) and isinstance(other, Artifact)
    assert one.path != two.path and one.digest == two.digest != other.digest


@pytest.mark.asyncio
async def test_many_at_once(builder: Builder) -> None:
    done: list[object] = []

    async def one(number: int) -> None:
        done.append(await builder.build(SMALL % number))

    async with anyio.create_task_group() as group:
        for number in range(8):
            group.start_soon(one, number)
    assert len({built.digest for built in done if isinstance(built, Artifact)}) == 8


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("int f(void) { return nonsense; }", "kernel.c:1:22: error: 'nonsense' undeclared"),
        ("double zork(double); double f(double x) { return zork(x); }", "undefined reference to `zork'"),
        ("#error \x1b[31m" + "long " * 4000, "error: #error  [31mlong"),
        ('#include "/etc/shadow_of_nothing"', "No such file"),
        ("int f(void) { return " + "(" * 60_000 + "1" + ")" * 60_000 + "; }", "compiler"),
    ],
)
@pytest.mark.asyncio
async def test_the_compilers_words_come_back(builder: Builder, text: str, said: str) -> None:
    failed = await builder.build(text)
    assert isinstance(failed, BuildFailed) and said in failed.message and len(failed.message) <= 1200
    assert isinstance(await builder.build(SMALL % 0), Artifact)


@pytest.mark.asyncio
async def test_libraries_come_as_needed(builder: Builder) -> None:
    texts = {
        "libm.so.6": "#include <math.h>\ndouble f(double x) { return sin(x); }",
        "libgomp.so.1": "void g(int); void f(void) {\n#pragma omp parallel\n{ __asm__(\"\"); } }",
        "libc.so.6": "#include <string.h>\nvoid f(char *p, long n) { memset(p, 1, n); }",
        "": "__int128 f(__int128 x, __int128 y) { return x / y; }",  # the compiler's own support library
    }
    for soname, text in texts.items():
        built = await builder.build(text)
        assert isinstance(built, Artifact), built
        lines = dynamic_section(built.path).splitlines()
        needed = [line.split("[")[1].rstrip("]") for line in lines if "NEEDED" in line]
        assert needed == [soname] if soname else needed in ([], ["libgcc_s.so.1"])


@pytest.mark.asyncio
async def test_a_slow_build_is_stopped_with_all_its_processes(compiler: Compiler, tmp_path: Path) -> None:
    async with Builder(compiler, workers=1, directory=tmp_path, limit_s=0.5) as builder:
        started = time.monotonic()
        failed = await builder.build(BOMB)
        assert failed == BuildFailed("the compiler took longer than 0.5 s")
        assert time.monotonic() - started < 3
        await until(lambda: len(touching(builder.directory)) == 1)
        assert isinstance(await builder.build(SMALL % 0), Artifact)
    assert os.listdir(tmp_path) == []


@pytest.mark.asyncio
async def test_cancel_leaves_no_process(builder: Builder) -> None:
    with anyio.move_on_after(0.3):
        await builder.build(BOMB)
    await until(lambda: touching(builder.directory) == {}, 1.0)
    assert isinstance(await builder.build(SMALL % 0), Artifact)


@pytest.mark.asyncio
async def test_a_killed_worker_is_a_failed_build_and_is_replaced(builder: Builder) -> None:
    failed: list[object] = []

    async def build() -> None:
        failed.append(await builder.build(BOMB))

    async with anyio.create_task_group() as group:
        group.start_soon(build)
        await until(lambda: len(touching(builder.directory)) >= 2)
        os.kill(min(touching(builder.directory)), signal.SIGKILL)
    assert isinstance(failed[0], BuildFailed)
    assert isinstance(await builder.build(SMALL % 0), Artifact)
    assert len(touching(builder.directory)) <= 2  # the compiler went with the one that watched it


@pytest.mark.asyncio
async def test_paused_compilers_stand_still_and_go_on(compiler: Compiler, tmp_path: Path) -> None:
    async with Builder(compiler, workers=1, directory=tmp_path, limit_s=1.0) as builder:
        outcome: list[object] = []

        async def build() -> None:
            outcome.append(await builder.build(BOMB))

        async with anyio.create_task_group() as group:
            group.start_soon(build)
            await until(lambda: len(touching(builder.directory)) >= 3)
            async with builder.paused(), builder.paused():
                await anyio.sleep(0.05)
                states = touching(builder.directory)
                # The worker sleeps; a driver whose child was stopped before it became cc1 waits in D (vfork).
                assert "T" in states.values() and sorted(states.values()).count("S") == 1, states
                assert "R" not in states.values(), states
                await anyio.sleep(1.0)
                assert outcome == []  # the deadline waits too
            await anyio.sleep(0.05)
            assert "T" not in touching(builder.directory).values()
        async with builder.paused():
            group_done: list[object] = []

            async def small() -> None:
                group_done.append(await builder.build(SMALL % 0))

            async with anyio.create_task_group() as group:
                group.start_soon(small)
                await anyio.sleep(0.3)
                assert group_done == []  # nothing starts while paused
                group.cancel_scope.cancel()


DAEMON = """
import sys, anyio
from pathlib import Path
from ansord.build import Builder, find_compiler
async def main():
    async with Builder(find_compiler("gcc"), workers=2, directory=Path(sys.argv[1])) as builder:
        async with anyio.create_task_group() as group:
            group.start_soon(builder.build, sys.stdin.read())
            if len(sys.argv) > 2:
                while not list(Path(sys.argv[1]).glob("*/*/kernel.c")):
                    await anyio.sleep(0.01)
                await anyio.sleep(0.3)
                async with builder.paused():
                    await anyio.sleep_forever()
anyio.run(main)
"""


@pytest.mark.parametrize("extra", [[], ["paused"]])
def test_nothing_outlives_a_killed_daemon(tmp_path: Path, extra: list[str]) -> None:
    daemon = subprocess.Popen(
        [sys.executable, "-c", DAEMON, str(tmp_path), *extra],
        stdin=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        assert daemon.stdin is not None
        daemon.stdin.write(BOMB.encode())
        daemon.stdin.close()
        wait_for(lambda: len(touching(tmp_path)) >= 4 and ("T" in touching(tmp_path).values() or not extra))
    finally:
        daemon.kill()
        daemon.wait()
    wait_for(lambda: touching(tmp_path) == {}, 1.0)
    sweep(tmp_path)
    assert list(tmp_path.iterdir()) == []


def wait_for(condition: object, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.01)


def test_sweep_spares_the_living(tmp_path: Path) -> None:
    (tmp_path / f"build-{os.getpid()}-x").mkdir()
    (tmp_path / "build-99999999-y").mkdir()
    (tmp_path / "build-of-somebody").mkdir()
    sweep(tmp_path)
    assert sorted(os.listdir(tmp_path)) == [f"build-{os.getpid()}-x", "build-of-somebody"]


@pytest.mark.parametrize(
    ("status", "said", "message"),
    [
        ("late", "x", "the compiler took longer than 2 s"),
        (-9, "", "the compiler was killed by signal 9"),
        (4, "gcc: internal\n", "gcc: internal"),
        (1, "", "the compiler ended with status 1 and no word"),
        ("absent", "the child process is gone", "the child process is gone"),
    ],
)
def test_failures_are_explained(status: int | str, said: str, message: str) -> None:
    assert explain(status, said, 2.0) == message
