"""`compute`: ranges, types and bounds of an expression, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from ansord_client.errors import BadSubgraph
from ansord_client.expr import AxisValue, Call, Const, Load
from ansord_client.index import Index
from ansord_client.ops import Definition
from ansord_client.subgraph import Subgraph
from tests.client.graphs import graph


def compute(expr: str, shape: list[int], inputs: dict[str, Any], **attrs: Any) -> Subgraph:
    attrs = {"expr": expr, "shape": shape} | attrs
    return graph(inputs, ("y", "compute", list(inputs), attrs))


def definition(expr: str, shape: list[int], inputs: dict[str, Any], **attrs: Any) -> Definition:
    made = compute(expr, shape, inputs, **attrs).nodes[0].attrs["definition"]
    assert isinstance(made, Definition)
    return made


def test_the_capsule_convolution() -> None:
    text = "y[n,h,w,i,j,o] += p[n, h*2+u, w*2+v, i, k, c] * w[u,v,k,j,c,o]"
    made = compute(text, [1, 8, 8, 4, 4, 32], {"p": [1, 18, 18, 4, 4, 32], "w": [3, 3, 4, 4, 32, 32]})
    found = made.nodes[0].attrs["definition"]
    assert found.axes == (("n", 1), ("h", 8), ("w", 8), ("i", 4), ("j", 4), ("o", 32))
    assert found.reduce == (("u", 3), ("v", 3), ("k", 4), ("c", 32))
    assert found.combiner == "add" and found.terms == 3 * 3 * 4 * 32
    assert made.flops == 2 * 1 * 8 * 8 * 4 * 4 * 32 * 1152
    assert str(found) == text


def test_args_come_by_first_use() -> None:
    made = graph(
        {"a": [3], "b": [3]}, ("y", "compute", ["a", "b"], {"expr": "y[i] = b[i] - a[i]", "shape": [3]})
    )
    assert made.nodes[0].args == ("b", "a")


def test_types() -> None:
    x = {"x": ([5], "int32")}
    assert definition("y[i] = x[i] + 2.0", [5], x).body == Call(
        "add", (Load("x", (Index.of("i"),), "int32"), Const(2, "int32")), "int32"
    )
    assert compute("y[i] = x[i] > 2", [5], x).nodes[0].dtype == "bool"
    assert compute("y[i] = i < 2", [5], {}).nodes[0].dtype == "bool"
    assert compute("y[i] = select(i < 2, 1, 0.5)", [5], {}).nodes[0].dtype == "float32"
    assert definition("y[i] = i % 2 == 0", [5], {}).body == Call(
        "equal", (AxisValue(Index.of("i") % 2), AxisValue(Index())), "bool"
    )
    compared = definition("y[i] = x[i] > i + 1", [5], x).body
    assert isinstance(compared, Call) and compared.args[1] == Call(
        "cast", (AxisValue(Index.of("i") + 1),), "int32"
    )
    b = {"b": ([5], "bool")}
    assert compute("y[i] = not b[i] and i > 1 or select(b[i], b[i], i == 0)", [5], b).nodes[0].dtype == "bool"
    steep = definition("y[i] = clip(x[i], x[0], 3)", [5], {"x": [5]}).body
    assert isinstance(steep, Call) and steep.op == "minimum"


@pytest.mark.parametrize(
    ("expr", "shape", "inputs"),
    [
        ("y[i] = x[i//2 + i%2]", [8], {"x": [5]}),
        ("y[i] = x[i//4*4 + i%4]", [10], {"x": [10]}),
        ("y[i] = x[9 - i]", [10], {"x": [10]}),
        ("y[i] = x[(i*2) % 4]", [4], {"x": [3]}),
        ("y[i] = x[(i*2)//3 - i//2]", [7], {"x": [2]}),
        ("y[i, j] = x[(i + 2)*3 - (j + 6)]", [2, 1], {"x": [4]}),
        ("y[i] = x[-i + 3]", [4], {"x": [4]}),
        ("y[i] = x[2*3 - 6 + i]", [4], {"x": [4]}),
        ("y[i] += x[i + k]", [3], {"x": [5]}),
    ],
)
def test_indices_inside_are_proven(expr: str, shape: list[int], inputs: dict[str, Any]) -> None:
    ranges = {"ranges": {"k": 3}} if "k" in expr else {}
    assert compute(expr, shape, inputs, **ranges)


@pytest.mark.parametrize(
    ("expr", "shape", "inputs", "attrs", "wanted"),
    [
        ("y[i] = x[i]", [5], {"x": [4]}, {}, "from 0 to 4"),
        ("y[i] = x[i - 1]", [4], {"x": [4]}, {}, "from -1 to 2"),
        ("y[i] = select(i < 4, x[i], 0)", [5], {"x": [4]}, {}, "use pad"),
        ("y[i] = x[(i*2) % 4]", [4], {"x": [2]}, {}, "from 0 to 2"),
        ("y[i] = x[i, 0]", [4], {"x": [4]}, {}, "one per axis"),
        ("y[i] = x[i*i]", [2], {"x": [4]}, {}, "integer on one side"),
        ("y[i] = x[i*0.5]", [2], {"x": [4]}, {}, "an index"),
        ("y[i] = x[i/2]", [2], {"x": [4]}, {}, "an index"),
        ("y[i] = x[i//0]", [2], {"x": [4]}, {}, "positive"),
        ("y[i] = x[i % -2]", [2], {"x": [4]}, {}, "positive"),
        ("y[i] = x[x[i]]", [2], {"x": ([4], "int32")}, {}, "an index"),
        ("y[i] = x[i*99999999999999999999]", [1], {"x": [4]}, {}, "smaller numbers"),
        ("y[i] = x[(i*4000000000000000000*2)//9000000000000000000]", [9], {"x": [9]}, {}, "2.62"),
        ("y[i] = x[i] + z[i]", [4], {"x": [4]}, {}, "args names"),
        ("y[i] = 1", [4], {"x": [4]}, {}, "reads"),
        ("x[i] = x[i]", [4], {"x": [4]}, {}, "name of the result"),
        ("y[i, j] = x[i]", [4], {"x": [4]}, {}, "one per extent"),
        ("y[i] = x[k]", [4], {"x": [4]}, {}, "to reduce over it"),
        ("y[i] += x[i + k]", [4], {"x": [9]}, {}, "ranges"),
        ("y[i] += x[i]", [4], {"x": [4]}, {"ranges": {"k": 3}}, "exactly"),
        ("y[] += x[k]", [], {"x": [4]}, {"ranges": {"k": 4}}, "a load fixes"),
        ("y[i] += x[i]", [4], {"x": [4]}, {"ranges": {"i": 4}}, "exactly"),
        ("y[] += x[k] * z[k]", [], {"x": [4], "z": [5]}, {}, "one extent"),
        ("y[i] += x[i + k]", [4], {"x": [9]}, {"ranges": {"k": 0}}, "from 1"),
        ("y[i] += x[i + k]", [4], {"x": [9]}, {"ranges": [3]}, "an object"),
        ("y[i] = x[i] + z[i]", [4], {"x": [4], "z": ([4], "int8")}, {}, "cast"),
        ("y[i] = x[i] + i", [4], {"x": [4]}, {}, "only in indices"),
        ("y[i] = i", [4], {}, {}, "only in indices"),
        ("y[i] = x[i] // 2", [4], {"x": [4]}, {}, "only in indices"),
        ("y[i] = x[i] + (x[i] > 1)", [4], {"x": [4]}, {}, "a number"),
        ("y[i] = x[i] and x[i]", [4], {"x": [4]}, {}, "a condition"),
        ("y[i] = select(x[i], 1, 2)", [4], {"x": [4]}, {}, "a condition"),
        ("y[] += x[k] > 0", [], {"x": [4]}, {}, "to reduce"),
        ("y[] max= b[k]", [], {"b": ([4], "bool")}, {}, "to reduce"),
        ("y[i] = b[i] + b[i]", [4], {"b": ([4], "bool")}, {}, "takes"),
        ("y[i] = x[i] + 0.5", [4], {"x": ([4], "int8")}, {}, "int8 holds"),
        ("y[i] = x[i] / 2", [4], {"x": ([4], "int8")}, {}, "float types"),
        ("y[i] = exp(x[i])", [4], {"x": ([4], "int8")}, {}, "float types"),
        ("y[i] = x[i] < i", [300], {"x": ([300], "int8")}, {}, "holds exactly"),
        ("y[i] = x[i] + 1e300", [4], {"x": [4]}, {}, "float32 holds"),
        ("y[i] = x[", [4], {"x": [4]}, {}, "a value"),
        ("y[i] = x[i]", [4, 0], {"x": [4]}, {}, "from 1"),
        (3, [4], {"x": [4]}, {}, "a string"),
    ],
)
def test_refusals(
    expr: Any, shape: list[int], inputs: dict[str, Any], attrs: dict[str, Any], wanted: str
) -> None:
    with pytest.raises(BadSubgraph, match=wanted) as caught:
        compute(expr, shape, inputs, **attrs)
    assert caught.value.path.startswith("$.nodes[0]")


def test_a_written_compute_reads_back() -> None:
    made = compute("y[i] += x[i + k] * 2", [4], {"x": [9]}, ranges={"k": 3})
    again = Subgraph.from_dict(made.to_dict())
    assert again == made and again.key == made.key
