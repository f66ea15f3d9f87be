"""FORMATS.md, chapter 1, says what the software does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ansord_client.canonical import digest
from ansord_client.dtypes import ALL, BOOL, DTYPES, FLOATS, NUMBERS, RESERVED
from ansord_client.errors import BadSubgraph
from ansord_client.grammar import MAX_DEPTH, MAX_PARTS, WORDS
from ansord_client.limits import Limits
from ansord_client.ops import REQUIRED, TABLE, Row
from ansord_client.subgraph import Subgraph, Tuning
from tests.client.graphs import graph

TEXT = (Path(__file__).parents[2] / "client" / "FORMATS.md").read_text()
CHAPTER = re.split(r"^## (?!1\.)", TEXT.split("## 1.", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
BLOCKS = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", CHAPTER, re.DOTALL)]
TYPES = {FLOATS: "floats", NUMBERS: "floats, integers", ALL: "all", BOOL: "bool"}


def _attribute(row: Row) -> str:
    told = []
    for attr in row.attrs:
        default = "" if attr.default is REQUIRED else f" = {json.dumps(attr.default)}"
        told.append(f"`{attr.name}{default}`: {attr.normal}")
    return "; ".join(told)


def table() -> str:
    """The table of ops as the software has it; ops that differ in nothing but their name share a row."""
    rows: dict[tuple[str, ...], list[str]] = {}
    for name, row in TABLE.items():
        args = ", ".join(f"{arg[:-1]}, …" if arg.endswith("*") else arg for arg in row.args)
        rows.setdefault((args, TYPES[row.accepts], _attribute(row)), []).append(f"`{name}`")
    lines = ["| op | args | types | attributes, default, normal form |", "|---|---|---|---|"]
    lines += [f"| {', '.join(names)} | {' | '.join(told)} |" for told, names in rows.items()]
    return "\n".join(lines)


def words() -> str:
    """The words of the grammar."""
    return ", ".join(f"`{word}`" for word in sorted(WORDS))


def test_the_table_of_ops_is_the_table() -> None:
    assert table() in CHAPTER, f"write this into FORMATS.md:\n{table()}"


def test_the_words_of_the_grammar() -> None:
    assert words() in CHAPTER, words()


def test_the_example_is_valid_and_shows_the_fields() -> None:
    sg = Subgraph.from_dict(BLOCKS[0])
    assert sg.uses[0].model == "bert-base" and sg.tuning.trials == 512
    fields = set(re.findall(r"^\| `(\w+)` \|", CHAPTER.split("### Fields")[1].split("###")[0], re.MULTILINE))
    assert fields == {"ansord", "inputs", "nodes", "outputs", "numerics", "name", "weight", "for", "tuning"}
    assert set(BLOCKS[0]) | {"weight"} == fields
    defaults = Tuning()
    for told in (
        f"`trials` ({defaults.trials};",
        f"`seconds` ({defaults.seconds:.0f})",
        "`cold` (false)",
        "`priority` (0)",
    ):
        assert told in CHAPTER


def test_the_refusal_is_the_one_that_is_shown() -> None:
    made: Any = {
        "ansord": 1,
        "inputs": [{"name": "x", "shape": [1, 4, 4, 1]}],
        "nodes": [{"name": "y", "op": "conv2d", "args": ["x", "x"], "attrs": {"strides": 2}}],
        "outputs": ["y"],
    }
    with pytest.raises(BadSubgraph) as caught:
        Subgraph.from_dict(made)
    assert caught.value.to_dict() == BLOCKS[1]


def test_the_capsule_node_is_valid() -> None:
    node = BLOCKS[2]
    tensors = {"p": [1, 18, 18, 4, 4, 32], "w": [3, 3, 4, 4, 32, 32]}
    assert graph(tensors, tuple(node.values())).tensor("y").shape == (1, 8, 8, 4, 4, 32)


def test_the_limits() -> None:
    limits = Limits(bytes=0)
    numbers = (limits.file_bytes, limits.extent, limits.elements, limits.nodes, limits.rank, limits.depth)
    for number in (*numbers, MAX_DEPTH, MAX_PARTS):
        assert f"{number:,}" in CHAPTER or str(number) in CHAPTER
    for name in (*DTYPES, *RESERVED):
        assert f"`{name}`" in CHAPTER


def test_the_key_of_the_canonical_text() -> None:
    text = re.search(r'```\n(\["ansord",1.*?)\n```\n\nhas the key `(\w+)`', CHAPTER)
    assert text is not None and digest(text[1]) == text[2]
    sg = graph({"x": [4]}, ("y", "add", ["x", 0.1]))
    assert (sg.canonical, sg.key) == text.groups()
