"""The text of a kernel: what it is called, what it contains, and that it is the same every time."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from ansord.dag import expand
from ansord.emit import emit
from ansord.nest import Program, Target, default_loops, parse_program
from ansord_client.subgraph import Subgraph
from tests.dag.graphs import node, subgraph
from tests.emit.equality import ROOT
from tests.nest.spaces import programs
from tests.subjects import SUBJECTS, TARGET


def test_names_of_users_stay_outside() -> None:
    graph = subgraph(
        {"eggs": (8, 8), "spam": (8, 8)}, node("ham", "matmul", "eggs", "spam"),
        node("brunch", "tanh", "ham"), outputs=("ham", "brunch"),
    )  # fmt: skip
    text = emit(_plain(graph)).text
    assert not re.search("eggs|spam|ham|brunch", text)


def _plain(graph: Subgraph) -> Program:
    """Plain loops on one thread, every knob neutral."""
    dag = expand(graph)
    return parse_program(f"{default_loops(dag)} | ", dag, Target(threads=1))


@pytest.mark.parametrize("name", SUBJECTS)
def test_the_contract_of_the_object(name: str) -> None:
    """The two functions, no data and no memory of its own; whether it packs and whether it needs threads."""
    for program in [SUBJECTS[name].program, *programs(name, 6)]:
        source = emit(program)
        packs = any(
            group.prepared or any(tensor.constant and tensor.name in group.packed for tensor in group.tensors)
            for group in program.sketch.groups
        )
        assert source.text.count("__INT32_TYPE__ ansord_run(") == 1
        assert source.text.count("__INT32_TYPE__ ansord_pack(") == packs
        assert bool(source.packed_bytes) == packs
        assert source.needs_openmp == ("#pragma omp parallel" in source.text)
        assert source.packed_bytes % 64 == source.scratch_bytes % 64 == 0
        assert not re.search(r"\b(malloc|free|printf|goto|setjmp)\b", source.text)
        kept = [line for line in source.text.splitlines() if re.match(r"\s*static\b", line)]
        assert all("(" in line.partition("=")[0] for line in kept)  # functions, no variables
        assert max(map(len, source.text.splitlines())) < 4000


def test_one_thread_needs_no_openmp() -> None:
    source = emit(_plain(SUBJECTS["two_outputs"].graph))
    assert not source.needs_openmp
    assert "#pragma omp" not in source.text


def test_what_only_neighbours_read_has_no_memory() -> None:
    """relu of a sum of a product: fused, nothing but the arguments is touched."""
    source = emit(SUBJECTS["matmul_bias_relu"].program)
    text = "loops s0; inline s1; fuse s2 into s0 | s0.vector=1"
    dag = SUBJECTS["matmul_bias_relu"].dag
    assert emit(parse_program(text, dag, TARGET)).scratch_bytes == 0
    assert source.scratch_bytes > 0  # accumulators through memory
    assert emit(parse_program("loops s0; inline s1; loops s2 | ", dag, TARGET)).scratch_bytes == 64 * 48 * 4


HASH = """
import hashlib
from ansord.emit import emit
from tests.subjects import SUBJECTS
texts = "".join(emit(subject.program).text for subject in SUBJECTS.values())
print(hashlib.sha256(texts.encode()).hexdigest())
"""


def test_every_process_writes_the_same_text() -> None:
    """Equal programs are equal objects in the store: no order of a set or a hash may reach the text."""
    digests = {
        subprocess.run(
            [sys.executable, "-c", HASH], cwd=ROOT, check=True, capture_output=True, text=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("0", "1", "77")
    }  # fmt: skip
    assert len(digests) == 1


def test_two_groups_pack_one_tensor_each_in_its_own_way() -> None:
    graph = subgraph(
        {"a": (16, 16), "b": (16, 16)}, node("y", "matmul", "a", "b"),
        node("z", "matmul", "a", "b", transpose_a=True), outputs=("y", "z"),
    )  # fmt: skip
    steps = "tile s0; tile s1; pack a0 for s0; pack a0 for s1"
    knobs = "s0.block.i=2 s0.block.j=1 s1.block.i=4 s1.block.j=1"
    text = emit(parse_program(f"{steps} | {knobs}", expand(graph), TARGET)).text
    places = re.findall(r"const float \*restrict (a0_\w+) = \(const float \*\)(.*);", text)
    assert [name for name, _ in places] == ["a0_s0_0", "a0_s1_0"]
    assert len({place for _, place in places}) == 2


@pytest.mark.parametrize(("dtype", "kind"), [("float32", "f32x16"), ("float64", "f64x8")])
def test_a_pinned_vector_is_loaded_once(dtype: str, kind: str) -> None:
    """Four rows of pixels and three of the window need six rows of the input, whatever adds them up."""
    graph = subgraph(
        {"x": (1, 10, 9, 32), "w": (3, 3, 1, 32)}, node("y", "conv2d", "x", "w", groups=32),
        dtypes=dict.fromkeys("xw", dtype),
    )  # fmt: skip
    knobs = "s0.vector=2 s0.block.h=4 s0.block.kh=3 s0.block.g=1 s0.unroll=0 s0.pin=1"
    text = emit(parse_program(f"tile s0 | {knobs}", expand(graph), TARGET)).text
    loads = [load for _, load in re.findall(rf"{kind} (V\d+) = (.*); PIN\(\1\);", text)]
    assert len(loads) == len(set(loads)) == 6 + 3
