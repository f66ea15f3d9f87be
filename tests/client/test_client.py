"""From a subgraph to a kernel, over misses, better kernels, threads, forks and processes."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import ansord_client
from ansord.store import Store
from ansord_client import BadConfig, BadSubgraph, Client, KernelNotFound, Timeout, TuningFailed
from ansord_client import client as client_module
from ansord_client import request as request_module
from ansord_client.host import host
from tests.client.kernels import HEAD, add, compiled, entry_of, publish, subgraph

N = 16
SG = subgraph(("x", [N], "float32"), name="relu")
XW = subgraph(("x", [N], "float32"), ("w", [N], "float32", True))
X, W = np.arange(-4, N - 4, dtype=np.float32), np.ones(N, np.float32)
LOOP = f"for (int i = 0; i < {N}; i++)"


def scaled(factor: float) -> str:
    """y = x + factor * w, the multiplication being done in `ansord_pack`."""
    return f"""
PACK {{ const float *w = constants[0]; float *p = packed; {LOOP} p[i] = {float(factor)}f * w[i]; return 0; }}
RUN {{ const float *x = args[0], *p = packed; float *y = args[2]; {LOOP} y[i] = x[i] + p[i]; return 0; }}"""


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_module, "_asked", {})


def until(done: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_subgraph_a_dict_and_a_path_lead_to_one_kernel(tmp_path: Path) -> None:
    publish(tmp_path / "cache", SG, compiled(add(1)))
    (tmp_path / "sg.json").write_text(json.dumps(SG.to_dict()))
    client = Client(cache=tmp_path / "cache")
    kernel = client.get_kernel(SG)
    for same in (SG.to_dict(), tmp_path / "sg.json", str(tmp_path / "sg.json")):
        assert client.get_kernel(same) is kernel
    np.testing.assert_array_equal(kernel(X), X + 1)
    assert kernel.info.name == "relu"
    with pytest.raises(BadSubgraph):
        client.get_kernel({"ansord": 1})


def test_other_names_share_the_object_but_not_the_names(tmp_path: Path) -> None:
    publish(tmp_path, XW, compiled(scaled(1)), packed_bytes=4 * N)
    other = subgraph(("a", [N], "float32"), ("b", [N], "float32", True), name="other")
    assert other.key == XW.key
    client = Client(cache=tmp_path)
    np.testing.assert_array_equal(client.get_kernel(other).bind(b=W)(X), X + W)
    np.testing.assert_array_equal(client.get_kernel(XW).bind(w=W)(X), X + W)
    assert client.get_kernel(other).info.name == "other"


def test_a_miss_raises_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(KernelNotFound, match="is no cache yet") as caught:
        Client(cache=tmp_path / "none", inbox=tmp_path / "in").get_kernel(SG)
    assert caught.value.reason == str(caught.value)
    assert not (tmp_path / "in").exists()


def test_a_kernel_is_found_as_soon_as_it_is_there(tmp_path: Path) -> None:
    client = Client(cache=tmp_path)
    for _ in range(2):
        with pytest.raises(KernelNotFound):
            client.get_kernel(SG)
    publish(tmp_path, SG, compiled(add(1)))
    np.testing.assert_array_equal(client.get_kernel(SG)(X), X + 1)


def test_a_damaged_object_is_a_miss_and_the_next_cache_is_tried(tmp_path: Path) -> None:
    publish(tmp_path / "one", SG, compiled(add(7)))
    path = next((tmp_path / "one/v1/objects").glob("*/*.so"))
    path.chmod(0o644)
    path.write_bytes(b"damaged")
    with pytest.raises(KernelNotFound, match="7 bytes, its entry says"):
        Client(cache=tmp_path / "one").get_kernel(SG)
    publish(tmp_path / "two", SG, compiled(add(7)))
    np.testing.assert_array_equal(Client(cache=[tmp_path / "one", tmp_path / "two"]).get_kernel(SG)(X), X + 7)


def test_an_entry_of_another_signature_is_a_miss(tmp_path: Path) -> None:
    publish(tmp_path, SG, compiled(add(1)), inputs=(((N + 1,), "float32", False),))
    with pytest.raises(KernelNotFound, match="other inputs or outputs"):
        Client(cache=tmp_path).get_kernel(SG)


def test_kernels_of_other_hosts_are_degraded_and_foreign_code_is_never_loaded(tmp_path: Path) -> None:
    me = host()
    wider = me.with_threads(me.threads + 2)
    publish(tmp_path, SG, compiled(add(3)), host_key=wider.key, threads=wider.threads)
    publish(tmp_path, XW, compiled(add(4)), host_key="x-foreign", isa=("made_up",))
    with pytest.raises(KernelNotFound, match=f"is for {wider.threads} threads"):
        Client(cache=tmp_path).get_kernel(SG)
    with pytest.raises(KernelNotFound, match="needs made_up, which this host lacks"):
        Client(cache=tmp_path).get_kernel(XW)
    kernel = Client(cache=tmp_path, threads=me.threads + 4).get_kernel(SG)
    assert kernel.info.degraded
    assert not Client(cache=tmp_path, threads=wider.threads).get_kernel(SG).info.degraded


def test_a_request_is_dropped_once(tmp_path: Path) -> None:
    client = Client(cache=tmp_path / "cache", inbox=tmp_path / "in", on_miss="request")
    for _ in range(3):
        with pytest.raises(KernelNotFound, match="asked for in"):
            client.get_kernel(SG)
    drops = list((tmp_path / "in").iterdir())
    assert [one.name for one in drops] == [f"{SG.key}.json"]
    assert json.loads(drops[0].read_text())["name"] == "relu"


def test_an_inbox_that_cannot_be_written_is_part_of_the_reason(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("a file")
    for on_miss in ("request", "wait"):
        with pytest.raises(KernelNotFound, match="could not be asked for in .*: File exists"):
            Client(cache=tmp_path / "c", inbox=tmp_path / "in", on_miss=on_miss).get_kernel(SG)  # type: ignore[arg-type]


def test_waiting_ends_with_the_kernel(tmp_path: Path) -> None:
    def daemon() -> None:
        until((tmp_path / "in" / f"{SG.key}.json").exists)
        publish(tmp_path / "cache", SG, compiled(add(1)))

    code = compiled(add(1))
    assert code
    thread = threading.Thread(target=daemon)
    thread.start()
    client = Client(cache=tmp_path / "cache", inbox=tmp_path / "in", on_miss="wait", timeout=30)
    np.testing.assert_array_equal(client.get_kernel(SG)(X), X + 1)
    thread.join()


def test_waiting_ends_with_a_failure_or_with_the_time(tmp_path: Path) -> None:
    failed = tmp_path / "in" / "failed"
    failed.mkdir(parents=True)
    stale = failed / f"{SG.key}.error.json"
    stale.write_text(json.dumps({"path": "$", "found": "old", "wanted": "new", "cause": "shape"}))
    client = Client(cache=tmp_path / "cache", inbox=tmp_path / "in", on_miss="wait", timeout=0.1)
    with pytest.raises(Timeout, match=r"no kernel within 0\.1 s: no kernel"):
        client.get_kernel(SG)
    stale.unlink()
    stale.write_text(json.dumps({"path": "$", "found": "x", "wanted": "y", "cause": "compiler"}))
    with pytest.raises(TuningFailed, match="compiler: found x, wanted y"):
        client.get_kernel(SG)
    assert isinstance(Timeout("x"), TimeoutError)


def test_the_reference_answers_until_the_kernel_appears(tmp_path: Path) -> None:
    client = Client(cache=tmp_path / "cache", inbox=tmp_path / "in", on_miss="reference")
    kernel = client.get_kernel(XW)
    bound = kernel.bind(w=W)
    assert (tmp_path / "in" / f"{XW.key}.json").exists()
    y = np.zeros(N, np.float32)
    for call in (lambda: kernel(X, W), lambda: bound(X), lambda: bound(X, out=y)):
        np.testing.assert_array_equal(call(), X + W)
    assert bound(X, out=y) is y
    assert (bound.info.object, bound.info.latency_us, bound.info.key) == (None, None, XW.key)
    with pytest.raises(ansord_client.BadCall, match="input x"):
        bound(X[1:])
    with pytest.raises(ansord_client.BadCall, match="overlaps"):
        bound(y, out=y)
    assert client.get_kernel(XW) is kernel
    publish(tmp_path / "cache", XW, compiled(scaled(5)), packed_bytes=4 * N)
    client.refresh()
    np.testing.assert_array_equal(kernel(X, W), X + 5 * W)
    np.testing.assert_array_equal(bound(X, out=y), X + 5 * W)
    assert bound.info.latency_us == 1.5


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


def test_options_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="on_miss"):
        Client(cache=tmp_path, on_miss="hope")  # type: ignore[arg-type]
    with pytest.raises(BadConfig, match="threads"):
        Client(cache=tmp_path, threads=0)


SECOND = """
import sys, json
import numpy as np
import ansord_client as client
assert not [name for name in sys.modules if name == "ansord" or name.startswith("ansord.")]
kernel = client.get_kernel(json.loads(sys.argv[1]))
print(kernel(np.zeros(16, np.float32))[0], kernel.info.object)
"""


def test_a_second_process_hits_by_its_environment(tmp_path: Path) -> None:
    code = compiled(add(6))
    publish(tmp_path, SG, code)
    environment = {**os.environ, "ANSORD_CACHE": f"/no/such:{tmp_path}"}
    command = [sys.executable, "-I", "-c", SECOND, json.dumps(SG.to_dict())]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["6.0", entry_of(SG, code).object], done.stderr


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


def test_the_default_client_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(tmp_path, SG, compiled(add(1)))
    monkeypatch.setenv("ANSORD_CACHE", str(tmp_path))
    client_module._default.cache_clear()
    try:
        assert ansord_client.get_kernel(SG) is ansord_client.get_kernel(SG)
    finally:
        client_module._default.cache_clear()
