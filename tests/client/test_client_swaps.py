"""Kernels that are replaced while they are in use, in threads and in forked processes; what is kept alive."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path

import numpy as np
import pytest

from ansord.store import Store
from ansord_client import Client
from ansord_client.host import host
from tests.client.kernels import HEAD, LOOP, SG, XW, N, add, compiled, entry_of, publish, scaled, until

X, W = np.arange(-4, N - 4, dtype=np.float32), np.ones(N, np.float32)
def test_a_better_kernel_is_picked_up_by_itself(tmp_path: Path) -> None:
    publish(tmp_path, XW, compiled(scaled(1)), packed_bytes=4 * N)
    client = Client(cache=tmp_path)
    kernel = client.get_kernel(XW)
    bound, y = kernel.bind(w=W), np.zeros(N, np.float32)
    for _ in range(3):
        np.testing.assert_array_equal(bound(X, out=y), X + W)
    publish(tmp_path, XW, compiled(scaled(2)), packed_bytes=4 * N)
    until(lambda: bool(bound(X, out=y)[0] == X[0] + 2), 5)
    np.testing.assert_array_equal(kernel(X, W), X + 2 * W)
    np.testing.assert_array_equal(kernel.bind(w=W)(X), X + 2 * W)
    assert client.get_kernel(XW) is kernel


WAITING = f"""#include <unistd.h>
PACK {{ memcpy(packed, constants[0], {4 * N}); return 0; }}
RUN {{ volatile const float *x = args[0]; const float *p = packed; volatile float *y = args[2];
    y[0] = 77; while (x[1] != 99) usleep(1000);
    {LOOP} y[i] = x[i] + p[i]; return 0; }}"""


@pytest.mark.parametrize("calls_before", [0, 3])
def test_calls_in_flight_finish_on_the_old_kernel(tmp_path: Path, calls_before: int) -> None:
    """The first call of its arrays takes another path than later ones."""
    publish(tmp_path, XW, compiled(WAITING), packed_bytes=4 * N)
    client = Client(cache=tmp_path)
    client.close()
    bound = client.get_kernel(XW).bind(w=W)
    old = weakref.ref(bound._plan)
    x, y = X.copy(), np.zeros(N, np.float32)
    asked, finish = threading.Event(), x[1:2]

    def work() -> None:
        finish[:] = 99
        for _ in range(calls_before):
            bound(x, out=y)
        y[0] = finish[:] = 0
        asked.set()
        bound(x, out=y)

    thread = threading.Thread(target=work)
    thread.start()
    asked.wait()
    until(lambda: bool(y[0] == 77))
    publish(tmp_path, XW, compiled(scaled(2)), packed_bytes=4 * N)
    client.refresh()
    gc.collect()
    assert bound(X)[0] == X[0] + 2
    assert thread.is_alive()
    assert old() is not None  # it owns the packed constants
    finish[:] = 99
    thread.join()
    assert y[0] == x[0] + 1
    assert old() is None


def test_a_kernel_stays_when_its_entry_goes_or_its_successor_is_broken(tmp_path: Path) -> None:
    me = host()
    publish(tmp_path, XW, compiled(scaled(1)), packed_bytes=4 * N)
    publish(tmp_path, XW, compiled(scaled(9)), packed_bytes=4 * N, host_key="of-another", isa=())
    client = Client(cache=tmp_path)
    client.close()
    bound = client.get_kernel(XW).bind(w=W)
    with Store.open(tmp_path) as store:
        store.remove(XW.key, me.key)
    client.refresh()
    assert bound(X)[0] == X[0] + 1  # and not the other host's
    assert Client(cache=tmp_path).get_kernel(XW).info.degraded
    code = compiled(scaled(3))
    publish(tmp_path, XW, code, packed_bytes=4 * N)
    path = tmp_path / "v1/objects" / entry_of(XW, code).object[:2] / f"{entry_of(XW, code).object}.so"
    path.chmod(0o644)
    path.write_bytes(code[:-1])
    client.refresh()
    assert bound(X)[0] == X[0] + 1
    failing = compiled("PACK { return 8; } RUN { return 0; }")
    publish(tmp_path, XW, failing, packed_bytes=4 * N)
    client.refresh()
    assert bound(X)[0] == X[0] + 1


def test_a_refresh_waits_for_what_another_thread_has_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(tmp_path, XW, compiled(scaled(1)), packed_bytes=4 * N)
    client = Client(cache=tmp_path)
    client.close()
    bound = client.get_kernel(XW).bind(w=W)
    publish(tmp_path, XW, compiled(scaled(2)), packed_bytes=4 * N)
    found, go_on = threading.Event(), threading.Event()
    code = client._code

    def slow(*given: object) -> object:
        found.set()
        go_on.wait()
        return code(*given)

    monkeypatch.setattr(client, "_code", slow)
    first, second = (threading.Thread(target=client.refresh, daemon=True) for _ in range(2))
    first.start()
    found.wait()
    second.start()
    second.join(0.1)
    assert second.is_alive()
    go_on.set()
    second.join()
    assert bound(X)[0] == X[0] + 2
    first.join()


def test_the_cache_is_looked_at_once_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(tmp_path, SG, compiled(add(1)))
    client = Client(cache=tmp_path)
    looks = 0
    look = client._look

    def counted(key: str) -> tuple[object, ...]:
        nonlocal looks
        looks += 1
        return look(key)

    monkeypatch.setattr(client, "_look", counted)
    end = time.monotonic() + 1.5
    while time.monotonic() < end:
        client.get_kernel(SG)(X)
    assert looks <= 1 + 1


def test_what_was_packed_goes_with_the_last_reference(tmp_path: Path) -> None:
    publish(tmp_path, XW, compiled(scaled(1)), packed_bytes=4 * N)
    kernel = Client(cache=tmp_path).get_kernel(XW)
    gc.collect()
    gc.disable()
    try:
        bound, y = kernel.bind(w=W), np.zeros(N, np.float32)
        for _ in range(3):
            bound(X, out=y)
        plan = weakref.ref(bound._plan)
        del bound
        assert plan() is None
    finally:
        gc.enable()


def test_a_client_that_is_dropped_stops_looking(tmp_path: Path) -> None:
    publish(tmp_path, SG, compiled(add(1)))
    client = Client(cache=tmp_path)
    kernel = client.get_kernel(SG)
    stop, gone = client._stop, weakref.ref(client)
    assert stop is not None
    del client, kernel
    gc.collect()
    assert gone() is None
    assert stop.is_set()


def test_many_threads_ask_call_and_refresh(tmp_path: Path) -> None:
    publish(tmp_path, XW, compiled(scaled(1)), packed_bytes=4 * N)
    client = Client(cache=tmp_path)
    wrong: list[object] = []
    done = threading.Event()

    def work() -> None:
        y = np.zeros(N, np.float32)
        bound = client.get_kernel(XW).bind(w=W)
        while not done.is_set():
            for answer in (bound(X, out=y), client.get_kernel(XW)(X, W), client.get_kernel(XW).bind(w=W)(X)):
                factor = float(answer[0] - X[0])
                if factor not in (1, 2, 3) or not np.array_equal(answer, X + np.float32(factor) * W):
                    wrong.append(answer.copy())

    threads = [threading.Thread(target=work) for _ in range(4)]
    codes = [compiled(scaled(factor)) for factor in (2, 3, 1)]
    for one in threads:
        one.start()
    for number in range(9):
        publish(tmp_path, XW, codes[number % 3], packed_bytes=4 * N)
        client.refresh()
    done.set()
    for one in threads:
        one.join()
    assert wrong == []


PARALLEL = (
    HEAD
    + f"RUN {{ const float *x = args[0]; float *y = args[1];\n\
#pragma omp parallel for num_threads(2)\n{LOOP} y[i] = x[i] + 1; return 0; }}"
)

FORKING = """
import os, sys, json, signal
import numpy as np
import ansord_client as client
from ansord_client import AfterFork

def child(what):
    sys.stdout.flush()
    pid = os.fork()
    if not pid:
        signal.alarm(20)  # a hang would end here
        try:
            what()
            os._exit(0)
        except BaseException as error:
            print(repr(error), flush=True)
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

def works(kernel, plus):
    assert (kernel(x) == x + plus).all() and (kernel(x, out=y) == x + plus).all()
    assert (kernel(x, out=y) == x + plus).all()

def refuses():
    for call in (lambda: kernel(x), lambda: kernel(x, out=y), lambda: kernel.bind()(x),
                 lambda: client.Client(cache=cache, threads=2).get_kernel(parallel)(x)):
        try:
            call()
        except AfterFork as error:
            assert "spawn" in str(error) and isinstance(error, RuntimeError)
        else:
            raise AssertionError("no error")
    works(serial_kernel, 2)

cache, parallel, serial = json.loads(sys.argv[1])
x, y = np.arange(16, dtype=np.float32), np.zeros(16, np.float32)
here = client.Client(cache=cache, threads=2)
kernel, serial_kernel = here.get_kernel(parallel), here.get_kernel(serial)
for _ in range(3):
    works(serial_kernel, 2)
print(child(lambda: works(kernel, 1)))       # nothing parallel has run yet
for _ in range(3):
    works(kernel, 1)
print(child(refuses))
print(child(lambda: sys.exit(child(refuses))))   # a child's child
works(kernel, 1)                                 # the parent is as it was
"""


def test_a_fork_after_a_parallel_call_raises_and_never_hangs(tmp_path: Path) -> None:
    two = host().with_threads(2)
    more = {"host_key": two.key, "threads": 2}
    publish(tmp_path, SG, compiled(PARALLEL.replace(HEAD, ""), "-fopenmp"), needs_openmp=True, **more)
    publish(tmp_path, XW.from_dict({**SG.to_dict(), "numerics": "strict"}), compiled(add(2)), **more)
    serial = {**SG.to_dict(), "numerics": "strict"}
    arguments = json.dumps([str(tmp_path), SG.to_dict(), serial])
    done = subprocess.run(
        [sys.executable, "-c", FORKING, arguments], capture_output=True, text=True, check=False, timeout=50
    )
    assert done.stdout.split("\n")[:3] == ["0", "0", "SystemExit(0)"], done.stdout + done.stderr


REFRESHING = """
import os, sys, json, time
import numpy as np
import ansord_client as client
cache, sg = json.loads(sys.argv[1])
x = np.zeros(16, np.float32)
kernel = client.Client(cache=cache).get_kernel(sg)
kernel(x)
pid = os.fork()
os.write(1, b"parent\\n" if pid else b"child\\n")
end = time.monotonic() + 20
while kernel(x)[0] != 2 and time.monotonic() < end:
    time.sleep(0.05)
status = 0 if kernel(x)[0] == 2 else 1
if pid:
    status = status or os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
os._exit(status)
"""


def test_a_forked_server_picks_up_better_kernels_too(tmp_path: Path) -> None:
    publish(tmp_path, SG, compiled(add(1)))
    command = [sys.executable, "-c", REFRESHING, json.dumps([str(tmp_path), SG.to_dict()])]
    better = compiled(add(2))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert {process.stdout.readline(), process.stdout.readline()} == {"parent\n", "child\n"}
        publish(tmp_path, SG, better)
        assert process.wait(30) == 0
