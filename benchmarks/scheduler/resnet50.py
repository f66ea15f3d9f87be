"""The distinct convolutions of ResNet-50 at 224 by 224, batch 1, and how often the network runs each.

Batch normalisation is folded into weights and a bias, as a model importer does; the downsampling is in the
3 by 3 convolutions. The 24 tasks are what `record` tunes and what the simulation schedules.
"""

from __future__ import annotations

from typing import Any

MODEL = "resnet50"

LAYERS: dict[str, tuple[int, int, int, int, int, str, int]] = {
    # name: (input height and width, in, out, kernel, stride, epilogue, times)
    "stem": (224, 3, 64, 7, 2, "relu", 1),
    "reduce_56_64": (56, 64, 64, 1, 1, "relu", 1),
    "reduce_56_256": (56, 256, 64, 1, 1, "relu", 2),
    "conv_56": (56, 64, 64, 3, 1, "relu", 3),
    "expand_56": (56, 64, 256, 1, 1, "residual", 3),
    "shortcut_56": (56, 64, 256, 1, 1, "bias", 1),
    "reduce_56_128": (56, 256, 128, 1, 1, "relu", 1),
    "conv_56_28": (56, 128, 128, 3, 2, "relu", 1),
    "conv_28": (28, 128, 128, 3, 1, "relu", 3),
    "reduce_28_128": (28, 512, 128, 1, 1, "relu", 3),
    "expand_28": (28, 128, 512, 1, 1, "residual", 4),
    "shortcut_56_28": (56, 256, 512, 1, 2, "bias", 1),
    "reduce_28_256": (28, 512, 256, 1, 1, "relu", 1),
    "conv_28_14": (28, 256, 256, 3, 2, "relu", 1),
    "conv_14": (14, 256, 256, 3, 1, "relu", 5),
    "reduce_14_256": (14, 1024, 256, 1, 1, "relu", 5),
    "expand_14": (14, 256, 1024, 1, 1, "residual", 6),
    "shortcut_28_14": (28, 512, 1024, 1, 2, "bias", 1),
    "reduce_14_512": (14, 1024, 512, 1, 1, "relu", 1),
    "conv_14_7": (14, 512, 512, 3, 2, "relu", 1),
    "conv_7": (7, 512, 512, 3, 1, "relu", 2),
    "reduce_7_512": (7, 2048, 512, 1, 1, "relu", 2),
    "expand_7": (7, 512, 2048, 1, 1, "residual", 3),
    "shortcut_14_7": (14, 1024, 2048, 1, 2, "bias", 1),
}


def subgraphs() -> list[dict[str, Any]]:
    """The 24 tasks as subgraph files, in the network's order."""
    return [layer(name, *row) for name, row in LAYERS.items()]


def layer(
    name: str, size: int, c: int, o: int, kernel: int, stride: int, epilogue: str, times: int
) -> dict[str, Any]:
    """One convolution with what follows it; `epilogue`: bias, relu (after the bias) or residual (both)."""
    padding = kernel // 2
    out = (size + 2 * padding - kernel) // stride + 1
    inputs = [
        {"name": "x", "shape": [1, size, size, c], "dtype": "float32"},
        {"name": "w", "shape": [kernel, kernel, c, o], "dtype": "float32", "constant": True},
        {"name": "b", "shape": [o], "dtype": "float32", "constant": True},
    ]
    attrs = {"stride": stride, "padding": padding}
    nodes: list[dict[str, Any]] = [
        {"name": "y", "op": "conv2d", "args": ["x", "w"], "attrs": attrs},
        {"name": "z", "op": "add", "args": ["y", "b"]},
    ]
    if epilogue == "residual":
        inputs.append({"name": "shortcut", "shape": [1, out, out, o], "dtype": "float32"})
        nodes.append({"name": "s", "op": "add", "args": ["z", "shortcut"]})
    if epilogue != "bias":
        nodes.append({"name": "out", "op": "relu", "args": [nodes[-1]["name"]]})
    return {
        "ansord": 1,
        "name": name,
        "inputs": inputs,
        "nodes": nodes,
        "outputs": [nodes[-1]["name"]],
        "for": [{"model": MODEL, "weight": times}],
    }
