"""The key: what enters it and what does not. Golden values: a change here loses every cache in the world."""

from __future__ import annotations

import copy
import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansord_client.canonical import digest, encoded
from ansord_client.subgraph import Subgraph, load_subgraph
from tests.client.graphs import graph, obj
from tests.strategies import subgraphs

EXAMPLES = Path(__file__).parents[2] / "examples" / "paper"

CONV = obj(
    {"x": [1, 56, 56, 64], "w": [3, 3, 64, 128], "b": [128]},
    ("y", "conv2d", ["x", "w"], {"stride": 2, "padding": 1}),
    ("z", "add", ["y", "b"]),
    ("out", "relu", ["z"]),
)

CAPSULE = obj(
    {"p": [1, 18, 18, 4, 4, 32], "w": [3, 3, 4, 4, 32, 32]},
    (
        "y",
        "compute",
        ["p", "w"],
        {
            "expr": "y[n,h,w,i,j,o] += p[n, h*2+u, w*2+v, i, k, c] * w[u,v,k,j,c,o]",
            "shape": [1, 8, 8, 4, 4, 32],
        },
    ),
)

MIXED = obj(
    {"x": ([2, 3, 5], "int8"), "m": ([], "bool"), "unused": ([7], "float64")},
    ("f", "cast", ["x"], {"dtype": "float32"}),
    ("g", "gelu", ["f"], {"approximate": True}),
    ("s", "where", ["m", "g", 0.1]),
    ("r", "reduce_mean", ["s"], {"axes": [-1, 0]}),
    ("t", "slice", ["s"], {"starts": [None, None, 4], "ends": [None, 2, None], "steps": [None, None, -2]}),
    ("c", "compute", ["t"], {"expr": "c[i] max= select(i < 1 and k//2 != 1, t[0,i,k], -1.5)", "shape": [2]}),
    outputs=["c", "r"],
    numerics="strict",
)

GOLDEN = [
    (CONV, "0a279c242aab03d98650fabf0ed5daf0ecaaec598c4d020096fea8a71d6ebb9c"),
    (CAPSULE, "205ec327d35d31c44b37dbdfd87463a93ec7878b7e9bcf0bbf4f8f60e7f15564"),
    (MIXED, "ffcee78eead208825b41736735c14aef90ce4887604ffa3bd1ee7ab71971f5ff"),
]


@pytest.mark.parametrize(("made", "key"), GOLDEN)
def test_golden_keys(made: dict[str, Any], key: str) -> None:
    assert Subgraph.from_dict(made).key == key


def test_a_golden_text() -> None:
    assert Subgraph.from_dict(CONV).canonical == (
        '["ansord",1,"fast",[["float32",[1,56,56,64],false],["float32",[3,3,64,128],false],["float32",[128],false]],'
        '[["conv2d",["i0","i1"],{"dilation":[1,1],"groups":1,"padding":[[1,1],[1,1]],"stride":[2,2]}],'
        '["add",["n0","i2"],{}],["relu",["n1"],{}]],["n2"]]'
    )
    text = Subgraph.from_dict(MIXED).canonical
    assert '["where",["i1","n1","0x1.99999a0000000p-4"],{}]' in text
    assert '["c' not in text.replace('["cast', "").replace('["compute', "")


def test_golden_keys_of_the_examples() -> None:
    keys = {
        name: load_subgraph(EXAMPLES / f"{name}.json").key[:16]
        for name in ("c2d_3", "sfm_3", "tbg_1", "t2d_2")
    }
    assert keys == {
        "c2d_3": "9fea2efaf263f545",
        "sfm_3": "affb7d2a6cf7977d",
        "tbg_1": "c6a62a8b0d5fd01a",
        "t2d_2": "741c83de1bcc4bd6",
    }


def changed(**members: Any) -> str:
    made = copy.deepcopy(CONV)
    made.update(members)
    return Subgraph.from_dict(made).key


def conv(**attrs: Any) -> str:
    made = copy.deepcopy(CONV)
    made["nodes"][0]["attrs"].update(attrs)
    return Subgraph.from_dict(made).key


def test_what_does_not_enter() -> None:
    key = Subgraph.from_dict(CONV).key
    assert (
        key == changed(name="other", weight=7, tuning={"trials": 3}) == changed(**{"for": [{"model": "m"}]})
    )
    assert key == conv(stride=[2, 2], padding=[[1, 1], 1], dilation=1, groups=1.0) == conv(stride=2.0)
    assert key == changed(nodes=CONV["nodes"][::-1])
    assert key == changed(nodes=[*CONV["nodes"], {"name": "dead", "op": "exp", "args": ["y"]}])
    renamed = json.dumps(CONV)
    for name in ("x", "y", "z", "out", "w", "b"):
        renamed = renamed.replace(f'"{name}"', f'"{name}_{name}"')
    assert key == Subgraph.from_json(renamed).key


def test_what_enters() -> None:
    keys = {
        Subgraph.from_dict(CONV).key,
        changed(numerics="strict"),
        conv(stride=1),
        conv(padding=[[1, 1], [1, 0]]),
        changed(outputs=["out", "z"]),
        changed(outputs=["z", "out"]),
        changed(outputs=["z"]),
        changed(inputs=[*CONV["inputs"], {"name": "unused", "shape": [1]}]),
        changed(inputs=[{**CONV["inputs"][0], "constant": True}, *CONV["inputs"][1:]]),
        changed(inputs=[CONV["inputs"][1], CONV["inputs"][0], CONV["inputs"][2]]),
        changed(nodes=[CONV["nodes"][0], {**CONV["nodes"][1], "args": ["b", "y"]}, CONV["nodes"][2]]),
    }
    assert len(keys) == 11


def test_numbers_enter_as_their_type_holds_them() -> None:
    def key(number: Any, dtype: str = "float32") -> str:
        return graph({"x": ([4], dtype)}, ("y", "add", ["x", number])).key

    assert key(1) == key(1.0) == key(1 + 1e-12)
    assert key(0.1) == key(0.10000000149011612) != key(0.1001)
    assert key(0.1, "float64") != key(0.10000000149011612, "float64")
    assert key(0.0) != key(-0.0) and key(0, "int32") == key(-0.0, "int32")


def compute(expr: str, **attrs: Any) -> str:
    made = obj({"x": [8], "w": [8]}, ("y", "compute", ["w", "x"], {"expr": expr, "shape": [4]} | attrs))
    return Subgraph.from_dict(made).key


def test_axes_are_renamed_by_first_use() -> None:
    key = compute("y[i] += x[i + k%4] * w[k]")
    assert key == compute("out[zz]  +=  x[zz+a%4]*w[a]") == compute("y[k] += x[k + i%4] * w[i]")
    assert key == compute("y[i] += (x[k%4 + i]) * w[k]")
    assert key != compute("y[i] += w[k] * x[i + k%4]")
    assert key != compute("y[i] += x[i + k//2] * w[k]")
    assert key != compute("y[i] max= x[i + k%4] * w[k]")


def test_encoded_floats() -> None:
    assert encoded((0.1, 1, True, None, "x", (2.0,))) == [
        "0x1.999999999999ap-4",
        1,
        True,
        None,
        "x",
        ["0x1.0000000000000p+1"],
    ]
    with pytest.raises(TypeError):
        encoded({1, 2})
    assert re.fullmatch("[0-9a-f]{64}", digest("x"))


def scrambled(made: dict[str, Any], seed: int) -> dict[str, Any]:
    """The same computation: other names, another order of nodes, a dead node."""
    rng = random.Random(seed)
    names = {
        item["name"]: f"t{rng.random():.12f}".replace(".", "_") for item in (*made["inputs"], *made["nodes"])
    }
    twin = copy.deepcopy(made)
    for item in (*twin["inputs"], *twin["nodes"]):
        item["name"] = names[item["name"]]
    for node in twin["nodes"]:
        node["args"] = [names[arg] if isinstance(arg, str) else arg for arg in node["args"]]
        if node["op"] == "compute":
            text = node["attrs"]["expr"]
            node["attrs"]["expr"] = re.sub(
                r"(\w+)\[", lambda found: names.get(found[1], found[1]) + "[", text
            )
            rng.shuffle(node["args"])
    twin["outputs"] = [names[name] for name in made["outputs"]]
    rng.shuffle(twin["nodes"])
    twin["nodes"].append({"name": "dead", "op": "equal", "args": [twin["outputs"][0]] * 2})
    return twin | {"name": "x", "weight": 3}


@given(subgraphs(), st.integers(0, 2**32))
def test_equal_computations_have_equal_keys(made: dict[str, Any], seed: int) -> None:
    sg = Subgraph.from_dict(made)
    twin = Subgraph.from_dict(scrambled(made, seed))
    assert twin.canonical == sg.canonical
    assert Subgraph.from_dict(sg.to_dict()).canonical == sg.canonical
    sg.canonical.encode("ascii")
