"""Real kernels in real processes: right ones, wrong ones, and hostile ones."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
import pytest_asyncio

from ansord.build import Artifact, Builder, find_compiler
from ansord.measure import Budget, Candidate, Paired, Race, Runner, Stand
from ansord.record import Crashed, Measured, Outcome, TimedOut, WrongAnswer
from tests.measure.kernels import HEAD, RUN, SUM, children_of

pytestmark = pytest.mark.asyncio(loop_scope="module")
quick = Budget(patience_s=0.5)

@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def builder(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Builder]:
    async with Builder(find_compiler("gcc"), workers=2, directory=tmp_path_factory.mktemp("build")) as pool:
        yield pool


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stand(builder: Builder, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stand]:
    folder = tmp_path_factory.mktemp("stand")
    async with Stand(builder, folder, lock=folder / "lock") as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def runner(stand: Stand) -> AsyncIterator[Runner]:
    async with stand.runner(SUM) as made:
        yield made


async def kernel(builder: Builder, body: str, packed: int = 0, scratch: int = 0, more: str = "") -> Candidate:
    built = await builder.build(HEAD + more + RUN % body)
    assert isinstance(built, Artifact), built
    return Candidate(built.path, packed, scratch)


async def test_a_right_kernel_is_measured(builder: Builder, runner: Runner) -> None:
    outcome = await runner.run(await kernel(builder, "add(args); return 0;"), quick)
    assert isinstance(outcome, Measured), outcome
    assert 1e-8 < outcome.seconds < 1e-4 and min(outcome.samples) <= outcome.seconds <= max(outcome.samples)
    assert outcome.noisy or len(outcome.samples) >= 4
    assert await runner.check_only(await kernel(builder, "add(args); return 0;")) is None


BAD: dict[str, tuple[str, type[Outcome], str]] = {
    "wrong value": ("add(args); ((float *)args[2])[7] += 0.5f; return 0;", WrongAnswer, "normal inputs"),
    "one missing": ("add(args); ((uint32_t *)args[2])[999] = ~0u; return 0;", WrongAnswer, "normal inputs"),
    "nothing written": ("return 0;", WrongAnswer, "normal inputs"),
    "a status": ("add(args); return 5;", WrongAnswer, "ansord_run returned 5"),
    "prints": ('add(args); printf("hello\\n"); return 0;', WrongAnswer, "it prints: 'hello'"),
    "prints to stderr": ('add(args); write(2, "oops\\n", 5); return 0;', WrongAnswer, "it prints: 'oops'"),
    "reads past the end": (
        "add(args); ((volatile float *)args[2])[0] += 0 * ((volatile float *)args[0])[1000]; return 0;",
        Crashed,
        "it reads byte 4000 of input a, which has 4000 bytes",
    ),
    "reads before the start": (
        "add(args); ((volatile float *)args[2])[0] += 0 * ((volatile float *)args[1])[-1]; return 0;",
        Crashed,
        "it reads byte -4 of input b, which has 4000 bytes",
    ),
    "writes past the end": (
        "add(args); ((float *)args[2])[1000] = 1; return 0;",
        Crashed,
        "it writes byte 4000 of output y, which has 4000 bytes",
    ),
    "writes a row too far": (
        "((float *)args[2])[9000] = 1; add(args); return 0;",
        Crashed,
        "it writes byte 36000 of output y",
    ),
    "writes before the start": (
        "add(args); ((float *)args[2])[-3] = 1; return 0;",
        WrongAnswer,
        "it writes beside output y",
    ),
    "writes to an input": (
        "add(args); ((float *)args[1])[3] = 1; return 0;",
        Crashed,
        "it writes input b, which it must not",
    ),
    "null": ("*(volatile int *)0 = 1; return 0;", Crashed, "it writes address"),
    "recursion": ("volatile char big[1 << 26]; big[0] = 1; return big[0] - 1;", Crashed, "address"),
    "abort": ("abort();", Crashed, ""),
    "divides by zero": ("volatile int z = 0; return 7 / z;", Crashed, ""),
    "exit": ("exit(0);", Crashed, "it ended its process with status 0"),
    "_exit": ("_exit(3);", Crashed, "it ended its process with status 3"),
    "kills itself": ("raise(SIGKILL); return 0;", Crashed, "it was killed from outside"),
    "kills its group": ("kill(0, SIGKILL); return 0;", Crashed, "it was killed from outside"),
    "forks": ("add(args); if (!fork()) for (;;) pause(); return 0;", Crashed, "it started another process"),
    "forks and both return": ("add(args); fork(); return 0;", Crashed, "it started another process"),
    "starts a daemon": (
        "add(args); if (fork() == 0) { setsid(); if (fork() == 0) for (;;) pause(); _exit(0); } return 0;",
        Crashed,
        "it started another process",
    ),
    "writes a file": (
        'int f = open("/tmp", O_TMPFILE | O_RDWR, 0600); write(f, "x", 1); add(args); return 0;',
        Crashed,
        "it wrote to a file",
    ),
    "writes to every descriptor": (
        'for (int i = 3; i < 100; i++) write(i, "garbage garbage garbage", 23); add(args); return 0;',
        Crashed,
        "measuring channel",
    ),
    "closes every descriptor": ("for (int i = 0; i < 100; i++) close(i); add(args); return 0;", Crashed, ""),
    "hangs": ("for (;;) __asm__ volatile(\"\");", TimedOut, "check"),
    "sleeps": ("signal(SIGALRM, SIG_IGN); for (;;) pause();", TimedOut, "check"),
    "floods": ('for (;;) printf("%0999d\\n", 1);', TimedOut, "check"),
}


@pytest.mark.parametrize("name", BAD)
async def test_bad_kernels_are_outcomes(builder: Builder, runner: Runner, name: str) -> None:
    body, kind, message = BAD[name]
    started = time.monotonic()
    outcome = await runner.run(await kernel(builder, body), Budget(limit_s=0.6, patience_s=0.5))
    assert isinstance(outcome, kind), outcome
    assert any(part in str(outcome) for part in message.split("|")), outcome
    assert time.monotonic() - started < 8
    for pid in children_of(os.getpid()):
        assert len(children_of(pid)) <= 1  # a keeper has one runner, a worker no compiler now


HOW = {"abort": "SIGABRT", "divides by zero": "SIGFPE", "null": "SIGSEGV", "exit": "exit 0", "forks": "fork"}


@pytest.mark.parametrize("name", HOW)
async def test_crashes_say_how(builder: Builder, runner: Runner, name: str) -> None:
    outcome = await runner.check_only(await kernel(builder, BAD[name][0]))
    assert isinstance(outcome, Crashed) and outcome.how == HOW[name]


async def test_after_bad_kernels_good_ones_are_measured(builder: Builder, runner: Runner) -> None:
    good = await kernel(builder, "add(args); return 0;")
    for name in ("null", "hangs", "forks", "prints"):
        await runner.run(await kernel(builder, BAD[name][0]), Budget(limit_s=0.3))
        assert isinstance(await runner.run(good, quick), Measured)


async def test_what_goes_wrong_later_is_seen(builder: Builder, runner: Runner) -> None:
    often = "static int n; add(args); if (++n > 100) %s return 0;"
    hung = await runner.run(await kernel(builder, often % "for (;;) pause();"), quick)
    assert isinstance(hung, TimedOut) and hung.phase == "time", hung
    dead = await runner.run(await kernel(builder, often % "abort();"), quick)
    assert isinstance(dead, Crashed) and dead.how == "SIGABRT"
    wrong = await runner.run(await kernel(builder, often % "((float *)args[2])[5] = 9;"), quick)
    assert isinstance(wrong, WrongAnswer) and "after many calls" in wrong.message
    stained = await runner.run(await kernel(builder, often % "((float *)args[0])[5] = 9;"), quick)
    assert isinstance(stained, WrongAnswer) and "input a while it was timed" in stained.message
    failing = await runner.run(await kernel(builder, often % "return 4;"), quick)
    assert isinstance(failing, WrongAnswer) and "reported an error" in failing.message


async def test_a_late_crash_is_the_kernels(builder: Builder, stand: Stand, runner: Runner) -> None:
    later = """#include <pthread.h>
    static void *late(void *arg) { usleep(20000); abort(); return arg; }
    """
    start = "static int n; add(args); pthread_t t; if (!n++) pthread_create(&t, 0, late, 0); return 0;"
    candidate = await kernel(builder, start, more=later)
    for _ in range(3):
        async with stand.turn:
            checked = await runner._check(candidate, None, whole=True)
            assert isinstance(checked, dict)
            await anyio.sleep(0.1)
            outcome = await runner._time(checked["took_s"], quick)
        assert isinstance(outcome, Crashed) and outcome.how == "SIGABRT"


PACK = """
int32_t ansord_pack(const void *const *constants, void *packed) {
  const float *b = constants[0]; float *p = packed;
  for (int i = 0; i < N; i++) p[i] = b[i];
  %s return 0; }
"""
FROM_PACKED = """const float *a = args[0]; const float *p = packed; float *s = scratch, *y = args[2];
  for (int i = 0; i < N; i++) s[i] = a[i] + p[i];
  for (int i = 0; i < N; i++) y[i] = s[i]; %s return 0;"""


@pytest.mark.parametrize(
    ("pack", "run", "kind", "message"),
    [
        ("", "", Measured, ""),
        ("p[1008] = 1;", "", Crashed, "byte 4032 of the packed constants, which has 4000"),
        ("p[1000] = 1;", "", WrongAnswer, "beside the packed constants"),
        ("((float *)b)[0] = 1;", "", Crashed, "input b, which it must not"),
        ("return 3;", "", WrongAnswer, "ansord_pack returned 3"),
        ("", "((float *)packed)[0] = 1;", Crashed, "the packed constants, which it must not"),
        ("", "s[1008] = 1;", Crashed, "byte 4032 of the scratch memory"),
        ("", "y[0] = s[1100];", Crashed, "reads byte 4400 of the scratch memory"),
        ("", "if ((uintptr_t)packed % 64 || (uintptr_t)scratch % 64) abort();", Measured, ""),
    ],
)
async def test_packed_constants_and_scratch(
    builder: Builder, runner: Runner, pack: str, run: str, kind: type[Outcome], message: str
) -> None:
    candidate = await kernel(builder, FROM_PACKED % run, 4000, 4000, PACK % pack)
    outcome = await runner.run(candidate, quick)
    assert isinstance(outcome, kind) and message in str(outcome), outcome


async def test_relaxed_kernels_answer_for_finite_inputs_alone(builder: Builder, runner: Runner) -> None:
    drops = "add(args); float *y = args[2]; for (int i = 0; i < N; i++) if (y[i] != y[i]) y[i] = 0; return 0;"
    strict = await kernel(builder, drops)
    outcome = await runner.check_only(strict)
    assert isinstance(outcome, WrongAnswer) and "special inputs" in outcome.message
    assert await runner.check_only(replace(strict, relaxed=True)) is None


async def test_scratch_is_poisoned(builder: Builder, runner: Runner) -> None:
    lazy = "add(args); ((float *)args[2])[0] += 0 * ((float *)scratch)[10]; return 0;"
    outcome = await runner.check_only(await kernel(builder, lazy, scratch=4000))
    assert isinstance(outcome, WrongAnswer)


async def test_objects_that_do_not_load(builder: Builder, runner: Runner, tmp_path: Path) -> None:
    (tmp_path / "none.so").write_bytes(b"\x7fELF nonsense")
    outcome = await runner.run(Candidate(tmp_path / "none.so"))
    assert isinstance(outcome, WrongAnswer) and "cannot be loaded" in outcome.message
    built = await builder.build("int other(void) { return 0; }")
    assert isinstance(built, Artifact)
    outcome = await runner.run(Candidate(built.path))
    assert isinstance(outcome, WrongAnswer) and "defines no ansord_run" in outcome.message


async def test_a_slow_candidate_is_cut_early(builder: Builder, runner: Runner) -> None:
    slow = "for (int i = 0; i < 200; i++) { add(args); __asm__ volatile(\"\" ::: \"memory\"); } return 0;"
    outcome = await runner.run(await kernel(builder, slow), Budget(best=1e-7, patience_s=1))
    assert isinstance(outcome, Measured) and (len(outcome.samples) == 2 or outcome.noisy)


async def test_one_that_cannot_be_served_is_checked_on_normal_inputs_alone(
    builder: Builder, runner: Runner
) -> None:
    drops = "add(args); float *y = args[2]; for (int i = 0; i < N; i++) if (y[i] != y[i]) y[i] = 0; return 0;"
    candidate = await kernel(builder, drops)
    for best, kind in ((None, WrongAnswer), (1.0, WrongAnswer), (1e-9, Measured)):
        assert isinstance(await runner.run(candidate, Budget(best, patience_s=0.2)), kind)


async def test_cold_constants_take_turns(builder: Builder, runner: Runner) -> None:
    """The kernel sees whether its constant lies elsewhere than at the call before, and takes longer then."""
    seen = "static const void *last; int moved = last && args[1] != last; last = args[1]; "
    wait = "if (moved) for (volatile int i = 0; i < 3000; i++); "
    candidate = await kernel(builder, f"{seen}{wait}add(args); return 0;")
    warm = await runner.run(candidate, quick)
    cold = await runner.run(candidate, Budget(cold=True, patience_s=0.5))
    assert isinstance(warm, Measured) and isinstance(cold, Measured)
    assert cold.seconds > 1.5 * warm.seconds


async def test_parallel_kernels_run_on_all_threads(builder: Builder, runner: Runner, stand: Stand) -> None:
    body = f"""int seen = 0;
      #pragma omp parallel reduction(+ : seen)
      seen++;
      add(args); return seen == {stand.threads} ? 0 : 9;"""
    assert await runner.check_only(await kernel(builder, body)) is None


async def test_a_runner_is_used_64_times(builder: Builder, runner: Runner) -> None:
    count = 'static int n; add(args); return 0;'
    candidate = await kernel(builder, count)
    before = {pid for keeper in children_of(os.getpid()) for pid in children_of(keeper)}
    for _ in range(70):
        assert await runner.check_only(candidate) is None
    after = {pid for keeper in children_of(os.getpid()) for pid in children_of(keeper)}
    assert len(before) == len(after) == 1 and before != after


async def test_a_race_finds_the_faster_kernel(builder: Builder, runner: Runner) -> None:
    once = await kernel(builder, "add(args); return 0;")
    twice = await kernel(builder, "add(args); __asm__ volatile(\"\" ::: \"memory\"); add(args); return 0;")
    race = await runner.race([once, twice, once])
    assert isinstance(race, Race), race
    first, second, last = race.against_last
    assert second.low <= second.ratio <= second.high and 1.25 < second.ratio < 3.3, race
    assert 0.7 < first.ratio < 1.4 and last == Paired(1.0, 1.0, 1.0, first.blocks, first.noisy)
    assert isinstance(await runner.race([await kernel(builder, "abort();"), once]), Crashed)


async def test_the_lock_is_held_while_time_is_taken(builder: Builder, stand: Stand, runner: Runner) -> None:
    candidate = await kernel(builder, "add(args); return 0;")
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(stand._lock.path)], stdout=subprocess.PIPE  # noqa: ASYNC220
    )
    try:
        assert holder.stdout is not None and holder.stdout.read(2) == b"ok"
        started = time.monotonic()
        assert isinstance(await runner.run(candidate, quick), Measured)
        assert time.monotonic() - started > 0.5
    finally:
        holder.wait()
        holder.stdout.close()


HOLD = """
import fcntl, sys, time
file = open(sys.argv[1])
fcntl.flock(file, fcntl.LOCK_EX)
print("ok", end="", flush=True)
time.sleep(0.8)
"""
