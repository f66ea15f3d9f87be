"""What PyTorch's two exporters write of small networks: all of it covered, and equal to ONNX Runtime."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ansord_client.models import load_plan, survey
from tests.client.models.networks import answers, drawn

torch = pytest.importorskip("torch")
runtime = pytest.importorskip("onnxruntime")
nn = torch.nn
pytestmark = pytest.mark.filterwarnings("ignore")


class Residual(nn.Module):  # type: ignore[misc]
    """ResNet's and MobileNet's ways: batch norms, strides, depthwise, squeeze and excitation."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 7, 2, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU(True))
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.wide = nn.Sequential(nn.Conv2d(8, 16, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU6())
        self.each = nn.Sequential(nn.Conv2d(16, 16, 3, 1, 1, groups=16), nn.BatchNorm2d(16), nn.Hardswish())
        self.squeeze = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(16, 16, 1), nn.Hardsigmoid())
        self.narrow = nn.Sequential(nn.Conv2d(16, 8, 1, bias=False), nn.BatchNorm2d(8))
        self.last = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(), nn.Linear(8, 5))

    def forward(self, x: Any) -> Any:
        x = self.pool(self.stem(x))
        y = self.each(self.wide(x))
        return self.last(x + self.narrow(y * self.squeeze(y)))


class Masked(nn.Module):  # type: ignore[misc]
    """BERT's way: embeddings, token types that are looked up twice, a mask of keys, gelu."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.types = nn.Embedding(20, 16), nn.Embedding(2, 16)
        self.register_buffer("zeros", torch.zeros(1, 32, dtype=torch.int64))
        self.norm, self.qkv, self.out = nn.LayerNorm(16), nn.Linear(16, 48), nn.Linear(16, 16)
        self.up, self.down = nn.Linear(16, 32), nn.Linear(32, 16)

    def forward(self, ids: Any, mask: Any) -> Any:
        batch, length = ids.shape
        places = torch.arange(length)[None]
        x = self.norm(self.words(ids) + self.types(self.zeros.gather(1, places)))
        q, k, v = (
            one.view(batch, length, 2, 8).transpose(1, 2) for one in self.qkv(x).split(16, dim=-1)
        )
        seen = mask[:, None, None, :].bool().expand(batch, 1, length, length)
        y = nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=seen)
        x = self.norm(x + self.out(y.transpose(1, 2).reshape(batch, length, 16)))
        return self.norm(x + self.down(nn.functional.gelu(self.up(x))))


def deconvolution() -> Any:
    layers = [nn.ConvTranspose2d(8, 16, 4, 1, 0, bias=False), nn.BatchNorm2d(16), nn.ReLU(True)]
    return nn.Sequential(*layers, nn.ConvTranspose2d(16, 3, 4, 2, 1), nn.Tanh())


def video() -> Any:
    layers = [nn.Conv3d(3, 8, (3, 7, 7), (1, 2, 2), (1, 3, 3), bias=False), nn.BatchNorm3d(8), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(8, 4))


def encoder() -> Any:
    layer = nn.TransformerEncoderLayer(16, 2, 32, activation="gelu", batch_first=True)
    return nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)


def ids() -> tuple[Any, ...]:
    mask = torch.ones(1, 6, dtype=torch.int64)
    mask[:, 4:] = 0
    return torch.randint(0, 20, (1, 6)), mask


MADE: dict[str, tuple[Any, Any]] = {
    "residual": (Residual, lambda: (torch.randn(1, 3, 32, 32),)),
    "masked": (Masked, ids),
    "deconvolution": (deconvolution, lambda: (torch.randn(1, 8, 1, 1),)),
    "video": (video, lambda: (torch.randn(1, 3, 4, 16, 16),)),
    "encoder": (encoder, lambda: (torch.randn(1, 5, 16),)),
}
WAYS: dict[str, dict[str, Any]] = {
    "traced 14": {"dynamo": False, "opset_version": 14, "do_constant_folding": False},
    "traced 17": {"dynamo": False, "opset_version": 17},
    "exported 18": {"dynamo": True, "opset_version": 18},
    "exported 20": {"dynamo": True, "opset_version": 20},
}


def written(module: Any, inputs: tuple[Any, ...], way: str, folder: Path) -> Path:
    """The module with statistics that are not those of a fresh one, as a file."""
    if WAYS[way]["dynamo"]:
        pytest.importorskip("onnxscript")
    for one in module.modules():
        if isinstance(one, nn.BatchNorm2d | nn.BatchNorm3d):
            one.running_mean.normal_()
            one.running_var.uniform_(0.5, 2)
    path = folder / "model.onnx"
    names = [f"x{place}" for place in range(len(inputs))]
    more = {"external_data": False, "verbose": False} if WAYS[way]["dynamo"] else {}
    fast = torch.backends.mha.get_fastpath_enabled()
    logging.disable(logging.WARNING)
    try:
        torch.backends.mha.set_fastpath_enabled(False)  # its op is unknown to the older exporter
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            torch.onnx.export(module.eval(), inputs, str(path), input_names=names, **WAYS[way], **more)
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        logging.disable(logging.NOTSET)
    return path


def agrees(path: Path) -> Any:
    """The plan, which computes what ONNX Runtime does."""
    plan = load_plan(path, trusted=True)
    arrays = drawn(plan)
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    wanted = session.run(None, dict(zip(plan.inputs, arrays, strict=True)))
    for got, want in zip(answers(plan, path, arrays), wanted, strict=True):
        assert np.abs(want).max() > 0
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-4 * np.abs(want).max())
    return plan


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", MADE)
def test_an_export_is_covered_and_right(name: str, way: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    make, inputs = MADE[name]
    plan = agrees(written(make(), inputs(), way, tmp_path))
    assert sum(one.flops for one in survey(plan, {}).foreign) <= 1e-3 * survey(plan, {}).flops
    lookups = {"Gather", "GatherND"} if name == "masked" else set()
    assert {one.op for one in plan.foreign} <= lookups
    ops = [{node.op for node in call.subgraph.nodes} for call in plan.calls]
    moved = [one for one in ops if "transpose" in one and one <= {"mul", "transpose"}]
    assert len(moved) <= (name == "deconvolution")  # the picture's channels go to the front, nothing else


@pytest.mark.slow
@pytest.mark.parametrize("way", ["traced 17", "exported 20"])
@pytest.mark.parametrize("name", ["resnet50", "mobilenet_v2", "mobilenet_v3_small", "shufflenet_v2_x1_0"])
def test_a_network_of_torchvision(name: str, way: str, tmp_path: Path) -> None:
    torchvision = pytest.importorskip("torchvision")
    torch.manual_seed(0)
    module = getattr(torchvision.models, name)(weights=None)
    assert agrees(written(module, (torch.randn(1, 3, 64, 64),), way, tmp_path)).foreign == ()
