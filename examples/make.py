"""Writes the example subgraphs beside itself: `python examples/make.py [--batch 16] [--to DIR]`.

The paper's operator and subgraph benchmark (Ansor, OSDI 2020, section 7.1 and 7.2) is kept here as a table of
numbers; three layers of well-known models follow. The files are committed, and a test keeps them equal to
this script.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Json = dict[str, Any]

PAPER: dict[str, tuple[tuple[int, ...], ...]] = {
    # length, in, out, kernel, stride, padding
    "c1d": (
        (256, 64, 128, 3, 2, 1),
        (128, 128, 256, 1, 2, 0),
        (64, 256, 256, 5, 1, 2),
        (32, 512, 512, 3, 1, 1),
    ),
    # height, width, in, out, kernel, stride, padding
    "c2d": (
        (224, 224, 3, 64, 7, 2, 3),
        (56, 56, 64, 64, 1, 1, 0),
        (14, 14, 256, 256, 3, 1, 1),
        (7, 7, 512, 512, 3, 1, 1),
    ),
    # depth, height, width, in, out, kernel, stride, padding
    "c3d": (
        (16, 224, 224, 3, 64, 7, 2, 3),
        (16, 56, 56, 64, 64, 1, 1, 0),
        (16, 14, 14, 256, 256, 3, 1, 1),
        (16, 7, 7, 512, 512, 3, 1, 1),
    ),
    # n, m, k of [b,n,k] x [b,k,m]
    "gmm": ((128, 128, 128), (512, 32, 512), (512, 512, 512), (1024, 1024, 1024)),
    # height, width, in, out, kernel, stride, padding, dilation, groups
    "grp": (
        (56, 56, 64, 128, 3, 2, 1, 1, 4),
        (56, 56, 64, 64, 1, 1, 0, 1, 4),
        (14, 14, 256, 256, 3, 1, 1, 1, 4),
        (7, 7, 512, 512, 3, 1, 1, 1, 4),
    ),
    # height, width, in, out, kernel, stride, padding, dilation
    "dil": (
        (224, 224, 3, 64, 7, 2, 3, 2),
        (56, 56, 64, 64, 1, 1, 0, 2),
        (14, 14, 256, 256, 3, 1, 1, 2),
        (7, 7, 512, 512, 3, 1, 1, 2),
    ),
    # height, width, channels, kernel, stride, padding
    "dep": ((112, 112, 32, 3, 1, 1), (112, 112, 64, 3, 2, 1), (14, 14, 512, 3, 2, 1), (7, 7, 1024, 3, 1, 1)),
    # height, width, in, out, kernel, stride, padding
    "t2d": (
        (4, 4, 512, 256, 4, 2, 1),
        (8, 8, 256, 128, 4, 2, 1),
        (16, 16, 128, 64, 4, 2, 1),
        (32, 32, 64, 3, 4, 2, 1),
    ),
    # height, width, in, out, kernel, stride, padding; the capsules are 4 x 4
    "cap": (
        (16, 16, 32, 32, 3, 2, 1),
        (8, 8, 32, 32, 3, 1, 1),
        (16, 16, 8, 16, 3, 2, 1),
        (8, 8, 16, 16, 3, 1, 1),
    ),
    # m, n
    "nrm": ((256, 256), (512, 512), (1024, 1024), (4096, 1024)),
    "sfm": ((256, 256), (512, 512), (1024, 1024), (2048, 2048)),
    # height, width, in, out, kernel, stride, padding
    "cbr": (
        (224, 224, 3, 64, 7, 2, 3),
        (56, 56, 64, 128, 3, 2, 1),
        (28, 28, 128, 256, 1, 2, 0),
        (7, 7, 512, 512, 3, 1, 1),
    ),
    # sequence, heads, head dimension
    "tbg": ((128, 12, 64), (128, 16, 64), (64, 12, 128), (128, 12, 128)),
}


def tensor(name: str, *shape: int, constant: bool = False) -> Json:
    return {"name": name, "shape": list(shape), "dtype": "float32"} | ({"constant": True} if constant else {})


def node(name: str, op: str, *args: str | float, **attrs: Any) -> Json:
    return {"name": name, "op": op, "args": list(args)} | ({"attrs": attrs} if attrs else {})


def subgraph(name: str, inputs: list[Json], nodes: list[Json]) -> Json:
    return {"ansord": 1, "name": name, "inputs": inputs, "nodes": nodes, "outputs": [nodes[-1]["name"]]}


def conv(
    name: str,
    batch: int,
    space: tuple[int, ...],
    c: int,
    o: int,
    kernel: int,
    stride: int,
    padding: int,
    dilation: int = 1,
    groups: int = 1,
) -> Json:
    """A convolution over as many dimensions as `space` has, its weights constant."""
    attrs = {"stride": stride, "padding": padding}
    attrs |= {"dilation": dilation} if dilation > 1 else {}
    attrs |= {"groups": groups} if groups > 1 else {}
    weights = tensor("w", *([kernel] * len(space)), c // groups, o, constant=True)
    return subgraph(
        name, [tensor("x", batch, *space, c), weights], [node("y", f"conv{len(space)}d", "x", "w", **attrs)]
    )


def c1d(name: str, batch: int, length: int, *rest: int) -> Json:
    return conv(name, batch, (length,), *rest)


def c2d(name: str, batch: int, height: int, width: int, *rest: int) -> Json:
    return conv(name, batch, (height, width), *rest)


def c3d(name: str, batch: int, depth: int, height: int, width: int, *rest: int) -> Json:
    return conv(name, batch, (depth, height, width), *rest)


def gmm(name: str, batch: int, n: int, m: int, k: int) -> Json:
    inputs = [tensor("a", batch, n, k), tensor("b", batch, k, m)]
    return subgraph(name, inputs, [node("y", "matmul", "a", "b")])


def dep(
    name: str, batch: int, height: int, width: int, c: int, kernel: int, stride: int, padding: int
) -> Json:
    return conv(name, batch, (height, width), c, c, kernel, stride, padding, groups=c)


def t2d(
    name: str, batch: int, height: int, width: int, c: int, o: int, kernel: int, stride: int, padding: int
) -> Json:
    inputs = [tensor("x", batch, height, width, c), tensor("w", kernel, kernel, c, o, constant=True)]
    return subgraph(name, inputs, [node("y", "conv2d_transpose", "x", "w", stride=stride, padding=padding)])


def cap(
    name: str, batch: int, height: int, width: int, c: int, o: int, kernel: int, stride: int, padding: int
) -> Json:
    """The capsule convolution: no op of its own, an expression over a padded input."""
    out = [(extent + 2 * padding - kernel) // stride + 1 for extent in (height, width)]
    h, w = (f"{axis}*{stride}" if stride > 1 else axis for axis in "hw")
    inputs = [
        tensor("x", batch, height, width, 4, 4, c),
        tensor("w", kernel, kernel, 4, 4, c, o, constant=True),
    ]
    pads = [[0, 0], [padding, padding], [padding, padding], [0, 0], [0, 0], [0, 0]]
    expr = f"y[n,h,w,i,j,o] += p[n, {h}+u, {w}+v, i, k, c] * w[u,v,k,j,c,o]"
    nodes = [
        node("p", "pad", "x", pads=pads),
        node("y", "compute", "p", "w", expr=expr, shape=[batch, *out, 4, 4, o]),
    ]
    return subgraph(name, inputs, nodes)


def nrm(name: str, batch: int, m: int, n: int) -> Json:
    nodes = [node("xx", "mul", "x", "x"), node("s", "reduce_sum", "xx", axes=[1, 2]), node("y", "sqrt", "s")]
    return subgraph(name, [tensor("x", batch, m, n)], nodes)


def sfm(name: str, batch: int, m: int, n: int) -> Json:
    """The paper's softmax has no batch: both series are the same."""
    return subgraph(name, [tensor("x", m, n)], [node("y", "softmax", "x", axis=-1)])


def cbr(name: str, *numbers: int) -> Json:
    """The paper's ConvLayer: convolution, batch norm folded to a scale and a shift, relu."""
    plain = c2d(name, *numbers)
    vectors = [tensor(vector, numbers[4], constant=True) for vector in ("scale", "shift")]
    tail = [node("s", "mul", "y", "scale"), node("t", "add", "s", "shift"), node("out", "relu", "t")]
    return subgraph(name, [*plain["inputs"], *vectors], [*plain["nodes"], *tail])


def tbg(name: str, batch: int, sequence: int, heads: int, dim: int) -> Json:
    inputs = [tensor("q", batch, sequence, heads, dim), tensor("k", batch, sequence, heads, dim)]
    nodes = [
        node("qt", "transpose", "q", perm=[0, 2, 1, 3]),
        node("kt", "transpose", "k", perm=[0, 2, 1, 3]),
        node("y", "matmul", "qt", "kt", transpose_b=True),
    ]
    return subgraph(name, inputs, nodes)


MAKERS: dict[str, Callable[..., Json]] = {
    "c1d": c1d,
    "c2d": c2d,
    "c3d": c3d,
    "gmm": gmm,
    "grp": c2d,
    "dil": c2d,
    "dep": dep,
    "t2d": t2d,
    "cap": cap,
    "nrm": nrm,
    "sfm": sfm,
    "cbr": cbr,
    "tbg": tbg,
}


def resnet50_residual(batch: int) -> Json:
    """The last 3x3 convolution of a ResNet-50 stage as exported: conv, batch norm, shortcut, relu."""
    norm = [tensor(name, 256, constant=True) for name in ("scale", "bias", "mean", "var")]
    shape = (batch, 14, 14, 256)
    nodes = [
        node("y", "conv2d", "x", "w", padding=1),
        node("z", "batch_norm", "y", "scale", "bias", "mean", "var"),
        node("s", "add", "z", "shortcut"),
        node("out", "relu", "s"),
    ]
    inputs = [tensor("x", *shape), tensor("w", 3, 3, 256, 256, constant=True), *norm]
    return subgraph("resnet50_residual", [*inputs, tensor("shortcut", *shape)], nodes)


def mobilenetv2_depthwise(batch: int) -> Json:
    """A depthwise layer of MobileNet-V2's fourth stage: 3x3, its bias, relu6."""
    inputs = [tensor("x", batch, 14, 14, 384), tensor("w", 3, 3, 1, 384, constant=True)]
    nodes = [
        node("y", "conv2d", "x", "w", padding=1, groups=384),
        node("z", "add", "y", "b"),
        node("out", "clip", "z", min=0, max=6),
    ]
    return subgraph("mobilenetv2_depthwise", [*inputs, tensor("b", 384, constant=True)], nodes)


def bert_ffn(batch: int) -> Json:
    """The first half of BERT-base's feed-forward layer at sequence length 128: matmul, bias, gelu."""
    inputs = [
        tensor("x", batch * 128, 768),
        tensor("w", 768, 3072, constant=True),
        tensor("b", 3072, constant=True),
    ]
    nodes = [node("y", "matmul", "x", "w"), node("z", "add", "y", "b"), node("out", "gelu", "z")]
    return subgraph("bert_ffn", inputs, nodes)


def gmm_2039(batch: int) -> Json:
    """A square matmul with a constant, of prime extents: as fast a flop as the next."""
    return square("gmm_2039", batch, 2039)


def gmm_2048(batch: int) -> Json:
    """Its neighbour, which every tile divides."""
    return square("gmm_2048", batch, 2048)


def square(name: str, batch: int, n: int) -> Json:
    inputs = [tensor("a", batch * n, n), tensor("b", n, n, constant=True)]
    return subgraph(name, inputs, [node("y", "matmul", "a", "b")])


def examples(batch: int) -> dict[str, Json]:
    """File name (relative to the examples' folder) to subgraph."""
    files: dict[str, Json] = {}
    for operator, shapes in PAPER.items():
        for number, shape in enumerate(shapes, start=1):
            name = f"{operator}_{number}"
            files[f"paper/{name}.json"] = MAKERS[operator](name, batch, *shape)
    for layer in (resnet50_residual, mobilenetv2_depthwise, bert_ffn, gmm_2039, gmm_2048):
        files[f"{layer.__name__}.json"] = layer(batch)
    return files


def text(value: Json) -> str:
    """One input or node a line: as short as JSON that a person reads can be."""
    lines = ["{"]
    for key, field in value.items():
        comma = "," if key != list(value)[-1] else ""
        if key in ("inputs", "nodes"):
            inner = ",\n".join(f"    {json.dumps(item)}" for item in field)
            lines.append(f'  "{key}": [\n{inner}\n  ]{comma}')
        else:
            lines.append(f'  "{key}": {json.dumps(field)}{comma}')
    return "\n".join([*lines, "}"]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the example subgraphs.")
    parser.add_argument("--batch", type=int, default=1, help="the paper's second series has 16")
    parser.add_argument("--to", type=Path, default=Path(__file__).resolve().parent, metavar="DIR")
    options = parser.parse_args()
    for name, value in examples(options.batch).items():
        path = options.to / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text(value))


if __name__ == "__main__":
    main()
