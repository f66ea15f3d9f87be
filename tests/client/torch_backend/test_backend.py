"""torch.compile(backend="ansord"): equal to eager PyTorch, with kernels and without."""

from __future__ import annotations

import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import torch._dynamo.backends.registry

    from ansord_client.torch_backend import regions


pytestmark = pytest.mark.filterwarnings("ignore")
nn = torch.nn


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    torch._dynamo.reset()
    torch.manual_seed(0)
    yield
    torch._dynamo.reset()


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The regions that come to be."""
    found: list[Any] = []
    before = regions._made

    def noting(*args: Any) -> Any:
        found.append(before(*args))
        return found[-1]

    monkeypatch.setattr(regions, "_made", noting)
    return found


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """NumPy's answers count as kernels, so that regions run without any being tuned."""
    monkeypatch.setattr(regions, "tuned", lambda kernel: True)


class Pictures(nn.Module):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8)
        self.each, self.last = nn.Conv2d(8, 8, 3, groups=8, padding=1), nn.Linear(8, 10)
        self.norm.running_mean.normal_()
        self.norm.running_var.uniform_(0.5, 2)

    def forward(self, x: Any) -> Any:
        y = nn.functional.relu_(self.norm(self.conv(x)))
        y = nn.functional.max_pool2d(y, 2) + 1
        y = nn.functional.hardswish(self.each(y)) + y * 2
        return self.last(y.mean((2, 3))).softmax(-1)


class Attention(nn.Module):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.rows, self.norm = nn.Embedding(11, 16), nn.LayerNorm(16)
        self.qkv, self.out = nn.Linear(16, 48), nn.Linear(16, 16)

    def forward(self, x: Any) -> Any:
        y = self.rows(x)
        batch, length, _ = y.shape
        q, k, v = self.qkv(y).view(batch, length, 3, 2, 8).permute(2, 0, 3, 1, 4).unbind(0)
        z = nn.functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, length, 16)
        return self.norm(y + nn.functional.gelu(self.out(z)))


def places(folder: Path) -> dict[str, Any]:
    return {"cache": str(folder / "cache"), "inbox": str(folder / "inbox")}


def compiled(module: Any, folder: Path) -> Any:
    return torch.compile(module, backend="ansord", options=places(folder))


def same(got: Any, want: Any) -> None:
    torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-5)
    assert got.stride() == want.stride()


def test_pytorch_finds_the_backend() -> None:
    assert "ansord" in torch._dynamo.backends.registry.list_backends()


def test_the_client_alone_does_not_import_torch() -> None:
    code = "import sys, ansord_client.models; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-I", "-c", code], check=False).returncode == 0


def test_what_has_no_kernels_stays_eager_and_is_asked_for(tmp_path: Path, made: list[Any]) -> None:
    module, x = Pictures().eval(), torch.randn(2, 3, 8, 8)
    with torch.no_grad():
        same(compiled(module, tmp_path)(x), module(x))
    (region,) = made
    assert not region.ready and not region._bound
    asked = {path.stem for path in (tmp_path / "inbox").glob("*.json")}
    assert asked == {task.subgraph.key for task in region.plan.tasks}


@pytest.mark.usefixtures("answered")
@pytest.mark.parametrize("picture", [True, False])
def test_regions_answer_as_pytorch_does(picture: bool, tmp_path: Path, made: list[Any]) -> None:
    module = (Pictures() if picture else Attention()).eval()
    x = torch.randn(2, 3, 8, 8) if picture else torch.randint(0, 11, (2, 5))
    run = compiled(module, tmp_path)
    with torch.no_grad():
        for _ in range(2):
            same(run(x), module(x))
        if picture:
            channels_last = x.to(memory_format=torch.channels_last)
            same(run(channels_last), module(channels_last))
    assert made[0].ready and len(made[0]._bound) == 1


@pytest.mark.usefixtures("answered")
def test_an_op_that_is_not_covered_stays_between_regions(tmp_path: Path, made: list[Any]) -> None:
    def function(x: Any) -> Any:
        return (torch.cumsum(x.exp(), 0) * 2).tanh()

    x = torch.randn(4, 3)
    with torch.no_grad():
        same(compiled(function, tmp_path)(x), function(x))
    assert [[node.op for node in region.plan.calls[0].subgraph.nodes] for region in made] == [
        ["exp"],
        ["mul", "tanh"],
    ]


@pytest.mark.usefixtures("answered")
def test_other_shapes_are_compiled_anew(tmp_path: Path, made: list[Any]) -> None:
    module = Pictures().eval()
    run = compiled(module, tmp_path)
    with torch.no_grad():
        for batch in (2, 3, 4, 3, 2):
            x = torch.randn(batch, 3, 8, 8)
            same(run(x), module(x))
    shapes = [region.plan.calls[0].subgraph.nodes[-1].shape[0] for region in made]
    assert shapes == [2, 3, 4, 2]  # the graph with a symbol for 3 and 4 then takes 2 as well


@pytest.mark.usefixtures("answered")
def test_weights_that_change_are_followed(tmp_path: Path, made: list[Any]) -> None:
    module, x = Pictures().eval(), torch.randn(2, 3, 8, 8)
    run = compiled(module, tmp_path)
    with torch.no_grad():
        same(run(x), module(x))
        module.last.weight.mul_(3)
        same(run(x), module(x))
        module.load_state_dict(Pictures().state_dict())
        same(run(x), module(x))
        for _ in range(2 * regions.MOST_BOUND):
            module.last.bias.add_(1)
            same(run(x), module(x))
        module.last.weight.data = torch.randn(10, 8)
        same(run(x), module(x))
    assert all(len(region._bound) <= regions.MOST_BOUND for region in made)


@pytest.mark.usefixtures("answered")
def test_gradients_are_pytorchs_own(tmp_path: Path, made: list[Any]) -> None:
    module, x = Pictures().eval(), torch.randn(2, 3, 8, 8)
    run = compiled(module, tmp_path)
    run(x)[:, 0].sum().backward()
    got = [one.grad.clone() for one in module.parameters()]
    module.zero_grad()
    module(x)[:, 0].sum().backward()
    for one, other in zip(got, module.parameters(), strict=True):
        torch.testing.assert_close(one, other.grad)
    assert made == []
    with torch.no_grad():
        same(run(x), module(x))
    assert len(made) == 1


@pytest.mark.usefixtures("answered")
def test_inference_mode_and_weights_made_in_it(tmp_path: Path, made: list[Any]) -> None:
    """These have no version: their changes could not be seen, so that they stay eager."""
    x = torch.randn(2, 3, 8, 8)
    module = Pictures().eval()
    with torch.inference_mode():
        same(compiled(module, tmp_path)(x), module(x))
        assert len(made[0]._bound) == 1
        torch._dynamo.reset()
        module = Pictures().eval()
        run = compiled(module, tmp_path)
        same(run(x), module(x))
        module.last.weight.mul_(3)
        same(run(x), module(x))
    assert made[1]._bound == {}


@pytest.mark.usefixtures("answered")
def test_several_threads(tmp_path: Path) -> None:
    module = Pictures().eval()
    run = compiled(module, tmp_path)
    inputs = [torch.randn(2, 3, 8, 8) for _ in range(4)]
    found: list[list[Any]] = [[] for _ in inputs]

    def work(number: int) -> None:
        with torch.no_grad():
            for _ in range(5):
                found[number].append(run(inputs[number]))

    with torch.no_grad():
        wanted = [module(x) for x in inputs]
    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(inputs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for got, want in zip(found, wanted, strict=True):
        assert len(got) == 5
        for one in got:
            same(one, want)


def test_options_are_the_clients(tmp_path: Path) -> None:
    run = torch.compile(lambda x: x.exp(), backend="ansord", options={"threads": -3})
    with pytest.raises(Exception, match="BadConfig: option threads: found -3"), torch.no_grad():
        run(torch.randn(3))


def test_several_caches_and_what_to_do_on_a_miss(tmp_path: Path, made: list[Any]) -> None:
    module, x = Pictures().eval(), torch.randn(2, 3, 8, 8)
    options = {
        "cache": [str(tmp_path / "first"), str(tmp_path / "second")],
        "inbox": str(tmp_path / "inbox"),
        "on_miss": "reference",
    }
    run = torch.compile(module, backend="ansord", options=options)
    with torch.no_grad():
        same(run(x), module(x))
    assert [one.root.name for one in made[0].client.caches] == ["first", "second"]
    assert made[0].client.on_miss == "reference" and list((tmp_path / "inbox").glob("*.json"))


@pytest.mark.slow
def test_tuned_kernels_are_swapped_in(
    tmp_path: Path, made: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(regions, "LOOK_EVERY_S", 0.0)
    module, x = Pictures().eval(), torch.randn(2, 3, 8, 8)
    run = compiled(module, tmp_path)
    with torch.no_grad():
        same(run(x), module(x))
        (region,) = made
        drops = sorted((tmp_path / "inbox").glob("*.json"))
        tune = [sys.executable, "-m", "ansord", "tune", *map(str, drops), "--trials", "4"]
        subprocess.run([*tune, "--cache", str(tmp_path / "cache")], check=True, capture_output=True)
        region.client.refresh()
        for _ in range(3):
            same(run(x), module(x))
    assert region.ready
    ((model, _),) = region._bound.values()
    assert model.tuned == len(region.plan.calls)
