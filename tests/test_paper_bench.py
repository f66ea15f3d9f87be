"""The paper's benchmark: its cases, the judgement of peers, and what becomes of samples. Nothing is timed."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as xml
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ansord_client as client
from benchmarks.paper import cases, measure
from benchmarks.paper.measure import Findings, judged
from benchmarks.paper.peer import Peer
from benchmarks.paper.plot import plot
from benchmarks.paper.rows import by_operator, geometric, row
from benchmarks.paper.show import table
from benchmarks.paper.stored import PEAK_GFLOPS
from benchmarks.paper.tuning import Ledger
from benchmarks.paper.verdicts import verdicts


def case(name: str) -> cases.Case:
    (found,) = cases.table(only=f"^{name}$")
    return found


def test_the_table_has_every_case_once() -> None:
    found = cases.table()
    assert len({one.name for one in found}) == len(found) == 14 * 4 + 13 * 4  # softmax has no batch
    assert {one.subgraph.name for one in found} == {one.name for one in found}
    assert [one.name for one in cases.table([16], "const_[12]")] == ["gmm_const_1_b16", "gmm_const_2_b16"]
    assert [one.constant for one in case("gmm_const_1_b1").subgraph.inputs] == [False, True]
    assert not any(one.constant for one in case("gmm_1_b1").subgraph.inputs)


def test_what_has_to_move() -> None:
    assert case("gmm_2_b16").moved == 16 * 4 * (512 * 512 + 512 * 32 + 512 * 32)


class Fake(Peer):
    """Answers with the reference of the whole batch, a constant added."""

    def __init__(self, name: str, off: float) -> None:
        super().__init__(name, "")
        self._off = off

    def ask(self, do: str, **order: Any) -> dict[str, Any]:
        told = order["told"]
        whole = client.reference(
            client.Subgraph.from_dict(told["subgraph"]), *map(np.load, order["inputs"])
        ) + np.float32(self._off)
        np.save(order["answer"], whole if told["batch"] == 1 else whole[[0, -1]])
        return {"way": "fake", "seconds": 1.0}


@pytest.mark.parametrize("name", ["gmm_1_b16", "nrm_1_b16", "sfm_1_b1", "tbg_3_b1"])
def test_a_wrong_peer_is_not_timed(name: str, tmp_path: Path) -> None:
    words = judged(case(name), [Fake("right", 0.0), Fake("wrong", 0.5)], tmp_path, 2)
    assert words["right"] == {"way": "fake", "seconds": 1.0}
    assert words["wrong"]["none"].startswith("wrong: output y")


def test_a_peer_that_dies_says_so_and_starts_again() -> None:
    peer = Peer("peak", "/bin/false")
    assert peer.ask("sample") == {"none": "its process ended with 1"}
    assert peer.ask("sample") == {"none": "its process ended with 1"}


def test_the_runner_speaks_lines() -> None:
    peer = Peer("ansord", sys.executable)
    try:
        assert "KeyError" in peer.ask("open", inputs=[])["none"]
        answer = peer.ask("sample")
        assert answer["seconds"] > 0 and isinstance(answer["noisy"], bool)
    finally:
        peer.close()


class Timed(Peer):
    """Takes so long for a call in each turn; a negative time is one that somebody disturbed, 0 its death."""

    def __init__(self, name: str, *seconds: float) -> None:
        super().__init__(name, "")
        self._seconds = list(seconds)

    def ask(self, do: str, **order: Any) -> dict[str, Any]:
        now = self._seconds.pop(0) if len(self._seconds) > 1 else self._seconds[0]
        return {"seconds": abs(now), "noisy": now < 0} if now else {"none": "it died"}


def turns(*peers: Peer, seconds: float = 60.0) -> Findings:
    found = Findings(samples={peer.name: [] for peer in peers}, way={peer.name: "" for peer in peers})
    measure.take_turns(found, peers, seconds, lambda _: None)
    return found


def test_disturbed_turns_do_not_count() -> None:
    found = turns(Timed("one", 1.0, -5.0, 2.0), Timed("two", 1.0, 3.0, 4.0))
    assert found.noisy == 1
    assert found.samples["one"] == [1.0] + [2.0] * (measure.MOST - 1)
    assert found.samples["two"] == [1.0] + [4.0] * (measure.MOST - 1)


def test_where_all_are_disturbed_they_must_do() -> None:
    found = turns(Timed("one", -1.0), seconds=0.01)
    assert found.samples["one"] and found.noisy == len(found.samples["one"])


def test_a_peer_that_dies_while_timed_is_left_out() -> None:
    found = turns(Timed("one", 1.0), Timed("two", 2.0, 0.0))
    assert found.none == {"two": "it died"} and list(found.samples) == ["one"]
    assert found.samples["one"] == [1.0] * measure.MOST


def findings(**samples: list[float]) -> Findings:
    found = Findings(samples=samples, way=dict.fromkeys(samples, "only"), level="L2")
    found.roofs = {"float32": PEAK_GFLOPS * 1e9, "read": 4e11, "copy": 3e11}
    return found


def test_ratios_are_medians_over_turns() -> None:
    one = row(
        case("gmm_3_b1"),
        findings(ansord=[1e-3, 2e-3, 4e-3], eager=[2e-3, 2e-3, 16e-3], onednn=[3e-3, 1e-3, 1e-3]),
    )
    assert one["to_eager"] == pytest.approx(2) and one["to_onednn"] == pytest.approx(0.5)
    assert one["to_best"] == pytest.approx(0.5), "the better of the two in each turn: 2, 1/2, 1/4"
    assert one["ansord_us"] == pytest.approx(2000) and one["best_us"] == pytest.approx(1000)
    assert one["bound"] == "compute" and one["peak_share"] == pytest.approx(2 * 512**3 / 2e-3 / 5e11)
    assert one["to_ansor"] == pytest.approx(721 / 2000) and one["stored"] == ["ansor", "metaschedule"]


def test_the_lower_roof_bounds() -> None:
    one = row(case("nrm_2_b1"), findings(ansord=[1e-5]))
    assert one["bound"] == "memory" and one["bound_share"] == pytest.approx((512 * 512 + 1) * 4 / 4e11 / 1e-5)
    assert "to_best" not in one and "to_ansor" not in one


def test_tables_and_plot_show_every_row() -> None:
    rows = [
        row(case("c2d_3_b1"), findings(ansord=[1e-3], eager=[4e-3], onednn=[1e-3])),
        row(case("nrm_2_b1"), findings(ansord=[1e-3], eager=[4e-3])),
        row(case("cap_1_b1"), findings(eager=[4e-3])),
    ]
    assert list(by_operator(rows)) == ["C2D", "NRM", "CAP", "all"]
    assert geometric(one.get("to_best") for one in rows) == pytest.approx(2)
    text = table(rows)
    assert all(one["case"] in text for one in rows) and "peak 500 GFLOP/s" in text
    circles = xml.fromstring(plot(rows)).iter("{http://www.w3.org/2000/svg}circle")
    titles = [one.findtext("{http://www.w3.org/2000/svg}title") for one in circles]
    assert "c2d_3_b1, eager: 4.00" in titles and "nrm_2_b1, eager: 4.00" in titles


def test_verdicts_name_who_is_behind_and_why() -> None:
    least = 2 * 512**3 / (PEAK_GFLOPS * 1e9)
    rows = [
        row(case("gmm_3_b1"), findings(ansord=[least / 0.88], eager=[9.0], onednn=[least / 0.96])),
        row(case("gmm_const_3_b1"), findings(ansord=[least / 0.8], eager=[9.0], onednn=[least / 0.9])),
        row(case("nrm_2_b1"), findings(ansord=[1e-5], eager=[2e-5])),
        row(case("nrm_3_b1"), findings(ansord=[2e-3], eager=[1e-3])),
        row(case("cap_1_b1"), findings(eager=[4e-3])),
    ]
    share, ansor = rows[3]["bound_share"], rows[0]["to_ansor"]
    assert rows[3]["to_ansor"] < ansor
    assert verdicts(rows).splitlines() == [
        f"behind: nrm_3_b1 0.50, the peer at {2 * share:.0%} of the bandwidth of L2 (too far)",
        "behind: gmm_const_3_b1 0.89, the peer at 90% of the peak (too far)",
        "behind: gmm_3_b1 0.92, the peer at 96% of the peak",
        "behind in 3 of 5, too far in 2",
        "of the peak, compute-bound: median 84%, worst tenth 80%",
        f"of the bandwidth, memory-bound: least {share:.0%} (nrm_3_b1)",
        f"to ansor: least {rows[3]['to_ansor']:.2f} (nrm_3_b1)",
        f"to metaschedule: least {rows[3]['to_metaschedule']:.2f} (nrm_3_b1)",
    ]
    assert verdicts([]) == "behind in 0 of 0, too far in 0"


def test_the_ledger_adds_up_over_runs(tmp_path: Path) -> None:
    path = tmp_path / "spent.json"
    Ledger(path).add("key", "case", 18.0, 90)
    Ledger(path).add("key", "case", 162.0, 700)
    assert Ledger(path).seconds("key") == 180 and Ledger(path).trials("key") == 700
    assert Ledger(path).seconds("other") == 0


def test_the_level_that_holds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    sets = [("L1", 100, 10), ("L2", 1000, 100), ("memory", 1 << 62, 5000)]
    monkeypatch.setattr(measure, "working_sets", lambda caches, threads: sets)
    assert [measure.level(moved, 2)[0] for moved in (100, 101, 1001)] == ["L1", "L2", "memory"]
