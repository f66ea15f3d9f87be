"""The bench of whole networks: what is told, judged and printed of one."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx")

from benchmarks.networks.__main__ import distance, line, row, written
from benchmarks.paper.measure import Findings


def test_a_ratio_is_against_the_best_of_the_others() -> None:
    samples = {"ansord": [2e-3, 2e-3, 9e-3], "ort": [3e-3] * 3, "openvino": [5e-3] * 3}
    found = row("net_b1", Findings(samples=samples, way={"ansord": "9 of 9 calls, 0 foreign"}))
    assert found["ms"] == {"ansord": 2.0, "ort": 3.0, "openvino": 5.0} and found["ratio"] == 1.5
    printed = "net_b1 1.50 ansord 2.00 ms ort 3.00 ms openvino 5.00 ms (9 of 9 calls, 0 foreign)"
    assert " ".join(line(found).split()) == printed


def test_who_has_no_time_says_why() -> None:
    found = row("net_b1", Findings(samples={"ansord": [1e-3]}, none={"ort": "no such module"}))
    assert found["ratio"] is None and line(found).endswith("ort: no such module")


def test_distance_is_beside_the_largest_element() -> None:
    wanted = np.array([0.0, -4.0])
    assert distance(wanted + [0.0, 0.002], wanted) == pytest.approx(5e-4)
    assert math.isinf(distance(wanted[:1], wanted))


def test_open_dimensions_are_bound(tmp_path: Path) -> None:
    told = written("dcgan", 2, tmp_path)
    assert told["dims"] == {} and [shape[0] for _, shape, _ in told["inputs"]] == [2]
    assert all(dtype == "float32" for _, _, dtype in told["inputs"]) and Path(told["model"]).exists()
