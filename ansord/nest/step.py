"""Structural steps: the vocabulary in which the derivation rules write a sketch.

Each step has an exact one-line text that parses back; journals and the cache store these lines.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Inline:
    """The stage has no loops of its own: readers compute it where they need it.

    before: s0[i] = relu(a0[i]); s1[i] = s0[i] + 1        after: s1[i] = relu(a0[i]) + 1
    """

    stage: str

    def __str__(self) -> str:
        return f"inline {self.stage}"


@dataclass(frozen=True)
class Loops:
    """Plain loops: for every axis an outer loop and the register block, the reduction between them.

    before: for i: for k: s += …        after: parallel i0: for k: block i: s += …
    """

    stage: str

    def __str__(self) -> str:
        return f"loops {self.stage}"


@dataclass(frozen=True)
class Tile:
    """Multi-level tiling, SSRSRS: spatial, spatial, reduce, spatial, reduce, register block.

    before: for i: for j: for k: s += …
    after:  parallel i0 j0: for i1 j1: for k0: for i2 j2: for k1: block i j: s += …
    """

    stage: str

    def __str__(self) -> str:
        return f"tile {self.stage}"


@dataclass(frozen=True)
class Fuse:
    """The consumer `stage` is computed on the accumulators of `into`, before they are stored.

    before: s1 = reduce …; s2 = relu(s1)        after: block: s1 = reduce …, then s2 = relu(s1), in registers
    """

    stage: str
    into: str

    def __str__(self) -> str:
        return f"fuse {self.stage} into {self.into}"


@dataclass(frozen=True)
class Pack:
    """The constant `tensor` is laid out once, in the order in which the tiles of `stage` read it.

    before: w[k, j]        after: packed[j block][k0][k1][j in block]
    """

    stage: str
    tensor: str

    def __str__(self) -> str:
        return f"pack {self.tensor} for {self.stage}"


@dataclass(frozen=True)
class Place:
    """The stage is computed where the tiles of `into` need it, tile by tile, into memory of the thread.

    `level`: after the outermost spatial loops ("s0"), after the second ("s1"), or inside the outer
    reduce loops ("r0").

    before: for i: s0[i] = …; parallel j0: …s0[j + k]…     after: parallel j0: for i in tile: s0[i] = …; …
    """

    stage: str
    into: str
    level: str

    def __str__(self) -> str:
        return f"place {self.stage} in {self.into} at {self.level}"


@dataclass(frozen=True)
class Rfactor:
    """The reduction of `stage` over `axis` is split into `chunks` partial results, computed side by side.

    before: for k: s0 += …        after: parallel f0: for k: s0r[f] += …; for f: s0 += s0r[f]
    """

    stage: str
    axis: str
    chunks: int

    def __str__(self) -> str:
        return f"rfactor {self.stage} over {self.axis} in {self.chunks}"


@dataclass(frozen=True)
class Define:
    """`stage` is computed by another definition: the rewrite `by` of `ansord.dag.rewrite`. Comes first.

    before: s0[h] = add(k) a0[h + k]*a1[k]        after: s0v[e, t] = …; s0m[e, t] = …; s0[h] = …s0m[e, h//4]…
    """

    stage: str
    by: str

    def __str__(self) -> str:
        return f"define {self.stage} by {self.by}"


LEVELS = ("s0", "s1", "r0")

Step = Define | Inline | Loops | Tile | Fuse | Place | Rfactor | Pack


def parse_step(text: str) -> Step:
    """The step that prints as `text`.

    :raises ValueError: no step prints so.
    """
    match text.split():
        case ["define", stage, "by", by]:
            return Define(stage, by)
        case ["inline", stage]:
            return Inline(stage)
        case ["loops", stage]:
            return Loops(stage)
        case ["tile", stage]:
            return Tile(stage)
        case ["fuse", stage, "into", into]:
            return Fuse(stage, into)
        case ["place", stage, "in", into, "at", level] if level in LEVELS:
            return Place(stage, into, level)
        case ["rfactor", stage, "over", axis, "in", chunks]:
            return Rfactor(stage, axis, int(chunks))
        case ["pack", tensor, "for", stage]:
            return Pack(stage, tensor)
    raise ValueError(f"no such step: {text!r}")
