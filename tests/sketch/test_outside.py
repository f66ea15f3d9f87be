"""Rules and rewrites of other distributions, from their entry point to a kernel that equals the reference."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansord.nest import Define, Program, Rfactor, parse_program
from ansord.search import Task
from ansord.sketch import RULES, derive
from ansord_client.subgraph import Subgraph
from tests.dag.graphs import node, subgraph
from tests.emit.equality import TARGETS, Checker, programs

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

README = Path(__file__).resolve().parents[2] / "README.md"
GRAPHS = {
    "matmul": subgraph(
        {"a": (12, 50), "b": (50, 18)}, node("y", "matmul", "a", "b"), node("z", "relu", "y"), constant=("b",)
    ),
    "row sums": subgraph({"x": (5, 38)}, node("y", "reduce_sum", "x", axes=1)),
}  # fmt: skip
"""Reductions that three does not divide."""
HALVES = '''
from dataclasses import replace

from ansord.dag import Axis, Dag, Rewrite, Tensor
from ansord_client.expr import Call, Load, at
from ansord_client.index import Index


def halves(dag, stage):
    """Even and odd addends.

    before: s0[i] = sum(k 8) a0[i, k]
    after:  s0e[i] = sum(k 4) a0[i, 2*k];  s0o[i] = sum(k 4) a0[i, 2*k + 1];  s0[i] = s0e[i] + s0o[i]
    """
    if stage.combiner != "add" or stage.reduce[0].extent % 2 or not stage.in_place:
        return None
    first, *others = stage.reduce
    half = (Axis(first.name, first.extent // 2), *others)
    parts = tuple(
        replace(
            stage,
            tensor=replace(stage.tensor, name=stage.name + end),
            body=at(stage.body, {first.name: Index.of(first.name) * 2 + odd}),
            reduce=half,
        )
        for odd, end in enumerate("eo")
    )
    loads = tuple(Load(part.name, stage.where, stage.tensor.dtype) for part in parts)
    whole = replace(stage, body=Call("add", loads, stage.tensor.dtype), reduce=(), combiner=None)
    made = tuple(new for one in dag.stages for new in ((*parts, whole) if one == stage else (one,)))
    return Dag(dag.inputs, made, dag.outputs)


rewrite = Rewrite("halves", halves)
'''


@pytest.fixture(scope="module")
def checker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checker]:
    with Checker(tmp_path_factory.mktemp("kernels")) as made:
        yield made


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where distributions lie that Python finds; what was imported from there is forgotten again."""
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in [path.stem for path in tmp_path.glob("*.py")]:
        sys.modules.pop(name, None)


def install(folder: Path, name: str, entry: str, text: str) -> None:
    """A distribution of one module, as pip would leave it; `entry` is what its metadata says."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(entry)
    (folder / f"{name}.py").write_text(text)


def readme(kind: str, word: str) -> str:
    """The README's code block in which a word stands."""
    found = re.findall(rf"^```{kind}\n(.*?)^```$", README.read_text(), re.M | re.S)
    (text,) = [block for block in found if word in block]
    return str(text)


def right(checker: Checker, graph: Subgraph, found: list[Program]) -> None:
    assert found
    faults = checker.faults(graph, found, 1)
    assert not faults, "\n\n".join(map(str, faults))


@pytest.mark.parametrize("name", GRAPHS)
def test_the_readmes_rule_gives_sketches_of_its_own(checker: Checker, elsewhere: Path, name: str) -> None:
    """Installed as the README says, it leads to kernels that the default rules do not lead to."""
    declared = tomllib.loads(readme("text", "[project.entry-points"))["project"]["entry-points"]
    entries = "".join(f"{entry} = {place}\n" for entry, place in declared["ansord.rules"].items())
    install(elsewhere, "thirds", f"[ansord.rules]\n{entries}", readme("python", "def in_thirds"))
    task = Task(GRAPHS[name], TARGETS[0])
    plain = {str(sketch) for sketch in derive(task.dag, task.target, RULES).sketches}
    mine = [sketch for sketch in task.derivation.sketches if str(sketch) not in plain]
    assert plain < {str(sketch) for sketch in task.derivation.sketches}
    assert mine and all(factored(sketch.steps) == [3] for sketch in mine)
    found = [one for one in programs(task.space, 1, 0) if one.sketch in mine]
    right(checker, task.subgraph, found)


def factored(steps: tuple[object, ...]) -> list[int]:
    return [step.chunks for step in steps if isinstance(step, Rfactor)]


@pytest.mark.parametrize("name", GRAPHS)
def test_a_rewrite_changes_the_dag(checker: Checker, elsewhere: Path, name: str) -> None:
    install(elsewhere, "evenodd", "[ansord.rewrites]\nhalves = evenodd:rewrite\n", HALVES)
    task = Task(GRAPHS[name], TARGETS[0])
    mine = [sketch for sketch in task.derivation.sketches if Define("s0", "halves") in sketch.steps]
    assert mine and len(mine) < len(task.derivation.sketches)
    assert {*task.dag.by_name, "s0e", "s0o"} <= set(mine[0].dag.by_name)
    assert not any(sketch.relaxed for sketch in mine)
    found = [one for one in programs(task.space, 1, 0) if one.sketch in mine]
    for program in found:
        assert parse_program(str(program), task.dag, task.target) == program
    right(checker, task.subgraph, found)
