"""Shapes, attribute normal forms and flops of the op table, by value."""

from __future__ import annotations

from typing import Any

import pytest

from ansord_client.errors import BadSubgraph
from ansord_client.ops import TABLE, Fusion
from tests.client.graphs import graph, one

SHAPES: list[tuple[str, list[list[int]], dict[str, Any], list[int]]] = [
    ("conv1d", [[2, 9, 4], [3, 4, 5]], {}, [2, 7, 5]),
    ("conv1d", [[2, 9, 4], [3, 4, 5]], {"padding": [[2, 0]], "stride": [2]}, [2, 5, 5]),
    (
        "conv2d",
        [[1, 224, 224, 3], [7, 7, 3, 64]],
        {"stride": 2, "padding": 3, "dilation": 2},
        [1, 109, 109, 64],
    ),
    ("conv2d", [[1, 5, 6, 4], [3, 2, 2, 6]], {"groups": 2, "padding": [1, [0, 1]]}, [1, 5, 6, 6]),
    ("conv3d", [[1, 4, 5, 6, 2], [2, 3, 1, 2, 3]], {}, [1, 3, 3, 6, 3]),
    ("conv2d_transpose", [[1, 4, 4, 512], [4, 4, 512, 256]], {"stride": 2, "padding": 1}, [1, 8, 8, 256]),
    (
        "conv1d_transpose",
        [[1, 5, 2], [3, 2, 1]],
        {"stride": 3, "output_padding": 2, "dilation": 2},
        [1, 19, 1],
    ),
    (
        "conv3d_transpose",
        [[1, 2, 2, 2, 1], [1, 1, 1, 1, 1]],
        {"dilation": 3, "output_padding": 2},
        [1, 4, 4, 4, 1],
    ),
    ("matmul", [[3], [3]], {}, []),
    ("matmul", [[2, 3], [3]], {}, [2]),
    ("matmul", [[3], [5, 3, 4]], {}, [5, 4]),
    ("matmul", [[7, 1, 2, 3], [5, 3, 4]], {}, [7, 5, 2, 4]),
    ("matmul", [[3, 2], [4, 3]], {"transpose_a": True, "transpose_b": True}, [2, 4]),
    ("max_pool", [[1, 7, 7, 3]], {"kernel": 3}, [1, 2, 2, 3]),
    ("max_pool", [[1, 7, 7, 3]], {"kernel": 3, "stride": 2, "padding": 1}, [1, 4, 4, 3]),
    # The last window would begin in the right padding: PyTorch's rule drops it.
    ("avg_pool", [[1, 4, 1]], {"kernel": 2, "stride": 2, "padding": 1, "ceil_mode": True}, [1, 3, 1]),
    ("avg_pool", [[1, 3, 1]], {"kernel": 2, "stride": 2, "padding": [[0, 1]], "ceil_mode": True}, [1, 2, 1]),
    ("avg_pool", [[1, 6, 1]], {"kernel": 3, "stride": 2, "ceil_mode": True}, [1, 3, 1]),
    ("reduce_sum", [[2, 3, 4]], {}, []),
    ("reduce_sum", [[2, 3, 4]], {"keepdims": True}, [1, 1, 1]),
    ("reduce_max", [[2, 3, 4]], {"axes": [-1, 0]}, [3]),
    ("reduce_sum", [[]], {}, []),
    ("softmax", [[2, 3]], {"axis": 0}, [2, 3]),
    ("layer_norm", [[2, 3, 4], [3], [3]], {"axis": 1}, [2, 3, 4]),
    ("layer_norm", [[2, 3, 4], [2, 4], [2, 4]], {"axis": [-1, 0]}, [2, 3, 4]),
    ("batch_norm", [[2, 3, 4], [4], [4], [4], [4]], {}, [2, 3, 4]),
    ("add", [[2, 1, 4], [3, 1]], {}, [2, 3, 4]),
    ("add", [[], [3]], {}, [3]),
    ("transpose", [[2, 3, 4]], {"perm": [-1, 0, 1]}, [4, 2, 3]),
    ("transpose", [[]], {"perm": []}, []),
    ("reshape", [[2, 3, 4]], {"shape": [4, -1]}, [4, 6]),
    ("reshape", [[1, 1]], {"shape": []}, []),
    ("pad", [[2, 3]], {"pads": [[1, 0], [0, 2]]}, [3, 5]),
    ("slice", [[5, 6]], {"starts": [1, None], "ends": [-1, None], "steps": [2, -2]}, [2, 3]),
    ("slice", [[5]], {}, [5]),
    ("slice", [[5]], {"starts": [-100], "ends": [100]}, [5]),
    ("concat", [[2, 3], [2, 1], [2, 2]], {"axis": -1}, [2, 6]),
    ("expand_dims", [[2, 3]], {"axes": [0, -1]}, [1, 2, 3, 1]),
    ("squeeze", [[1, 2, 1]], {}, [2]),
    ("squeeze", [[1, 2, 1]], {"axes": [-1]}, [1, 2]),
]


@pytest.mark.parametrize(("op", "shapes", "attrs", "wanted"), SHAPES)
def test_shapes(op: str, shapes: list[list[int]], attrs: dict[str, Any], wanted: list[int]) -> None:
    assert list(one(op, shapes, attrs).nodes[0].shape) == wanted


MISFITS: list[tuple[str, list[list[int]], dict[str, Any], str]] = [
    ("conv2d", [[1, 4, 4, 2], [5, 1, 2, 3]], {}, "fits into"),
    ("conv2d", [[4, 4, 2], [1, 2, 3]], {}, "rank 4"),
    ("conv1d_transpose", [[1, 1, 2], [1, 2, 1]], {"padding": 1}, "at least one element"),
    ("conv1d_transpose", [[1, 4, 2], [2, 2, 1]], {"stride": 2, "output_padding": 2}, "less than"),
    ("conv1d_transpose", [[1, 4, 2], [2, 3, 1]], {}, "channels in"),
    ("matmul", [[2, 3], [4, 5]], {}, "rows"),
    ("matmul", [[2, 2, 3], [3, 3, 4]], {}, "broadcast"),
    ("matmul", [[3], [3, 4]], {"transpose_a": True}, "rank 2"),
    ("matmul", [[], [3]], {}, "rank 1"),
    ("max_pool", [[1, 4, 1]], {"kernel": 3, "padding": 2}, "half the kernel"),
    ("max_pool", [[1, 4, 1]], {"kernel": 5}, "fits into"),
    ("max_pool", [[1, 4, 1]], {}, "a field 'kernel'"),
    ("reduce_sum", [[2, 3]], {"axes": []}, "at least one"),
    ("reduce_sum", [[2, 3]], {"axes": [0, -2]}, "distinct"),
    ("reduce_sum", [[2, 3]], {"axes": [2]}, "-2 to 1"),
    ("softmax", [[]], {}, "an axis"),
    ("softmax", [[2]], {"axis": [0]}, "an integer"),
    ("layer_norm", [[2, 3], [2], [3]], {}, r"\[3\]"),
    ("layer_norm", [[2, 3], [3], [3]], {"epsilon": -1e-5}, "from 0"),
    ("batch_norm", [[2, 3], [3], [3], [3], [1]], {}, r"\[3\]"),
    ("add", [[2, 3], [2]], {}, "broadcasts"),
    ("transpose", [[2, 3]], {"perm": [0, 0]}, "distinct"),
    ("transpose", [[2, 3]], {"perm": [0]}, "each of 2"),
    ("transpose", [[2, 3]], {"perm": 0}, "a list"),
    ("reshape", [[2, 3]], {"shape": [-1, -1]}, "6 elements"),
    ("reshape", [[2, 3]], {"shape": [4, -1]}, "6 elements"),
    ("reshape", [[2, 3]], {"shape": [0, 6]}, "extent"),
    ("pad", [[2, 3]], {"pads": [[1, 1]]}, "one per axis"),
    ("pad", [[2]], {"pads": [[1, -1]]}, "from 0"),
    ("slice", [[5]], {"starts": [3], "ends": [3]}, "at least one element"),
    ("slice", [[5]], {"steps": [0]}, "not 0"),
    ("slice", [[5]], {"starts": 1}, "a list"),
    ("concat", [[2, 3], [3, 3]], {"axis": 1}, "but for axis 1"),
    ("concat", [[2, 3], [2]], {"axis": 0}, "but for axis"),
    ("expand_dims", [[2]], {"axes": [0, 0]}, "distinct"),
    ("expand_dims", [[2]], {"axes": [3]}, "-2 to 1"),
    ("squeeze", [[2, 1]], {"axes": [0]}, "extent 1"),
    ("clip", [[2]], {}, "min, max or both"),
    ("clip", [[2]], {"min": 1, "max": 0}, "at most max"),
    ("cast", [[2]], {}, "a field 'dtype'"),
    ("cast", [[2]], {"dtype": "bfloat16"}, "dtype"),
]


@pytest.mark.parametrize(("op", "shapes", "attrs", "wanted"), MISFITS)
def test_misfits(op: str, shapes: list[list[int]], attrs: dict[str, Any], wanted: str) -> None:
    with pytest.raises(BadSubgraph, match=wanted) as caught:
        one(op, shapes, attrs)
    assert caught.value.path.startswith("$.nodes[0]")


@pytest.mark.parametrize(
    ("op", "shapes", "attrs", "wanted"),
    [
        ("slice", [[5, 6]], {"starts": [1, None], "steps": [None, -4]}, {"bounds": ((1, 4, 1), (5, 2, -4))}),
        ("slice", [[5]], {"starts": [4], "steps": [7]}, {"bounds": ((4, 1, 1),)}),
        (
            "max_pool",
            [[1, 7, 3]],
            {"kernel": 3, "count_include_pad": True},
            {"kernel": (3,), "stride": (3,), "padding": ((0, 0),), "ceil_mode": False},
        ),
        ("reduce_sum", [[2, 3]], {}, {"axes": (0, 1), "keepdims": False}),
        ("reduce_sum", [[2, 3]], {"axes": -1}, {"axes": (1,), "keepdims": False}),
        ("layer_norm", [[2, 3], [3], [3]], {}, {"axis": (1,), "epsilon": 9.999999747378752e-06}),
        ("clip", [[2]], {"min": 0}, {"min": 0.0, "max": None}),
        ("gelu", [[2]], {}, {"approximate": False}),
        ("expand_dims", [[2]], {"axes": [-1, 0]}, {"axes": (0, 2)}),
        ("pad", [[2]], {"pads": [[1, 0]]}, {"pads": ((1, 0),), "value": 0.0}),
    ],
)
def test_normal_forms(
    op: str, shapes: list[list[int]], attrs: dict[str, Any], wanted: dict[str, Any]
) -> None:
    assert one(op, shapes, attrs).nodes[0].attrs == wanted


@pytest.mark.parametrize(
    ("op", "shapes", "attrs", "flops", "terms"),
    [
        ("conv2d", [[1, 8, 8, 4], [3, 3, 2, 6]], {"groups": 2, "padding": 1}, 2 * 64 * 6 * 18, 18),
        (
            "conv2d_transpose",
            [[1, 4, 4, 512], [4, 4, 512, 256]],
            {"stride": 2, "padding": 1},
            2 * 16 * 512 * 16 * 256,
            16 * 512,
        ),
        ("matmul", [[5, 2, 3], [3, 4]], {}, 2 * 5 * 2 * 3 * 4, 3),
        ("matmul", [[3, 2], [3]], {"transpose_a": True}, 2 * 2 * 3, 3),
        ("avg_pool", [[1, 4, 4, 2]], {"kernel": 2}, 5 * 8, 4),
        ("max_pool", [[1, 4, 4, 2]], {"kernel": 2}, 0, 4),
        ("reduce_mean", [[3, 4]], {"axes": [1]}, 12 + 3, 4),
        ("softmax", [[3, 4]], {}, 36, 4),
        ("batch_norm", [[3, 4], [4], [4], [4], [4]], {}, 48, 1),
        ("gelu", [[3]], {"approximate": True}, 24, 1),
        ("reshape", [[3]], {"shape": [3, 1]}, 0, 1),
    ],
)
def test_flops_and_terms(
    op: str, shapes: list[list[int]], attrs: dict[str, Any], flops: int, terms: int
) -> None:
    sg = one(op, shapes, attrs)
    assert (sg.flops, sg.terms(sg.nodes[0])) == (flops, terms)


def test_k_is_the_largest_product_on_a_path() -> None:
    sg = graph(
        {"x": [4, 5], "w": [5, 6]},
        ("m", "matmul", ["x", "w"]),
        ("s", "reduce_sum", ["x"], {"axes": [1], "keepdims": True}),
        ("a", "add", ["m", "s"]),
        ("r", "reduce_max", ["a"]),
        outputs=["r", "s"],
    )
    assert sg.reductions == {"x": 1, "w": 1, "m": 5, "s": 5, "a": 5, "r": 120}


def test_every_row_is_complete() -> None:
    assert len(TABLE) == 59 and all(name == row.name for name, row in TABLE.items())
    kinds = {name: row.fusion for name, row in TABLE.items()}
    assert kinds["relu"] is Fusion.ELEMENTWISE and kinds["batch_norm"] is Fusion.BROADCAST
    assert kinds["transpose"] is Fusion.INJECTIVE and kinds["reduce_sum"] is Fusion.REDUCTION
    assert {name for name, kind in kinds.items() if kind is Fusion.HEAVY} == {
        *(f"conv{n}d{kind}" for n in (1, 2, 3) for kind in ("", "_transpose")),
        "matmul",
        "max_pool",
        "avg_pool",
        "softmax",
        "log_softmax",
        "layer_norm",
        "compute",
    }
