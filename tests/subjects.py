"""Nineteen telling subgraphs and one program of each: what golden files and many tests are made of.

The programs are written out, so that each shows something: register blocks with tails on two axes, packed
constants, accumulators through memory, fused epilogues, padded, phased and transformed convolutions, stages
placed in others, reductions in parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ansord.dag import Dag, expand
from ansord.nest import Program, Target, parse_program
from ansord_client.subgraph import Subgraph
from tests.dag.graphs import node, subgraph

TARGET = Target(vector_bytes=64, registers=32, threads=2)
"""A host of two cores with AVX-512; texts for it are the same everywhere, other hosts split its vectors."""


@dataclass(frozen=True)
class Subject:
    """A subgraph and the text of a program of it."""

    graph: Subgraph
    text: str

    @property
    def dag(self) -> Dag:
        return expand(self.graph)

    @property
    def program(self) -> Program:
        return parse_program(self.text, self.dag, TARGET)


SUBJECTS: Mapping[str, Subject] = {
    "matmul_bias_relu": Subject(
        subgraph(
            {"x": (64, 96), "w": (96, 48), "b": (48,)},
            node("y", "matmul", "x", "w"), node("z", "add", "y", "b"), node("out", "relu", "z"),
            constant=("w", "b"),
        ),
        "tile s0; inline s1; fuse s2 into s0; pack a1 for s0 | "
        "s0.vector=1 s0.block.i=4 s0.block.j=2 s0.middle.i=2 s0.middle.j=1 s0.outer.i=2 s0.reduce.k=24 "
        "s0.parallel=2 s0.first=1 s0.unroll=1 s0.pin=1",
    ),
    "conv_bn_relu": Subject(
        subgraph(
            {"x": (1, 14, 14, 16), "w": (3, 3, 16, 32), **dict.fromkeys(("s", "b", "m", "v"), (32,))},
            node("y", "conv2d", "x", "w", padding=1),
            node("z", "batch_norm", "y", "s", "b", "m", "v"), node("out", "relu", "z"),
            constant=("w", "s", "b", "m", "v"),
        ),
        "loops s0; tile s1; loops s2; inline s3; fuse s4 into s1; pack a1 for s1 | "
        "s0.vector=3 s0.block.k=4 s0.parallel=2 s1.vector=2 s1.block.h=2 s1.block.w=7 s1.block.o=2 "
        "s1.reduce.kh=3 s1.reduce.kw=3 s1.reduce.c=4 s1.outermost=2 s1.parallel=2 s2.vector=0",
    ),
    "grouped": Subject(
        subgraph(
            {"x": (1, 7, 7, 16), "w": (3, 3, 4, 32)},
            node("y", "conv2d", "x", "w", groups=4), constant=("w",),
        ),
        "tile s0; pack a1 for s0 | "
        "s0.vector=3 s0.shift=1 s0.block.w=5 s0.block.o=1 s0.block.kw=3 s0.reduce.kh=3 s0.reduce.c=4 "
        "s0.parallel=1 s0.first=2",
    ),
    "depthwise": Subject(
        subgraph(
            {"x": (1, 9, 9, 24), "w": (3, 3, 1, 24)},
            node("y", "conv2d", "x", "w", stride=2, padding=1, groups=24), constant=("w",),
        ),
        "loops s0; tile s1 | "
        "s0.vector=3 s0.shift=1 s0.block.k=3 s1.vector=2 s1.shift=1 s1.block.w=5 s1.block.g=1 "
        "s1.reduce.kh=3 s1.reduce.kw=3 s1.parallel=1",
    ),
    "transposed": Subject(
        subgraph(
            {"x": (1, 4, 4, 16), "w": (4, 4, 16, 8)},
            node("y", "conv2d_transpose", "x", "w", stride=2, padding=1), constant=("w",),
        ),
        "loops s0; tile s1; pack a1 for s1 | "
        "s0.vector=3 s1.vector=4 s1.shift=1 s1.block.h=2 s1.block.w=4 s1.block.o=1 s1.reduce.kh=2 "
        "s1.reduce.kw=2 s1.reduce.c=16 s1.parallel=2",
    ),
    "phases": Subject(
        subgraph(
            {"x": (1, 9, 16), "w": (3, 16, 16), "b": (16,)},
            node("y", "conv1d_transpose", "x", "w", stride=2, padding=1), node("z", "add", "y", "b"),
            node("out", "relu", "z"), constant=("w", "b"),
        ),
        "tile s0; tile s1; loops s2; inline s3; fuse s4 into s2; pack a1 for s1; pack a1 for s0 | "
        "s0.vector=1 s0.block.w=5 s0.block.o=1 s0.reduce.c=16 s0.parallel=1 s1.vector=1 s1.block.w=4 "
        "s1.block.o=1 s1.reduce.kw=2 s1.reduce.c=16 s1.parallel=1 s2.vector=2 s2.parallel=2",
    ),
    "capsule": Subject(
        subgraph(
            {"x": (1, 6, 6, 2, 2, 8), "w": (3, 3, 2, 2, 8, 16)},
            node("p", "pad", "x", pads=[[0, 0], [1, 1], [1, 1], [0, 0], [0, 0], [0, 0]]),
            node(
                "y", "compute", "p", "w", shape=[1, 3, 3, 2, 2, 16],
                expr="y[n,h,w,i,j,o] += p[n, h*2+u, w*2+v, i, k, c] * w[u,v,k,j,c,o]",
            ),
            constant=("w",),
        ),
        "loops s0; tile s1 | "
        "s0.vector=5 s0.shift=1 s1.vector=4 s1.block.k=3 s1.block.l=2 s1.block.x=2 s1.reduce.u=3 "
        "s1.reduce.v=3 s1.reduce.x=1 s1.reduce.y=8 s1.parallel=1",
    ),
    "winograd": Subject(
        subgraph(
            {"x": (1, 14, 32), "w": (3, 32, 32), "b": (32,)},
            node("y", "conv1d", "x", "w", padding=1), node("z", "add", "y", "b"), node("out", "relu", "z"),
            constant=("w", "b"),
        ),
        "define s1 by winograd; loops s1x; loops s1v0; loops s1u0; tile s1m; loops s1; inline s2; "
        "fuse s3 into s1; pack s1u0 for s1m | "
        "s1x.vector=2 s1x.block.j=4 s1x.block.k=2 s1v0.vector=2 s1v0.parallel=1 s1m.vector=2 s1m.block.tw=4 "
        "s1m.block.o=2 s1m.reduce.c=32 s1m.parallel=1 s1.vector=1 s1.parallel=1",
    ),
    "softmax": Subject(
        subgraph({"x": (33, 100)}, node("y", "softmax", "x")),
        "loops s0; loops s1; loops s2; fuse s3 into s2; loops s4 | "
        "s0.vector=1 s0.block.j=2 s0.parallel=1 s1.vector=1 s1.block.j=2 s1.parallel=1 s2.vector=1 "
        "s2.block.j=1 s4.vector=1 s4.block.i=2 s4.block.j=4",
    ),
    "row_sum": Subject(
        subgraph({"x": (40, 203)}, node("y", "reduce_sum", "x", axes=1)),
        "loops s0 | "
        "s0.vector=1 s0.block.i=2 s0.block.j=4 s0.parallel=1",
    ),
    "odd": Subject(
        subgraph({"a": (7, 19), "b": (19, 13)}, node("y", "matmul", "a", "b")),
        "tile s0; pack a0 for s0; pack a1 for s0 | "
        "s0.vector=1 s0.shift=1 s0.block.i=4 s0.block.j=1 s0.reduce.k=8 s0.middle.i=2 s0.parallel=1",
    ),
    "two_outputs": Subject(
        subgraph(
            {"x": (20, 24), "w": (24, 20)},
            node("y", "matmul", "x", "w"), node("z", "tanh", "y"), node("t", "transpose", "y", perm=[1, 0]),
            outputs=("y", "z", "t"),
        ),
        "tile s0; loops s1; loops s2 | "
        "s0.vector=1 s0.shift=2 s0.block.i=5 s0.block.j=2 s0.middle.i=2 s0.middle.j=2 s0.outer.i=2 "
        "s0.outer.j=2 s0.reduce.k=7 s1.vector=1 s2.vector=0 s2.block.i=1 s2.block.j=4",
    ),
    "nrm": Subject(
        subgraph(
            {"x": (1, 24, 40)},
            node("xx", "mul", "x", "x"), node("s", "reduce_sum", "xx", axes=[1, 2]), node("y", "sqrt", "s"),
        ),
        "rfactor s1 over j in 8; inline s0; loops s1r; loops s1; fuse s2 into s1 | "
        "s1r.vector=2 s1r.shift=1 s1r.block.f=1 s1r.block.j=3 s1r.block.k=1 s1r.parallel=1 s1.vector=0 "
        "s1.block.f=1",
    ),
    "layer_norm": Subject(
        subgraph(
            {"x": (34, 48), "s": (48,), "b": (48,)}, node("y", "layer_norm", "x", "s", "b"),
            constant=("s", "b"),
        ),
        "place s0 in s4 at s0; place s1 in s4 at s0; place s2 in s4 at s0; place s3 in s4 at s0; loops s4 | "
        "s4.vector=1 s4.block.i=1 s4.block.j=3 s4.parallel=1 s0.vector=1 s0.block.j=3 s1.scalar=1 "
        "s2.vector=1 s2.block.j=3 s3.scalar=1",
    ),
    "tbg": Subject(
        subgraph(
            {"q": (1, 24, 2, 16), "k": (1, 24, 2, 16)},
            node("qt", "transpose", "q", perm=[0, 2, 1, 3]), node("kt", "transpose", "k", perm=[0, 2, 1, 3]),
            node("y", "matmul", "qt", "kt", transpose_b=True),
        ),
        "inline s0; inline s1; tile s2 | "
        "s2.vector=3 s2.block.i=4 s2.block.j=3 s2.middle.i=2 s2.middle.j=2 s2.reduce.k=1 "
        "s2.parallel=2 s2.pin=1",
    ),
    "fc": Subject(
        subgraph(
            {"x": (1, 256), "w": (256, 100), "b": (100,)},
            node("y", "matmul", "x", "w"), node("z", "add", "y", "b"), constant=("w", "b"),
        ),
        "tile s0; fuse s1 into s0 | "
        "s0.block.j=3 s0.reduce.k=64 s0.parallel=1 s0.unroll=2",
    ),
    "first_layer": Subject(
        subgraph(
            {"x": (1, 16, 16, 3), "w": (3, 3, 3, 32)},
            node("y", "conv2d", "x", "w", stride=2, padding=1), node("z", "relu", "y"), constant=("w",),
        ),
        "place s0 in s1 at s0; tile s1; fuse s2 into s1; pack a1 for s1 | "
        "s1.vector=2 s1.block.w=4 s1.block.o=2 s1.block.c=3 s1.outer.w=2 s1.reduce.kh=3 s1.reduce.kw=3 "
        "s1.reduce.c=1 s1.parallel=2 s1.pin=1 s0.vector=3 s0.block.k=3 s0.scalar=1",
    ),
    "conv_pool": Subject(
        subgraph(
            {"x": (1, 8, 8, 3), "w": (3, 3, 3, 16)},
            node("y", "conv2d", "x", "w", padding=1), node("r", "relu", "y"),
            node("z", "max_pool", "r", kernel=2), constant=("w",),
        ),
        "loops s0; tile s1; inline s2; loops s3; pack a1 for s1 | "
        "s0.scalar=1 s0.block.k=5 s0.parallel=1 s1.vector=2 s1.block.w=4 s1.block.o=1 s1.reduce.kh=3 "
        "s1.reduce.kw=3 s1.reduce.c=3 s1.parallel=1 s3.vector=2 s3.block.w=2 s3.block.kh=2 s3.block.kw=2 "
        "s3.parallel=1",
    ),
    "row_parts": Subject(
        subgraph(
            {"x": (4, 96)},
            node("e", "exp", "x"), node("s", "reduce_sum", "e", axes=1, keepdims=True),
            node("y", "div", "e", "s"),
        ),
        "rfactor s1 over j in 2; loops s0; loops s1r; place s1 in s2 at s0; loops s2 | "
        "s0.vector=1 s0.block.j=3 s0.parallel=1 s1r.vector=2 s1r.shift=1 s1r.block.j=2 s1r.parallel=2 "
        "s2.vector=1 s2.block.j=3 s2.parallel=1 s1.scalar=1 s1.block.f=2",
    ),
}  # fmt: skip
