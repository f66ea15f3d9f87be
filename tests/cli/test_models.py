"""`ansord warm` and `ansord show` of models, as a person and as a deployment pipeline meet them."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansord.cli import main, warm
from ansord.daemon import read_status
from ansord.store import Store
from ansord_client.entry import Port
from ansord_client.host import CpuCache, host
from ansord_client.models import Plan, load_plan, survey
from ansord_client.subgraph import Subgraph
from tests.client.kernels import add, compiled, entry
from tests.client.models.networks import examples
from tests.daemon.tiny import until

REPO = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "dcgan.onnx"
    path.write_bytes(examples().dcgan(True, 1).SerializeToString())
    return path


def daemon_of(home: Path, *more: str) -> Iterator[subprocess.Popen[bytes]]:
    """A live daemon whose sessions count instead of compiling."""
    (home / "state").mkdir()
    command = [sys.executable, str(REPO / "tests/daemon/tiny.py"), str(home / "inbox"), str(home / "state")]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen([*command, *more], env=dict(os.environ, PYTHONPATH=str(REPO)), stderr=log)
    until(lambda: (read_status(home / "state") or {}).get("state") == "idle")
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def daemon(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    yield from daemon_of(home, "--round", "0")


@pytest.fixture
def slow_daemon(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    yield from daemon_of(home, "--round", "5")


def answer(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert value["schema_version"] == 1
    return value


def publish(plan: Plan, home: Path, count: int, start: int = 0, **more: Any) -> None:
    """An entry for each of the first tasks, of 10 µs."""
    code = compiled(add(1))
    with Store.open(home / "cache") as store:
        for task in plan.tasks[start:count]:
            sg = task.subgraph
            ports = [Port(one.shape, one.dtype, one.constant) for one in sg.inputs]
            ends = [Port(sg.tensor(name).shape, sg.tensor(name).dtype) for name in sg.outputs]
            fields = {"inputs": tuple(ports), "outputs": tuple(ends), "latency_us": 10.0, **more}
            store.publish(dataclasses.replace(entry(code, sg.key, host()), **fields), code)


def test_warm_drops_every_task_with_its_weight(
    home: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["warm", str(model), "--json"]) == 0
    value = answer(capsys)
    plan = load_plan(model, trusted=True)
    dropped = [Subgraph.from_json(path.read_bytes()) for path in (home / "inbox").glob("dcgan-*.json")]
    assert {one.key: one.uses for one in dropped} == {
        task.subgraph.key: task.subgraph.uses for task in plan.tasks
    }
    assert [row["key"] for row in value["tasks"]] == [task.subgraph.key for task in plan.tasks]
    assert value["coverage"] == 0 and sum(row["share_of_latency"] for row in value["tasks"]) == pytest.approx(
        1
    )


def test_a_model_larger_than_the_caches_is_timed_with_constants_from_memory(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = load_plan(model)
    held = sum(task.count * warm.constant_bytes(task.subgraph) for task in plan.tasks)
    found = set()
    for size, cold in ((4 * held, False), (4 * held - 1, True)):
        caches = (CpuCache(1, "Data", 1 << 10, 64, 1), CpuCache(3, "Unified", size, 64, 2))
        monkeypatch.setattr(warm, "host", lambda caches=caches: dataclasses.replace(host(), caches=caches))
        for text in warm.texts_of(plan).values():
            value = json.loads(text)
            one = Subgraph.from_json(text)
            felt = one.flops < warm.UNFELT * warm.constant_bytes(one)
            found.add((cold, felt, value.get("tuning", {}).get("cold", False)))
    assert found == {(False, False, False), (False, True, False), (True, False, False), (True, True, True)}


def test_coverage_is_what_kernels_take_of_the_time(
    home: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = load_plan(model, trusted=True)
    publish(plan, home, 3)
    assert main(["warm", str(model), "--json"]) == 0
    value = answer(capsys)
    assert [row["state"] for row in value["tasks"]] == ["tuned"] * 3 + ["estimated"] * 2
    assert value["coverage"] == pytest.approx(30 / value["latency_us"])
    for wanted, code in (("0.999", 75), (str(value["coverage"] - 0.001), 0)):
        assert main(["warm", str(model), "--min-coverage", wanted]) == code
    assert f"3 of {len(plan.tasks)} tasks have kernels" in capsys.readouterr().out


def test_kernels_of_other_hosts_cover_nothing(
    home: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = load_plan(model, trusted=True)
    publish(plan, home, 1)
    publish(plan, home, 3, start=1, host_key="of-another", isa=())
    assert main(["warm", str(model), "--json"]) == 0
    value = answer(capsys)
    states = [row["state"] for row in value["tasks"]]
    assert states == ["tuned", "degraded", "degraded", "estimated", "estimated"]
    assert value["coverage"] == pytest.approx(10 / value["latency_us"])


def test_the_estimate_falls_as_kernels_appear(
    home: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a task is trusted with before it has a kernel is more than what good kernels take."""
    plan = load_plan(model, trusted=True)
    flops = {task.subgraph.key: task.subgraph.flops for task in plan.tasks}
    found: list[tuple[float, float]] = []
    for count in range(len(plan.tasks) + 1):
        if count:
            key = plan.tasks[count - 1].subgraph.key
            publish(plan, home, count, start=count - 1, latency_us=min(0.5, flops[key] / 200e9 * 1e6))
        assert main(["warm", str(model), "--json"]) == 0
        value = answer(capsys)
        found.append((value["latency_us"], value["coverage"]))
    latencies, coverages = zip(*found, strict=True)
    assert all(later < earlier for earlier, later in itertools.pairwise(latencies))
    assert all(later > earlier for earlier, later in itertools.pairwise(coverages)) and coverages[-1] == 1


def test_the_daemon_hears_of_the_deadline(home: Path, model: Path) -> None:
    from ansord.cli.warm import texts_of

    plan = load_plan(model, trusted=True)
    for text in texts_of(plan, 90.0).values():
        assert Subgraph.from_json(text).tuning.deadline_s == 90.0
    for text in texts_of(plan).values():
        assert Subgraph.from_json(text).tuning.deadline_s is None
    assert set(texts_of(plan)) == set(texts_of(plan, 90.0))


def test_a_model_with_all_kernels_is_covered(model: Path) -> None:
    plan = load_plan(model, trusted=True)
    found = survey(plan, {task.subgraph.key: 2.0 for task in plan.tasks})
    assert found.coverage == 1 and found.latency_us == 2.0 * len(plan.calls)
    slower = survey(plan, {plan.tasks[0].subgraph.key: 2000.0})
    assert slower.coverage > 0.9


@pytest.mark.usefixtures("daemon")
def test_warm_waits_for_all_results(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """This daemon counts and publishes nothing: the work is done, and nothing is covered."""
    assert main(["warm", str(model), "--wait", "--deadline", "1m"]) == 0
    out, err = capsys.readouterr()
    assert "5 are done" in err and out.startswith("TASK")
    assert main(["warm", str(model), "--wait", "--min-coverage", "0.5"]) == 1


@pytest.mark.usefixtures("slow_daemon")
def test_a_deadline_that_passes_is_75(home: Path, model: Path) -> None:
    assert main(["warm", str(model), "--wait", "--deadline", "0.1s", "--min-coverage", "0.9"]) == 75
    assert main(["warm", str(model), "--wait", "--deadline", "0.1s"]) == 75
    publish(load_plan(model, trusted=True), home, 5)
    assert main(["warm", str(model), "--wait", "--deadline", "0.1s", "--min-coverage", "0.9"]) == 0


def test_mistakes_have_their_codes(tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    (tmp_path / "bert.onnx").write_bytes(examples().bert(True, 1).SerializeToString())
    for command, code in (
        (["warm", str(model), "--wait"], 69),
        (["warm", str(model), "--deadline", "1m"], 2),
        (["warm", str(model), "--min-coverage", "2"], 2),
        (["warm", str(model), "--wait", "--deadline", "soon"], 2),
        (["warm", str(model), "--dim", "batch"], 2),
        (["warm", str(tmp_path / "bad.onnx")], 65),
        (["show", str(tmp_path / "bad.onnx")], 65),
        (["warm", str(tmp_path / "bert.onnx")], 65),
        (["warm", str(tmp_path / "absent.onnx")], 1),
    ):
        assert main(command) == code, command
        out, err = capsys.readouterr()
        assert out == "" and "Traceback" not in err
    assert not list((tmp_path / "inbox").glob("bert*"))


def test_what_no_task_covers_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bert.onnx"
    path.write_bytes(examples().bert(True, 1).SerializeToString())
    assert main(["warm", str(path), "--dim", "batch=1", "--dim", "sequence=5", "--json"]) == 0
    out, err = capsys.readouterr()
    assert "not covered: 2 x Gather" in err
    rows = json.loads(out)["tasks"]
    assert [row["state"] for row in rows if row["key"] is None] == ["fallback"]


def test_show_draws_every_step(tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(model)]) == 0
    text = capsys.readouterr().out
    root = ElementTree.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    boxes = root.findall("{http://www.w3.org/2000/svg}g")
    plan = load_plan(model, trusted=True)
    assert len(boxes) == len(plan.inputs) + len(plan.calls) + len(plan.outputs)
    assert "% of the time in 1 runs" in text
    assert main(["show", str(model), "--out", str(tmp_path / "out")]) == 0
    assert ElementTree.parse(tmp_path / "out/dcgan.svg").getroot().tag == root.tag
    capsys.readouterr()
    assert main(["show", str(model), "--json"]) == 0
    assert answer(capsys)["svg"] == text


def test_names_from_a_hostile_model_are_harmless(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from onnx import helper

    from tests.client.models.networks import model as made

    name = "<script>&\x1b[31m"
    path = tmp_path / "a.onnx"
    nodes = [helper.make_node("Relu", [name], ["y"]), helper.make_node("Det", ["y"], ["z"])]
    path.write_bytes(made(nodes, {name: [2, 2]}, ("z",)).SerializeToString())
    assert main(["show", str(path)]) == 0
    text = capsys.readouterr().out
    ElementTree.fromstring(text)
    assert "<script>" not in text and "\x1b" not in text
