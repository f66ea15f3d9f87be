"""ONNX's own operator tests: what is imported is answered right, and what our ops should cover they do."""

from __future__ import annotations

import re
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


NOT_OURS = {
    "elements that no file of ours holds": (
        "(div|mul|sub|add|equal)_(int16|uint16|uint32|uint64)|pow_types_float32_uint(32|64)",
        r"(?!cast_.*_to_FLOAT8E5M2$)cast(like)?_.*(FLOAT16|FLOAT8|FLOAT4|INT4|INT2).*",
        "equal_string|equal_string_broadcast|identity_sequence|identity_opt",
    ),
    "no elements at all": (
        "slice_start_out_of_bounds",
        "reduce_mean_default_axes_keepdims_(example|random)",
        "rotary_embedding_no_position_ids(_interleaved)?_expanded",
    ),
    "a training mode": ("batchnorm_(example|epsilon)_training_mode",),
    "an integer division, or a power of integers": (
        "div_int8|div_uint8|div_int32_trunc",
        r"pow_types_(float32|int64|int32)_(float32|int64|int32)",
    ),
    "a pooling with dilations, or a padding of more than half the kernel": (
        "averagepool_2d_(pads|dilations)|averagepool_3d_dilations_.*",
        "maxpool_2d_(pads|dilations)|maxpool_3d_dilations.*",
        "MaxPool[12]d_stride_padding_dilation",
    ),
    "where the largest element was": ("maxpool_with_argmax_2d_precomputed_(pads|strides)",),
    "a padding with other than one number": (
        "(edge|reflect|wrap)_pad|operator_pad|Re(plication|flection)Pad2d",
    ),
}
"""Tests of nothing but COVERED ops that our ops do not cover, by what the op table lacks for them."""


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
def test_what_our_ops_do_not_cover_has_a_written_reason(found: list[Verdict]) -> None:
    fallen = [one for one in found if one.ops <= set(COVERED) and one.outcome != "random"]
    assert len(fallen) > 500
    ours = {one.test.removeprefix("test_") for one in fallen if one.outcome == "covered"}
    others = {one.test.removeprefix("test_") for one in fallen if one.outcome != "covered"}
    listed: set[str] = set()
    for pattern in (one for patterns in NOT_OURS.values() for one in patterns):
        matched = {test for test in others if re.fullmatch(pattern, test)}
        assert matched, f"nothing is like {pattern}"
        assert not any(re.fullmatch(pattern, test) for test in ours), pattern
        listed |= matched
    assert others - listed == set()


@pytest.mark.slow
def test_what_is_refused_says_why(found: list[Verdict]) -> None:
    assert all(one.says for one in found if one.outcome == "refused")
