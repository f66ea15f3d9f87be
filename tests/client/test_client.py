"""From a subgraph to a kernel, over misses, requests and processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import ansord_client
from ansord_client import BadConfig, BadSubgraph, Client, KernelNotFound, Timeout, TuningFailed
from ansord_client import client as client_module
from ansord_client import request as request_module
from ansord_client.host import host
from tests.client.kernels import SG, XW, N, add, compiled, entry_of, publish, scaled, subgraph, until

X, W = np.arange(-4, N - 4, dtype=np.float32), np.ones(N, np.float32)
@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_module, "_asked", {})


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


def test_the_default_client_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(tmp_path, SG, compiled(add(1)))
    monkeypatch.setenv("ANSORD_CACHE", str(tmp_path))
    client_module._default.cache_clear()
    try:
        assert ansord_client.get_kernel(SG) is ansord_client.get_kernel(SG)
    finally:
        client_module._default.cache_clear()
