"""Which sketches there are, by value; what holds for every sketch; outsiders' rules."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from ansord.dag import Dag, Stage, expand
from ansord.nest import Define, Fuse, Inline, Loops, Pack, Place, Rfactor, Sketch, Target, Tile
from ansord.sketch import RULES, Derivation, derive, outside_rules
from ansord.sketch.derive import LIMIT
from ansord.sketch.state import Derived, State
from ansord_client.subgraph import Subgraph
from tests.dag.graphs import dag, node
from tests.sketch.test_sound import faults
from tests.strategies import subgraphs

SERIAL, PAIR = Target(threads=1), Target(threads=2)


def sketches(made: Dag, target: Target = SERIAL) -> list[str]:
    """Of the dag as it stands, without the definitions that rewrites find."""
    return [str(sketch) for sketch in derive(made, target, rewrites=()).sketches]


def test_a_map_has_one_sketch() -> None:
    assert sketches(dag({"x": (4, 6)}, node("y", "relu", "x"), node("z", "add", "y", 1))) == [
        "inline s0; loops s1"
    ]


def test_a_matmul_packs_any_of_its_operands() -> None:
    made = dag({"a": (64, 64), "b": (64, 64)}, node("y", "matmul", "a", "b"))
    packs = ["", "; pack a0 for s0", "; pack a1 for s0", "; pack a0 for s0; pack a1 for s0"]
    assert sketches(made) == [f"tile s0{pack}" for pack in packs]


def test_a_convolution_packs_its_weights() -> None:
    made = dag({"x": (1, 9, 9, 8), "w": (3, 3, 8, 16)}, node("y", "conv2d", "x", "w"), constant=("w",))
    assert sketches(made) == ["tile s0; pack a1 for s0", "tile s0"]


def test_conv_bn_relu_on_its_accumulators() -> None:
    """With numbers instead of statistics: scale, shift and relu are one epilogue; padding has four places."""
    made = dag(
        {"x": (1, 9, 9, 8), "w": (3, 3, 8, 16), "s": (16,), "t": (16,)},
        node("y", "conv2d", "x", "w", padding=1), node("m", "mul", "y", "s"), node("a", "add", "m", "t"),
        node("z", "relu", "a"), constant=("w", "s", "t"),
    )  # fmt: skip
    fused = {f"{pad}; tile s1; inline s2; inline s3; fuse s4 into s1{pack}"
             for pad in ("loops s0", *(f"place s0 in s1 at {level}" for level in ("s0", "s1", "r0")))
             for pack in ("", "; pack a1 for s1")}  # fmt: skip
    found = sketches(made)
    assert fused < set(found)
    assert {text for text in found if "fuse" not in text} == {
        text.replace("fuse s4 into s1", "loops s4") for text in fused
    }


def test_a_transpose_is_read_in_place_or_not() -> None:
    made = dag(
        {"x": (4, 6), "y": (6, 4)}, node("t", "transpose", "x", perm=[1, 0]), node("z", "add", "t", "y")
    )
    places = [f"place s0 in s1 at {level}; loops s1" for level in ("s0", "s1")]
    assert sketches(made) == ["inline s0; loops s1", *places, "loops s0; fuse s1 into s0"]


def test_a_row_sum_is_factorised_only_where_threads_lack_work() -> None:
    rows = dag({"x": (3, 960)}, node("y", "reduce_sum", "x", axes=1))
    assert sketches(rows) == ["loops s0"]
    found = sketches(rows, PAIR)
    assert "loops s0" in found and "rfactor s0 over j in 2; loops s0r; loops s0" in found
    many = dag({"x": (960, 960)}, node("y", "reduce_sum", "x", axes=1))
    assert sketches(many, PAIR) == ["loops s0"]


def test_softmax_can_do_everything_row_by_row() -> None:
    found = sketches(dag({"x": (33, 100)}, node("y", "softmax", "x")))
    assert "; ".join([*(f"place s{n} in s4 at s0" for n in range(4)), "loops s4"]) in found
    assert "loops s0; loops s1; loops s2; fuse s3 into s2; loops s4" in found


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(subgraphs())
def test_every_sketch_decides_every_stage(obj: dict[str, Any]) -> None:
    derivation = derive(expand(Subgraph.from_dict(obj)), PAIR)
    assert 0 < len(derivation.sketches) <= LIMIT
    assert len(set(derivation.sketches)) == len(derivation.sketches)
    assert derivation.cut == 0 or len(derivation.sketches) == LIMIT or derivation.cut > 0
    for sketch in derivation.sketches:
        sound(sketch)


def sound(sketch: Sketch) -> None:
    """One step per stage; what is fused or placed has a group to be in, what is packed a reader."""
    steps = {step.stage: step for step in sketch.steps if not isinstance(step, Define | Pack | Rfactor)}
    assert list(steps) == [stage.name for stage in sketch.dag.stages]
    assert sum(not isinstance(step, Define | Pack | Rfactor) for step in sketch.steps) == len(steps)
    leaders = {name for name, step in steps.items() if isinstance(step, Loops | Tile)}
    assert {group.name for group in sketch.groups} == leaders
    written: set[str] = set()
    for step in steps.values():
        if isinstance(step, Inline):
            assert step.stage not in sketch.dag.outputs
        elif isinstance(step, Fuse | Place):
            assert step.into in leaders
    for group in sketch.groups:
        assert all(set(part.packed) <= set(part.stage.reads) for part in group.within)
        written |= {stage.name for stage in group.writes}
    assert not list(faults(sketch))
    assert set(sketch.dag.outputs) <= written


def test_many_sketches_are_cut_and_counted() -> None:
    many = [node(f"y{n}", "matmul", "a" if not n else f"y{n - 1}", "b") for n in range(5)]
    derivation = derive(dag({"a": (16, 16), "b": (16, 16)}, *many), PAIR)
    assert len(derivation.sketches) == LIMIT
    assert derivation.cut > 0


def refuses_to_tile(state: State, stage: Stage) -> Derived:
    """An outsider's rule: plain loops for everything, nothing else is tried."""
    return Derived((state.decide(Loops(stage.name)),), final=True)


def test_an_outsiders_rule_is_tried_first() -> None:
    made = dag({"a": (8, 8), "b": (8, 8)}, node("y", "matmul", "a", "b"), node("z", "relu", "y"))
    derivation = derive(made, PAIR, (refuses_to_tile, *RULES))
    assert isinstance(derivation, Derivation)
    assert [str(sketch) for sketch in derivation.sketches] == ["loops s0; loops s1"]


def install(folder: Path, name: str, rule: str) -> None:
    """A distribution with one rule, as pip would leave it."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[ansord.rules]\n{rule} = {name}:rule\n")
    (folder / f"{name}.py").write_text("def rule(state, stage):\n    return None\n")


def test_rules_join_by_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert outside_rules() == ()
    install(tmp_path, "elsewhere", "sparse")
    monkeypatch.syspath_prepend(tmp_path)
    (rule,) = outside_rules()
    assert rule is sys.modules["elsewhere"].rule
    made = dag({"a": (8, 8), "b": (8, 8)}, node("y", "matmul", "a", "b"))
    assert derive(made, PAIR, (rule, *RULES)) == derive(made, PAIR)
    install(tmp_path, "elsewhere2", "sparse")
    with pytest.raises(ValueError, match="two installed rules are named 'sparse'"):
        outside_rules()
