"""PyTorch's version of a subgraph computes the same, so that its time is worth comparing. Needs torch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from ansord.cli.torch_peer import RULES, torch_call
from ansord_client.compare import answers, inputs, judge
from ansord_client.ops import TABLE
from ansord_client.subgraph import Subgraph
from tests.strategies import subgraphs

Json = dict[str, object]


def test_the_table_is_complete() -> None:
    assert set(RULES) == set(TABLE) - {"compute"}


def test_without_torch_there_is_no_peer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    value = {
        "ansord": 1,
        "inputs": [{"name": "x", "shape": [2], "dtype": "float32"}],
        "nodes": [{"name": "y", "op": "relu", "args": ["x"]}],
        "outputs": ["y"],
    }
    assert torch_call(Subgraph.from_dict(value), [np.zeros(2, np.float32)], None) is None


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(subgraphs())
def test_the_peer_computes_the_same(value: Json) -> None:
    pytest.importorskip("torch")
    sg = Subgraph.from_dict(value)
    arrays = inputs(sg, 0, "normal")
    assert arrays is not None
    call = torch_call(sg, arrays, 1)
    if call is None or not all(node.dtype in ("float32", "float64") for node in sg.live):
        return  # PyTorch's integers and booleans have rules of their own
    got = [tensor.contiguous().numpy() for tensor in call()]
    ref64, ref32 = answers(sg, arrays)
    verdict = judge(sg, got, ref64, ref32)
    assert verdict.ok or verdict.worst_error < 1e-3, verdict.message
