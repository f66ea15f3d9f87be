"""Whatever a file holds, the reader answers with a subgraph or with BadSubgraph, and soon."""

from __future__ import annotations

import copy
import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansord_client.errors import BadSubgraph
from ansord_client.limits import Limits
from ansord_client.subgraph import Subgraph
from tests.client.graphs import obj
from tests.strategies import subgraphs

LIMITS = Limits(bytes=2**30)

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 9),
    st.sampled_from([2**31, 2**63, 10**40, -(2**64), 1e308, 1e-320, -0.0, 0.5]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.sampled_from(["x0", "n0", "float32", "int8", "\ud800", "relu"]),
    st.lists(st.integers(-2, 9), max_size=9),
    st.just({}),
    st.just([[]]),
    st.just({"a": None}),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(value, dict):
        found += [place for key in value for place in places(value[key], (*path, key))]
    elif isinstance(value, list):
        found += [place for index in range(len(value)) for place in places(value[index], (*path, index))]
    return found


def read(text: str | bytes) -> Subgraph | None:
    try:
        return Subgraph.from_json(text, LIMITS)
    except BadSubgraph as error:
        assert error.path.startswith("$") and error.found and error.wanted and error.cause
        json.dumps(error.to_dict()).encode()
        str(error).encode()
        return None


@settings(max_examples=300)
@given(subgraphs(max_nodes=3), st.data())
def test_a_changed_file_is_read_or_refused(made: dict[str, Any], data: st.DataObject) -> None:
    made = copy.deepcopy(made)
    for _ in range(data.draw(st.integers(1, 3))):
        place: Any = made
        *way, last = data.draw(st.sampled_from(places(made) or [("ansord",)]))
        for step in way:
            place = place[step]
        action = data.draw(st.sampled_from(["replace", "remove", "add"]))
        if action == "replace":
            place[last] = copy.deepcopy(data.draw(ODD))
        elif action == "remove":
            del place[last]
        elif isinstance(place, dict):
            place[data.draw(st.text(max_size=6))] = copy.deepcopy(data.draw(ODD))
        else:
            place.append(copy.deepcopy(data.draw(ODD)))
    sg = read(json.dumps(made))
    if sg is not None:
        assert Subgraph.from_dict(sg.to_dict(), LIMITS).key == sg.key


@given(st.binary(max_size=60))
def test_bytes(data: bytes) -> None:
    assert read(data) is None


JSON = st.recursive(
    ODD, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
)


@given(JSON)
def test_any_json(value: Any) -> None:
    assert read(json.dumps(value)) is None


@given(st.sampled_from(["expr", "shape", "ranges"]), JSON)
def test_any_compute_attribute(name: str, value: Any) -> None:
    attrs = {"expr": "y[i] += x0[i + k]", "shape": [4], "ranges": {"k": 2}, name: value}
    read(json.dumps(obj({"x0": [9]}, ("y", "compute", ["x0"], attrs))))


def hub(count: int) -> dict[str, Any]:
    """Every node reads the same two, and one reads them all: many edges."""
    nodes = [(f"n{i}", "add", ["x", "x"]) for i in range(count)]
    return obj({"x": [4]}, *nodes, ("all", "concat", [f"n{i % count}" for i in range(20_000)], {"axis": 0}))


def divided(term: str, terms: int, nodes: int) -> dict[str, Any]:
    """Sums of divisions whose bounds only trying all points could tell exactly."""
    text = "y[i,j] = x[" + "+".join(term.format(k=k + 3) for k in range(terms)) + "]"
    attrs = {"expr": text, "shape": [60, 60]}
    return obj({"x": [2**20]}, *((f"y{node}", "compute", ["x"], attrs) for node in range(nodes)))


@pytest.mark.parametrize(
    "made",
    [
        hub(255),
        divided("(i*{k}+j)%{k}", 60, 100),
        divided("(i+j)//{k}", 60, 100),
        divided("((i+j)//{k} + j)%{k}", 60, 60),
        divided("(i*{k}+j)%{k} - 99", 60, 100),
        obj({f"x{i}": [1] for i in range(4000)}, ("y", "neg", ["x0"])),
        obj({"x": [1] * 8}, ("y", "transpose", ["x"], {"perm": [0] * 50_000})),
        obj({"x": [4]}, ("y", "compute", ["x"], {"expr": "y[i] = " + "x[i]+" * 50_000 + "1", "shape": [4]})),
        obj(
            {"x": [4]},
            (
                "y",
                "compute",
                ["x"],
                {"expr": "y[" + ",".join(f"a{i}" for i in range(30_000)) + "] = 1", "shape": []},
            ),
        ),
        obj(
            {"x": [2**20]},
            (
                "y",
                "compute",
                ["x"],
                {
                    "expr": "y[i,j,k] = x[" + "+".join(["((i*7+j*3)%11 + (k*5+i)//3 + (j*3+k)%7)"] * 8) + "]",
                    "shape": [2000, 2000, 2000],
                },
            ),
        ),
        obj(
            {"x": [2**20]},
            *(
                (
                    f"y{i}",
                    "compute",
                    ["x"],
                    {
                        "expr": "y[i,j] = x[" + "+".join(["((i*7+j*3)%11 + i//3 + j%7)"] * 8) + " - 500]",
                        "shape": [1000, 1000],
                    },
                )
                for i in range(2)
            ),
        ),
        obj({"x": [1, 4, 4, 1], "w": [1, 1, 1, 1]}, ("y", "conv2d", ["x", "w"], {"padding": 2**31 - 1})),
        obj(
            {"x": [2**31 - 1]},
            ("y", "slice", ["x"], {"starts": [-(2**31)], "ends": [2**31 - 1], "steps": [3]}),
        ),
    ],
)
def test_large_files_are_answered_soon(made: dict[str, Any]) -> None:
    text = json.dumps(made)
    start = time.perf_counter()
    read(text)
    assert time.perf_counter() - start < 5


def test_the_terms_of_a_key_do_not_grow_with_the_paths() -> None:
    nodes = [("n0", "add", ["x", "x"]), *((f"n{i}", "add", [f"n{i - 1}"] * 2) for i in range(1, 256))]
    sg = Subgraph.from_dict(obj({"x": [4]}, *nodes))
    assert len(sg.canonical) < 20_000 and len(sg.live) == 256 and sg.flops == 1024
