"""ONNX's own operator tests: what is imported is answered right, and what our ops should cover they do."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.operators import Verdict, verdicts

COVERED = (
    *("Conv", "ConvTranspose", "MatMul", "Gemm", "BatchNormalization", "MaxPool", "AveragePool", "Softmax"),
    *(
        "GlobalAveragePool",
        "LayerNormalization",
        "Relu",
        "Clip",
        "Tanh",
        "Sigmoid",
        "Erf",
        "Gelu",
        "Add",
        "Sub",
    ),
    *(
        "Mul",
        "Div",
        "Pow",
        "Sqrt",
        "ReduceMean",
        "Transpose",
        "Reshape",
        "Flatten",
        "Concat",
        "Slice",
        "Split",
    ),
    *("Squeeze", "Unsqueeze", "Where", "Expand", "Cast", "Pad", "Identity", "HardSwish"),
    *("InstanceNormalization", "GroupNormalization", "Constant", "Shape", "Not", "Equal"),
)
"""Ops of the five networks, as exporters write them, and their nearest kin."""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[Verdict]:
    return list(verdicts(tmp_path_factory.mktemp("operators")))


@pytest.mark.slow
def test_no_answer_is_wrong(found: list[Verdict]) -> None:
    assert [one for one in found if one.outcome == "wrong"] == []
    counts = Counter(one.outcome for one in found)
    assert counts["covered"] >= 790 and counts["refused"] <= 320, counts


@pytest.mark.slow
def test_the_ops_of_the_networks_are_ours(found: list[Verdict]) -> None:
    ours = {one.op for one in found if one.outcome == "covered"}
    assert set(COVERED) <= ours


@pytest.mark.slow
def test_what_is_refused_says_why(found: list[Verdict]) -> None:
    assert all(one.says for one in found if one.outcome == "refused")
