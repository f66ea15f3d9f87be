"""The committed examples are what `examples/make.py` writes, and every one of them is a valid subgraph."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

import ansord_client as client

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("examples_make", EXAMPLES / "make.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_committed_files_are_what_the_script_writes() -> None:
    make = script()
    wanted = {name: make.text(value) for name, value in make.examples(1).items()}
    found = {str(path.relative_to(EXAMPLES)): path.read_text() for path in EXAMPLES.glob("**/*.json")}
    assert found == wanted


@pytest.mark.parametrize("batch", [1, 16])
def test_every_example_is_a_valid_subgraph(batch: int) -> None:
    keys = set()
    for name, value in script().examples(batch).items():
        subgraph = client.Subgraph.from_dict(value)
        assert subgraph.flops > 0, name
        keys.add(subgraph.key)
    assert len(keys) == 57


def test_the_capsule_convolution_has_the_flops_of_its_definition() -> None:
    subgraph = client.load_subgraph(EXAMPLES / "paper" / "cap_1.json")
    assert subgraph.flops == 2 * (8 * 8 * 4 * 4 * 32) * (3 * 3 * 4 * 32)
