"""ONNX's own operator tests against the importer: `python -m benchmarks.operators [--all]`.

Each test of `onnx.backend.test` of an op, of a function spelled out in nodes or of a small model (its kinds
node, simple, pytorch-operator and pytorch-converted) is imported, cut, run by NumPy and compared with what it
expects. Tests that pass shapes, axes or bounds as inputs get them as
weights, which is how models have them. Prints how many are covered by our ops, how many the fallback runs,
and what is refused and why; exit code 1 if any answer is wrong.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ansord_client.models import BadModel, Foreign, Plan, interpret, load_plan, weights

KINDS = ("node", "simple", "pytorch-operator", "pytorch-converted")
RANDOM = re.compile("test_(bernoulli|random|multinomial|training_dropout)")


@dataclass(frozen=True, slots=True)
class Verdict:
    """`outcome`: "covered", "fallback" (some node is foreign), "wrong", "refused" or "random".

    `op`: of the only node, else "several"; `ops`: of all, each once."""

    test: str
    op: str
    ops: frozenset[str]
    outcome: str
    says: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """A test whose model and data lie in files, as those have that are made in memory."""

    name: str
    model: Any
    data_sets: Sequence[Any]
    rtol: float
    atol: float


def verdicts(folder: Path) -> Iterator[Verdict]:
    """Of all tests, in their order."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from onnx.backend.test.loader import load_model_tests

        for kind in KINDS:
            for case in load_model_tests(kind=kind):
                yield verdict(case if kind == "node" else stored(case), folder)


def stored(case: Any) -> Case:
    """With its files read."""
    from onnx import load_model

    home = Path(case.model_dir)
    sets = [
        [[tensor(file) for file in numbered(one, kind)] for kind in ("input", "output")]
        for one in sorted(home.glob("test_data_set_*"))
    ]
    return Case(case.name, load_model(home / "model.onnx"), sets, case.rtol, case.atol)


def numbered(folder: Path, kind: str) -> list[Path]:
    """In the order of what they are for: input_10.pb comes after input_2.pb."""
    return sorted(folder.glob(f"{kind}_*.pb"), key=lambda file: int(file.stem.split("_")[1]))


def tensor(file: Path) -> Any:
    """A tensor, or nothing that is an array."""
    from onnx import TensorProto

    return TensorProto.FromString(file.read_bytes())


def verdict(case: Any, folder: Path) -> Verdict:
    """Of one test case."""
    nodes = [node.op_type for node in case.model.graph.node]
    op, ops = nodes[0] if len(nodes) == 1 else "several", frozenset(nodes)
    if RANDOM.search(case.name):
        return Verdict(case.name, op, ops, "random")
    says = ""
    for bound in (0, 1, 2):
        try:
            kind = answered(case, bound, folder / "model.onnx")
        except BadModel as error:
            says = says or str(error).split(": ", 1)[-1]
        except AssertionError as error:
            return Verdict(case.name, op, ops, "wrong", str(error).strip()[:300])
        else:
            return Verdict(case.name, op, ops, kind)
    return Verdict(case.name, op, ops, "refused", says)


def answered(case: Any, bound: int, path: Path) -> str:
    """Whether our ops cover the test, once every data set agreed. Raises BadModel, AssertionError.

    `bound`: 0: inputs stay inputs, 1: all but the first become weights, 2: all do.
    """
    kind = "covered"
    for inputs, outputs in case.data_sets:
        arrays = [array(one) for one in inputs]
        free = len(arrays) if bound == 0 else 2 - bound
        plan = planned(case.model, arrays, free, path)
        given = [arrays[[one.name for one in case.model.graph.input].index(name)] for name in plan.inputs]
        found = interpret(plan, weights.load(plan, path), *given)
        for got, wanted in zip(found, map(array, outputs), strict=False):
            assert got.dtype == wanted.dtype, f"found {got.dtype}, wanted {wanted.dtype}"
            assert got.shape == wanted.shape, f"found {got.shape}, wanted {wanted.shape}"
            np.testing.assert_allclose(got, wanted, rtol=case.rtol, atol=max(case.atol, 1e-6))
        if any(isinstance(step, Foreign) for step in (*plan.prepare, *plan.steps)):
            kind = "fallback"
    return kind


def planned(model: Any, arrays: Sequence[Any], free: int, path: Path) -> Plan:
    """The plan of a model whose inputs from `free` on are weights, its open dimensions those of the data."""
    from onnx import ModelProto, numpy_helper

    changed = ModelProto()
    changed.CopyFrom(model)
    dims = {}
    for place, (one, value) in enumerate(zip(model.graph.input, arrays, strict=False)):
        if place >= free:
            changed.graph.initializer.append(numpy_helper.from_array(value, one.name))
            continue
        for axis, dim in enumerate(one.type.tensor_type.shape.dim):
            if not dim.dim_value and value.ndim > axis and value.shape[axis]:
                dims[f"{one.name}:{axis}"] = value.shape[axis]
    path.write_bytes(changed.SerializeToString())
    return load_plan(path, dims, trusted=True)


def array(value: Any) -> Any:
    """Of a data set. Raises BadModel for what is no array of numbers."""
    from onnx import TensorProto, numpy_helper

    if isinstance(value, TensorProto):
        value = numpy_helper.to_array(value)
    if not isinstance(value, np.ndarray | np.generic) or np.asarray(value).dtype.kind not in "biuf":
        raise BadModel(": its data are no arrays of numbers")
    return np.asarray(value)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--all", action="store_true", help="a line for each test that our ops do not cover")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = list(verdicts(Path(folder)))
    counts = Counter(one.outcome for one in found)
    print(", ".join(f"{count} {outcome}" for outcome, count in counts.most_common()))
    for one in found:
        if one.outcome == "wrong" or (options.all and one.outcome != "covered"):
            print(f"{one.outcome:9} {one.test}: {one.says or one.op}")
    for outcome in ("fallback", "refused"):
        ops = Counter(one.op for one in found if one.outcome == outcome)
        print(f"{outcome}: " + ", ".join(f"{op} {count}" for op, count in sorted(ops.items())))
    return 1 if counts["wrong"] else 0


__all__ = ["Verdict", "verdict", "verdicts"]

if __name__ == "__main__":
    sys.exit(main())
